/// A thread that was found asleep, and what it waits for: one edge or more of the wait graph.
package struct Blocking: Hashable, Sendable {
  /// The thread that waits: of the program itself, or of a process that it waits for.
  package let waiter: WaitingThread
  package var wait: Wait
  /// When it fell asleep, in nanoseconds from the start of the capture, less than 0 for before it;
  /// nil where the kernel does not tell and nobody looked.
  package var since: Int64?
  /// The first and the last sample of this wait, in nanoseconds from the start of the capture.
  package var firstSeen: Int64
  package var lastSeen: Int64
  /// How often it was looked at; the thread has not run between the samples.
  package var samples: Int

  package init(
    waiter: WaitingThread, wait: Wait, since: Int64? = nil, firstSeen: Int64, lastSeen: Int64,
    samples: Int = 1
  ) {
    self.waiter = waiter
    self.wait = wait
    self.since = since
    self.firstSeen = firstSeen
    self.lastSeen = lastSeen
    self.samples = samples
  }
}

/// A thread by the numbers of sprof's own PID namespace.
package struct WaitingThread: Hashable, Sendable {
  package let pid: Int32
  package let tid: Int32
  package let name: String
  package let processName: String
  /// How many threads its process had at the sample; nil when nobody counted them.
  ///
  /// Of another process all is known only when as many of its threads were looked at.
  package let threadCount: Int?

  package init(
    pid: Int32, tid: Int32, name: String, processName: String, threadCount: Int? = nil
  ) {
    self.pid = pid
    self.tid = tid
    self.name = name
    self.processName = processName
    self.threadCount = threadCount
  }
}

/// What one thread waits for, as far as it was seen: a field that is nil was not to be known.
package struct Wait: Hashable, Sendable {
  package var kind: WaitKind
  /// The system call by its kernel name; nil outside any.
  package var systemCall: String?
  /// The lock or other place in memory.
  package var object: WaitObject?
  /// Who alone can end the wait: a mutex's owner, the thread that is joined, the peers of a pipe.
  ///
  /// Of several any one will do.
  package var owners: [WaitOwner]
  /// The descriptors that it waits on; any one of several ends the wait.
  package var descriptors: [WaitDescriptor]
  /// Descriptors that were left out of `descriptors` because they are too many.
  package var omittedDescriptors: Int
  /// Nanoseconds until the call gives up; nil when it waits for ever or this is not known.
  package var timeLeft: Int64?
  /// Whether the call has a time limit.
  package var isTimed: Bool
  /// Where in the kernel it sleeps (`/proc/PID/wchan`), for uninterruptible sleep.
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

/// The kinds of wait that are told apart; the raw values are words for programs.
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
  /// Sleeps between tries for a lock that a database keeps in its files.
  case databaseLock = "database_lock"
  case messageQueue = "message_queue"
  case systemVSemaphore = "system_v_semaphore"
  case asynchronousIO = "asynchronous_io"
  /// A fault in memory that the kernel must first fetch.
  case pageFault = "page_fault"
  /// Uninterruptible sleep in the kernel (state D).
  case disk
  case stoppedBySignal = "stopped_by_signal"
  case stoppedByDebugger = "stopped_by_debugger"
  case otherCall = "other_call"
  case unknown
}

/// A place in the program's memory that threads wait for.
package struct WaitObject: Hashable, Sendable {
  package let address: RemoteAddress
  /// What kind of lock: `recursive`, `error-checking`, `adaptive`, `priority-inheriting`, `robust`;
  /// nil for a plain one.
  package var flavor: String?
  /// The variable that it is or lies in, such as `audit_lock`; nil on a heap or a stack.
  package var variable: String?
  /// The field within the variable, such as `.lock` or `[3].lock`, or `+0x28`; nil for the variable
  /// itself.
  package var field: String?
  /// The source file of the variable.
  package var file: String?
  /// The file that it is mapped from, or `[heap]`, `[stack]`, `anonymous memory`.
  package var mapping: String?

  package init(
    address: RemoteAddress, flavor: String? = nil, variable: String? = nil, field: String? = nil,
    file: String? = nil, mapping: String? = nil
  ) {
    self.address = address
    self.flavor = flavor
    self.variable = variable
    self.field = field
    self.file = file
    self.mapping = mapping
  }
}

/// Who holds what a thread waits for.
package enum WaitOwner: Hashable, Sendable {
  /// A thread of the same process.
  case thread(tid: Int32)
  /// Another process, with its thread where that is known.
  case process(pid: Int32, tid: Int32?, name: String)
  /// The owner's thread does not exist any more: nobody will ever let go.
  case dead(tid: Int32)
  /// So many readers of a read-write lock; which threads is not recorded anywhere.
  case readers(count: Int)
}

/// An open descriptor that a thread waits on.
package struct WaitDescriptor: Hashable, Sendable {
  package enum Kind: String, Sendable, CaseIterable {
    case pipe, fifo, file, directory, device, tty, eventfd, timerfd, signalfd, inotify, epoll, pidfd
    case unixSocket = "unix_socket"
    case tcpSocket = "tcp_socket"
    case udpSocket = "udp_socket"
    case otherSocket = "other_socket"
    case ioUring = "io_uring"
    case closed
    case unknown
  }

  package let number: Int32
  package var kind: Kind
  /// A path, a socket's own address, or what the link in `/proc/PID/fd` says.
  package var name: String
  /// The other end's address, such as `127.0.0.1:5432`, or its path.
  package var peerAddress: String?
  /// The processes that hold the other end.
  package var peers: [WaitOwner]
  /// What the thread waits for there: `readable`, `writable`; nil when not known.
  package var events: String?
  /// A socket's state, such as `connecting` or `listening`; nil for what has none.
  package var state: String?

  package init(
    number: Int32, kind: Kind, name: String, peerAddress: String? = nil, peers: [WaitOwner] = [],
    events: String? = nil, state: String? = nil
  ) {
    self.number = number
    self.kind = kind
    self.name = name
    self.peerAddress = peerAddress
    self.peers = peers
    self.events = events
    self.state = state
  }
}
