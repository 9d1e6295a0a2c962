package import ProfileModel

/// Why a program is slow or hangs, as far as a capture shows: one finding, with its evidence.
package struct Verdict: Sendable {
  /// The raw values are words for programs.
  package enum Kind: String, Sendable, CaseIterable {
    /// Threads wait for each other in a cycle.
    case deadlock
    /// The same, seen in one sample, or in samples of different moments.
    case possibleDeadlock = "possible_deadlock"
    /// A thread waits for a lock whose owner has exited.
    case orphanedLock = "orphaned_lock"
    /// A thread that should go on has waited long for a lock.
    case hungOnLock = "hung_on_lock"
    /// The same for the other end of a connection, a pipe, a file.
    case hungOnIO = "hung_on_io"
    /// The same for something else.
    case hung
    /// A thread did not respond now and then; `Diagnosis.freezes` has what kept it.
    case froze
    /// A thread stays in one function, on a CPU all the time.
    case busyLoop = "busy_loop"
    /// A thread is ready to run and gets no CPU.
    case starved
    /// The thread runs part of the time; the verdict says where.
    case slow
    /// On a CPU in a dump's one sample.
    case running
    /// Waits for something, which may be its normal business.
    case waiting
    /// Every thread is at rest.
    case idle
    /// Kept from running by the freezer of a control group.
    case frozen
    /// Stopped by a signal or a debugger.
    case stopped
    case inconclusive
  }

  package let kind: Kind
  /// The thread that it is about, as an index into `profile.threads`.
  package var thread: Int?
  /// Nodes of the wait graph: a cycle, or from that thread to the one that holds it up.
  package var chain: [Int] = []
  /// Whether the last of `chain` waits for the first.
  package var isCycle = false
  /// Whether a time limit will end the wait or the cycle.
  package var isTimed = false
  /// What may end a cycle nevertheless; nil for nothing that is known.
  package var outsider: WaitGraph.Outsider?
  /// How many threads besides those of `chain` wait behind them.
  package var behind = 0
  /// For how long it has lasted, in nanoseconds; nil when that is not known.
  package var lasted: Int64?
  /// Whether it may have begun before that.
  package var isAtLeast = false
  /// How many threads it is about, all of one kind, that each lived for a part of the capture.
  ///
  /// `thread` then is one of them; 0 for a verdict about one thread.
  package var alikeThreads = 0
  /// The samples that show it.
  package var samples = 0
  /// The function in which the thread stays, runs, or uses most of its CPU time.
  package var place: SourceFrame?
  /// The library's function that nearly all samples in `place` are in, and that it called; nil for none.
  package var placeCall: SourceFrame?
  /// The function that most of the samples in `place` were in itself, where that is another one; nil elsewhere.
  package var busiest: SourceFrame?
  /// The part of the samples that were there; 0 to 1.
  package var busiestShare: Double?
  /// How many threads of the program wanted to run at a time, on average, where these were more than it may
  /// run on CPUs, and kept each other waiting; nil elsewhere.
  package var wantingThreads: Int?
  /// The handler that has not returned, of a thread that does various things in it; nil for others.
  package var overdue: SourceFrame?
  /// The part of the thread's CPU time, or of its samples on a CPU, that it spent there; 0 to 1.
  package var placeShare: Double?
  /// How far `placeShare` may be off by chance in 19 of 20 captures; nil where that is not known.
  package var placeShareError: Double?
  /// How many samples `placeShare` and `withinShare` are parts of.
  package var cpuSamples = 0
  /// The function that holds most of its CPU time together with what it calls.
  ///
  /// Nil where `place` holds much of it by itself, and where no function does. Its line is that of the call.
  package var within: SourceFrame?
  /// The part of the thread's samples on a CPU that were there; 0 to 1.
  package var withinShare: Double?
  /// The parts of the thread's time; nil for one sample.
  package var shares: TimeShares?
  /// What the thread waits for; for one that is slow the wait that took most of its time.
  package var wait: Wait?
  /// The frame that asked for that wait.
  package var waitPlace: SourceFrame?
  /// Why the thread does not need that wait to end; nil where it may.
  package var waitIdleness: Idleness?
  /// The main thread, where it waits to be told that others are ready while the thread of the verdict is
  /// busy; nil elsewhere.
  package var awaitedBy: Int?
  /// A thread that hangs meanwhile, and is not in `chain` or behind it; nil for none.
  package internal(set) var hanging: HangingThread?
  /// What the program has that sprof does not read, and on which the verdict may depend; nil for nothing.
  package var unseen: UnseenRuntime?
  /// How many threads are idle.
  package var idleThreads = 0
  /// What it is about where it is about goroutines, which no thread shows; nil elsewhere.
  package var goroutines: GoroutineFinding?
  /// Who held up the thread in many waits; nil where the chain says it, or nobody did for long.
  package var blame: BlameFinding?

  package init(kind: Kind) { self.kind = kind }
}

/// A runtime whose own threads or locks sprof does not read; the raw values are words for programs.
package enum UnseenRuntime: String, Sendable, CaseIterable {
  case goroutines
  case javaThreads = "java_threads"
}
