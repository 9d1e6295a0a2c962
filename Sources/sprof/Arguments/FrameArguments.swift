import ArgumentParser
import Sampling

/// The option that hides frames of a program that an interpreter runs; a capture keeps them.
struct ShownFrames: ParsableArguments {
  @Flag(
    inversion: .prefixedNo,
    help: ArgumentHelp(
      "Show the C frames between those of Python.",
      discussion: """
        Built-in functions, extension modules, and what a Python function waits in. What the matter \
        is said to be is told by all frames, shown or not.
        """))
  var native = true
}

/// The options that choose which frames of a program are captured that an interpreter runs.
struct FrameArguments: ParsableArguments {
  @Flag(help: "Show the interpreter's own C frames, too.")
  var internals = false

  @Flag(
    name: .customLong("async"),
    help: ArgumentHelp(
      "Show the tasks of asyncio that wait for the one that runs.",
      discussion: "Behind its coroutine, with what they await: on whose behalf the time is spent."))
  var followsTasks = false

  /// Refuses to keep what is not to be shown.
  func check(_ report: ReportArguments) throws {
    guard report.frames.native || !internals else {
      throw ValidationError("--internals and --no-native exclude each other.")
    }
  }

  var choice: FrameChoice { internals ? .all : .mixed }
}
