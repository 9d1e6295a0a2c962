/// What one thread waits for; a field is nil where that could not be found out.
package struct Wait: Hashable, Sendable {
  package var kind: WaitKind
  /// The system call by its kernel name; nil outside any.
  package var systemCall: String?
  /// The lock or other place in memory.
  package var object: WaitObject?
  /// Those who alone can end the wait: a mutex's owner, the thread that is joined, the peers of a
  /// pipe; any one of several can.
  package var owners: [WaitOwner]
  /// The descriptors that it waits on; any one of several ends the wait.
  package var descriptors: [WaitDescriptor]
  /// The number of descriptors that `descriptors` leaves out because there are too many.
  package var omittedDescriptors: Int
  /// Nanoseconds until the call gives up; nil when it waits for ever or that is not known.
  package var timeLeft: Int64?
  /// Whether the call has a time limit.
  package var isTimed: Bool
  /// Where in the kernel it sleeps (`/proc/PID/wchan`), for uninterruptible sleep and outside any system
  /// call.
  package var kernelFunction: String?

  package init(
    kind: WaitKind, systemCall: String? = nil, object: WaitObject? = nil, owners: [WaitOwner] = [],
    descriptors: [WaitDescriptor] = [], omittedDescriptors: Int = 0, timeLeft: Int64? = nil,
    isTimed: Bool = false, kernelFunction: String? = nil
  ) {
    self.kind = kind
    self.systemCall = systemCall
    self.object = object
    self.owners = owners
    self.descriptors = descriptors
    self.omittedDescriptors = omittedDescriptors
    self.timeLeft = timeLeft
    self.isTimed = isTimed
    self.kernelFunction = kernelFunction
  }
}

extension Wait {
  /// Says that it is for a lock of a database: what wakes the thread is only the messenger.
  package mutating func becomeDatabaseLock() {
    kind = .databaseLock
    object = nil
    owners = []
    descriptors = []
    omittedDescriptors = 0
  }
}

/// The kinds of wait; the raw values are words for programs.
package enum WaitKind: String, Sendable, CaseIterable {
  case mutex
  case readLock = "read_lock"
  case writeLock = "write_lock"
  case conditionVariable = "condition_variable"
  case semaphore
  case barrier
  case onceInitializer = "once_initializer"
  case join
  /// A runtime's own parking of a thread without work: Go, Rust, Swift, Java, Qt's thread pool.
  case parking
  /// A futex whose user is not known.
  case futex
  /// Python's global interpreter lock.
  case gil
  case sleep
  case poll
  case select
  case epoll
  case read
  case write
  case open
  case connect
  case accept
  case receive
  case send
  case childProcess = "child_process"
  case signal
  case fileLock = "file_lock"
  /// A lock of a database: SQLite sleeps between tries for one in its files, PostgreSQL waits for a signal
  /// of the session that holds it.
  case databaseLock = "database_lock"
  case messageQueue = "message_queue"
  case systemVSemaphore = "system_v_semaphore"
  case asynchronousIO = "asynchronous_io"
  /// A thread that does the kernel's work, such as io_uring's, waits for some.
  case kernelWork = "kernel_work"
  /// A fault in memory that the kernel must first fetch.
  case pageFault = "page_fault"
  /// Uninterruptible sleep in the kernel (state D).
  case disk
  case stoppedBySignal = "stopped_by_signal"
  case stoppedByDebugger = "stopped_by_debugger"
  /// Kept from running by the freezer of its control group, whose control file is the descriptor.
  case frozen
  case otherCall = "other_call"
  case unknown
}
