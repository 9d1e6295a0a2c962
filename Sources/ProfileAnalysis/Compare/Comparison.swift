internal import ProfileModel

/// What changed between two sides, each one or more captures of a program, and how certain that is.
///
/// All figures are in thread-seconds per second of wall time, so that captures of different lengths
/// and rates compare. The tests are of *time*: on a CPU or blocked. Time spent waiting for a CPU is
/// due to the load of the machine; it is reported separately, and changes that it can explain do
/// not count.
package struct Comparison: Sendable {
  /// A part of a thread's time for each second of wall time.
  package struct Times: Hashable, Sendable {
    /// On a CPU.
    package var cpu = 0.0
    /// Ready to run, without a CPU.
    package var delay = 0.0
    /// Asleep in the kernel, and what else was neither on a CPU nor waiting for one.
    package var blocked = 0.0

    /// On a CPU or blocked: what the program itself does.
    package var time: Double { cpu + blocked }
  }

  /// A figure on both sides.
  package struct Change: Sendable {
    /// Thread-seconds per second of wall time.
    package let before: Double
    package let after: Double
    /// 95 % interval of the change; nil where there is too little data.
    package let interval: ClosedRange<Double>?
    /// Two-sided, of this figure alone; nil for what was not tested.
    package let p: Double?
    /// The least rate of false discoveries at which this counts; nil for what was not tested.
    package internal(set) var q: Double?

    /// What came to it, in the same unit; below 0 for what went.
    package var change: Double { after - before }
    /// Whether this counts as changed, with at most 5 % false ones among all that do.
    package var isSignificant: Bool { q.map { $0 <= Comparison.falseDiscoveryRate } ?? false }

    /// The change in parts of what was before; nil when there was nothing.
    package var ratio: Double? { before > 0 ? change / before : nil }
  }

  /// The time of a function or a call path, and where it was spent.
  package struct Timing: Sendable {
    package let before: Times
    package let after: Times
    /// Of time on a CPU or blocked.
    package internal(set) var change: Change
    /// The part of the time of all chosen threads, 0 to 1.
    package let shareBefore: Double
    package let shareAfter: Double
  }

  /// A function of either side, with its time on both.
  package struct Function: Sendable {
    /// The name after; the name before where it is gone.
    package let name: String
    /// The other name that it had before, for one that was renamed.
    package let oldName: String?
    package let file: String?
    package let oldFile: String?
    /// The file with the code; the program's own name, too.
    package let module: String
    /// How the function was found on the other side.
    package let match: FunctionMatch
    /// Whether a side has samples of it.
    package let isBefore: Bool
    package let isAfter: Bool
    /// Whether the compiler inlined all its calls.
    package let wasInlined: Bool
    package let isInlined: Bool
    /// With all that it called; it counts once in a stack.
    package internal(set) var inclusive: Timing
    /// Itself, without what it called.
    package internal(set) var own: Timing
    /// The system call whose blocked time changed most, where blocked time changed.
    package internal(set) var wait: String?
  }

  /// Threads that count as the same in both runs of a program.
  package struct Threads: Sendable {
    /// Numbers in names are `*`.
    package let name: String
    /// Nil where nothing is known of their stacks.
    package let rootFunction: String?
    /// Threads in a capture, on average.
    package let countBefore: Double
    package let countAfter: Double
    package internal(set) var cpu: Change
    /// Not among the changes that count: it is due to load.
    package let delay: Change
    package internal(set) var blocked: Change
  }

  /// A function called by way of others.
  package struct Path: Sendable {
    /// Index into `tree`.
    package let node: Int
    /// Index into `threads`.
    package let threads: Int
    /// Indexes into `functions`, outermost first.
    package let functions: [Int]
    package internal(set) var inclusive: Timing
    package let own: Timing
  }

  /// A group of threads, or a function called by way of others, with what it did itself.
  package struct TreeNode: Sendable {
    /// Index into `tree`, smaller than the node's own; -1 for a group of threads.
    package let parent: Int
    /// Index into `functions`; -1 for a group of threads.
    package let function: Int
    /// Index into `threads`.
    package let threads: Int
    package internal(set) var before = Times()
    package internal(set) var after = Times()
  }

  /// A change that no deeper frame explains.
  package struct Finding: Sendable {
    /// Index into `functions`.
    package let function: Int
    /// Index into `paths`: where most of it happens; nil when it is spread over many.
    package let path: Int?
    /// The change of the function with all that it called; of itself alone where that explains
    /// more.
    package let timing: Timing
    /// Whether `timing` is that of the function itself.
    package let isOwn: Bool
  }

  /// How much longer the captures would have to be.
  package struct Need: Sendable {
    /// Index into `functions`: the busiest one by itself.
    package let function: Int
    /// The least change that could be seen in most such pairs, in parts of the function's time.
    package let visible: Double
    /// Further seconds for each side to see a change of 2 %; 0 when it would be seen already.
    package let moreSeconds: Double
  }

  /// The share of false ones that is accepted among the changes that count.
  package static let falseDiscoveryRate = 0.05

  /// The functions of both sides, in no order.
  package internal(set) var functions: [Function]
  /// The groups of threads of both sides, in no order.
  package internal(set) var threads: [Threads]
  /// The call paths to functions that changed, the heaviest of each side.
  package internal(set) var paths: [Path]
  /// Who called whom on both sides; a caller comes before the functions that it called.
  package internal(set) var tree: [TreeNode] = []
  /// Worst first: what takes more time by the most, then what takes less.
  package internal(set) var findings: [Finding]
  /// All chosen threads together.
  package internal(set) var cpu: Change
  package internal(set) var delay: Change
  package internal(set) var blocked: Change
  /// Nil where nothing can be said about chance.
  package internal(set) var need: Need?
  package internal(set) var warnings: [ComparisonWarning]
  /// How often the threads froze; nil where a capture does not tell.
  package internal(set) var freezes: ComparedFreezes?
  /// Seconds of all captures of a side.
  package let secondsBefore: Double
  package let secondsAfter: Double
  /// The time windows that the captures of a side were divided into.
  package let windowsBefore: Int
  package let windowsAfter: Int

  /// Whether anything changed that is not due to load.
  package var hasChanges: Bool {
    !findings.isEmpty || functions.contains { $0.inclusive.change.isSignificant }
      || functions.contains { $0.own.change.isSignificant }
      || threads.contains { $0.cpu.isSignificant || $0.blocked.isSignificant }
  }

  /// Compares captures; costs about a second for ten thousand functions.
  ///
  /// The filter chooses the threads, nil for all; with the same seed of the drawings the figures
  /// are the same.
  package init(
    before: [ComparedCapture], after: [ComparedCapture], threadFilter: ThreadFilter? = nil,
    seed: UInt64 = 2012
  ) {
    var builder = ComparisonBuilder(before: before, after: after, filter: threadFilter, seed: seed)
    self = builder.comparison()
    freezes = ComparedFreezes(before: before, after: after, filter: threadFilter)
  }

  init(_ parts: ComparisonBuilder.Parts) {
    functions = parts.functions
    threads = parts.threads
    paths = []
    findings = []
    cpu = parts.cpu
    delay = parts.delay
    blocked = parts.blocked
    need = nil
    warnings = []
    secondsBefore = parts.seconds[0]
    secondsAfter = parts.seconds[1]
    windowsBefore = parts.windows[0]
    windowsAfter = parts.windows[1]
  }
}
