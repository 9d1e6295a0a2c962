/// A thread that was found asleep, and what it waits for: one or more edges of the wait graph.
package struct Blocking: Hashable, Sendable {
  /// The thread that waits: of the program itself, or of a process that it waits for.
  package let waiter: WaitingThread
  package var wait: Wait
  /// When it fell asleep, in nanoseconds from the start of the capture, below 0 for before it; nil
  /// where that is not known.
  package var since: Int64?
  /// The first and the last sample of this wait, in nanoseconds from the start of the capture.
  package var firstSeen: Int64
  package var lastSeen: Int64
  /// How often it was sampled; the thread has not run between the samples.
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

/// A thread by its numbers in sprof's own PID namespace.
package struct WaitingThread: Hashable, Sendable {
  package let pid: Int32
  /// Of a virtual thread of Java that no thread runs the number that Java gives it, below 0.
  package let tid: Int32
  package let name: String
  package let processName: String
  /// How many threads its process had at the sample; nil when they were not counted.
  ///
  /// All of another process is known only when as many of its threads were sampled.
  package let threadCount: Int?
  /// A signal that its process handles, and that comes by itself, as of a timer: nil for none.
  ///
  /// The handler may end waits of the process, and of others that it writes to.
  package let wakingSignal: Int32?

  package init(
    pid: Int32, tid: Int32, name: String, processName: String, threadCount: Int? = nil,
    wakingSignal: Int32? = nil
  ) {
    self.pid = pid
    self.tid = tid
    self.name = name
    self.processName = processName
    self.threadCount = threadCount
    self.wakingSignal = wakingSignal
  }

  /// Whether it is one that the kernel does not know.
  package var isVirtual: Bool { tid < 0 }
}
