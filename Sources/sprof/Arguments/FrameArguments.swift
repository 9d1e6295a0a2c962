import ArgumentParser
import Sampling

/// The option that hides native frames of interpreted programs; captures keep them.
struct ShownFrames: ParsableArguments {
  @Flag(
    inversion: .prefixedNo,
    help: ArgumentHelp(
      "Show or hide the native frames between Python and Java frames.",
      discussion: """
        Native frames are built-in functions, extension modules, and system calls. The verdict uses \
        all frames, shown or hidden.
        """))
  var native = true
}

/// The options that choose which frames of interpreted programs are captured.
struct FrameArguments: ParsableArguments {
  @Flag(help: "Also show the interpreter's own C frames.")
  var internals = false

  @Flag(
    name: .customLong("async"),
    help: ArgumentHelp(
      "Show the asyncio tasks that await the running one.",
      discussion: """
        They appear as its callers, each with what it awaits: on whose behalf time is spent. Needs \
        CPython 3.12 to 3.15 with the GIL.
        """))
  var followsTasks = false

  @Flag(
    name: .customLong("no-callers"),
    help: ArgumentHelp(
      "Capture only the innermost function of each stack, not what called it.",
      discussion: """
        Copies registers and no stack, so that a stop is as short for a deep recursion as for any \
        thread. Self times and lines are as usual; the call tree and totals need callers.
        """))
  var hasNoCallers = false

  @Option(
    help: ArgumentHelp(
      "Capture at most this many frames of each stack, innermost first.", valueName: "frames"))
  var maxDepth: Int?

  /// The most frames of a stack that are captured; nil for all.
  var depth: Int? { hasNoCallers ? 1 : maxDepth }

  func validate() throws {
    guard maxDepth.map({ $0 > 0 }) ?? true else {
      throw ValidationError("--max-depth must be at least 1.")
    }
    guard !hasNoCallers || maxDepth == nil else {
      throw ValidationError("--no-callers cannot be combined with --max-depth.")
    }
    guard !followsTasks || depth == nil else {
      throw ValidationError(
        "--async cannot be combined with --no-callers or --max-depth: tasks are callers.")
    }
  }

  /// Refuses options that contradict each other.
  func check(_ report: ReportArguments) throws {
    guard report.frames.native || !internals else {
      throw ValidationError("--internals cannot be combined with --no-native.")
    }
  }

  /// Whether none of them was given.
  var areStandard: Bool { !internals && !followsTasks && depth == nil }

  var choice: FrameChoice { internals ? .all : .mixed }
}
