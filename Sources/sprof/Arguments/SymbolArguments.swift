import ArgumentParser
import ProfileModel

/// The option that bounds how long names and lines are looked up.
struct SymbolArguments: ParsableArguments {
  @Option(
    name: .customLong("symbols-timeout"), parsing: .unconditional,
    help: ArgumentHelp(
      "Read debug data for at most this long; 2s for a dump, 20s otherwise by default.",
      discussion: """
        Functions whose lines and inlined calls come later have their names only, and the report says \
        so. sprof symbols adds them to a capture.
        """, valueName: "time"),
    transform: TimeArgument.init)
  var timeout: TimeArgument?

  /// For a dump, whose verdict is waited for.
  var dumpLimit: Nanoseconds { timeout?.length ?? .seconds(2) }

  /// For a capture, which has taken some time itself.
  var captureLimit: Nanoseconds { timeout?.length ?? .seconds(20) }
}
