package import ProfileModel

/// A stretch of time in which a thread did not respond: its event loop neither rested nor was
/// returned to.
package struct Freeze: Sendable {
  /// Index into `profile.threads`.
  package let thread: Int
  /// Nanoseconds from the start of the capture.
  package let start: Int64
  /// In nanoseconds; right within a tick's period at each end.
  package let length: Int64
  /// Whether it had begun before the first sample, so that it lasted longer.
  package var beganBefore = false
  /// Whether it went on at the last sample.
  package var goesOn = false
  /// Whether it may as well be many short handlers, one after the other: samples cannot tell.
  package var isUnclear = false
  /// The loop that had to wait; nil for a thread without one.
  package var loop: EventLoop?
  /// The outermost function of the program's own that the loop called; nil where none is known.
  package var handler: SourceFrame?
  /// What took most of its time.
  package var cause = FreezeCause(kind: .unknown)
  /// The stack that took most of the time of the cause.
  package var stack = StackID.empty
  package var stackEnd = StackEnd.complete
  /// The samples in it.
  package var samples: Int64 = 0

  /// Whether it lasted longer than `length`.
  package var isAtLeast: Bool { beganBefore || goesOn }
  /// When it ended, as far as is known.
  package var stop: Int64 {
    let (sum, overflow) = start.addingReportingOverflow(length)
    return overflow ? .max : sum
  }

  package init(thread: Int, start: Int64, length: Int64) {
    self.thread = thread
    self.start = start
    self.length = length
  }
}

/// What a thread did while it was frozen.
package struct FreezeCause: Sendable {
  /// The raw values are words for programs.
  package enum Kind: String, Sendable, CaseIterable {
    /// It ran.
    case computed
    /// It slept by its own choice.
    case slept
    /// It waited for a lock or another thread.
    case lock
    case disk
    /// It waited for the other end of a pipe or a socket.
    case socket
    case child
    /// It was ready to run and got no CPU.
    case cpu
    /// It was stopped by a signal or a debugger.
    case stopped
    /// It waited for something else.
    case wait
    case unknown
  }

  package let kind: Kind
  /// Nanoseconds of the freeze that it took.
  package var time: Int64 = 0
  /// What it waited for.
  package var wait: Wait?
  /// Where: the innermost function that ran, or that asked for the wait.
  package var place: SourceFrame?
  /// What the lock's owner did meanwhile, where it is a thread of the program.
  package var owner: Owner?

  package init(kind: Kind) { self.kind = kind }

  /// What the owner of a lock did most while another thread waited for it.
  package struct Owner: Sendable {
    /// Index into `profile.threads`.
    package let thread: Int
    package let kind: Kind
    package let wait: Wait?
    package let place: SourceFrame?
  }
}

extension FreezeCause.Kind {
  /// What a thread that does this is held up by, with the kind of its wait where it has one.
  init(_ activity: Activity, _ wait: WaitKind?) {
    switch activity {
    case .running: self = .computed
    case .waitingForCPU: self = .cpu
    case .stopped: self = .stopped
    case .unknown: self = .unknown
    case .blocked, .uninterruptible: self = wait.map { Self($0) } ?? .unknown
    }
  }

  private init(_ wait: WaitKind) {
    switch wait {
    case .sleep: self = .slept
    case .mutex, .readLock, .writeLock, .conditionVariable, .semaphore, .barrier, .onceInitializer,
      .join, .parking, .futex, .gil, .fileLock, .databaseLock, .systemVSemaphore:
      self = .lock
    case .disk, .pageFault: self = .disk
    case .poll, .select, .epoll, .read, .write, .open, .connect, .accept, .receive, .send,
      .messageQueue:
      self = .socket
    case .childProcess: self = .child
    case .stoppedBySignal, .stoppedByDebugger, .frozen: self = .stopped
    case .signal, .asynchronousIO, .kernelWork, .otherCall, .unknown: self = .wait
    }
  }
}
