import ArgumentParser
import ProfileAnalysis
import ProfileExport
import ProfileModel

/// The options that choose what of a profile is shown, and how.
struct ReportArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Show only the threads whose name matches, the one with this tid, or main.",
      valueName: "glob"),
    transform: GlobArgument.parse)
  var thread: String?

  @Option(
    name: .customLong("top"),
    help: ArgumentHelp(
      "Rows of each table; stacks or waits of each thread. 20 by default, fewer on the first screen.",
      valueName: "rows"))
  var rows: Int?

  @Flag(help: "Write everything as JSON (see docs/json.md).")
  var json = false

  @Flag(
    help: ArgumentHelp(
      "Write only the verdict and its evidence, in less than 2 kB; with --json for programs.",
      discussion: """
        The sentence and chain of the verdict, and the threads that it is about with five frames \
        each.
        """))
  var brief = false

  @Flag(
    help: ArgumentHelp(
      "Redact user, host and paths so that the report can be shared.",
      discussion: """
        Home directories become ~; user and host names, argument values and addresses of other \
        machines are masked. The file of --output keeps everything.
        """))
  var redact = false

  @Flag(help: "Say by which rule and which facts the verdict was found.")
  var explain = false

  @Flag(
    inversion: .prefixedNo,
    help: "Show long text on a terminal with $PAGER.")
  var pager = true

  @Option(
    help: ArgumentHelp(
      "Columns of the text; the terminal's by default, 100 elsewhere.", valueName: "columns"))
  var width: Int?

  @Flag(
    help: ArgumentHelp(
      "Show the names of C++ functions with return types, parameters and all template arguments.",
      discussion: "JSON and pages always have them."))
  var fullNames = false

  @OptionGroup var frames: ShownFrames

  func validate() throws {
    try WidthArgument.check(width)
    guard rows.map({ $0 > 0 }) ?? true else {
      throw ValidationError("--top must be at least 1.")
    }
    guard !json || brief || rows == nil && width == nil else {
      throw ValidationError(
        "--json writes everything; it cannot be combined with --top or --width.")
    }
    guard !brief || rows == nil && width == nil && !explain && frames.native else {
      throw ValidationError(
        "--brief has a size of its own; it cannot be combined with --top, --width, --explain or "
          + "--no-native.")
    }
  }

  var usesPager: Bool { pager && !json && !brief }

  func options(views: [ReportView] = []) -> ReportOptions {
    var options = ReportOptions(
      views: views.isEmpty ? ReportOptions.defaultViews : Set(views),
      threadFilter: thread.map { ThreadFilter(glob: $0) }, top: rows, color: Terminal.wantsColor,
      width: WidthArgument.columns(width))
    options.showsNative = frames.native
    options.explainsVerdict = explain
    return options
  }

  /// The profile as text shows it.
  func shownAsText(_ profile: Profile) -> Profile {
    fullNames || json ? shown(profile) : shown(profile).withShortNames()
  }

  /// The profile as it may be shown.
  func shown(_ profile: Profile) -> Profile {
    redact ? Redaction(home: User.home, userNames: User.names).apply(to: profile) : profile
  }

  /// Throws when no thread matches `--thread`: the report would look like that of an empty program.
  func checkFilter(_ profile: Profile) throws {
    guard thread != nil else { return }
    try Self.check(thread, shown(profile))
  }

  /// The same for a pattern of another command.
  static func check(_ thread: String?, _ profile: Profile) throws {
    guard let thread else { return }
    let filter = ThreadFilter(glob: thread)
    if !profile.threads.contains(where: { filter.matches($0) }) {
      throw Diagnostic.noThread(thread, names: Set(profile.threads.map(\.name)).sorted())
    }
  }
}

extension ReportedPart {
  /// Prints a dump as the options choose; `all` asks for every thread with its whole stack.
  func showDump(all: Bool) throws {
    let shown = report.shownAsText(profile)
    var options = report.options(views: all ? [.all] : [])
    options.showsVerdict = !isPart
    try Terminal.write(pages: report.usesPager) { output in
      if report.brief {
        BriefReport(shown, options: options).write(asJSON: report.json, to: &output)
      } else if report.json {
        JSONReport(shown, options: options).write(to: &output)
      } else {
        DumpReport(shown, options: options).write(to: &output)
      }
    }
  }
}
