import ArgumentParser
import Sampling

/// The option that hides native frames of interpreted programs; captures keep them.
struct ShownFrames: ParsableArguments {
  @Flag(
    inversion: .prefixedNo,
    help: ArgumentHelp(
      "Show or hide the native frames between Python frames.",
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

  /// Refuses options that contradict each other.
  func check(_ report: ReportArguments) throws {
    guard report.frames.native || !internals else {
      throw ValidationError("--internals cannot be combined with --no-native.")
    }
  }

  var choice: FrameChoice { internals ? .all : .mixed }
}
