import ArgumentParser
import ProfileAnalysis
import ProfileExport
import ProfileModel

/// The options that choose what of a profile is shown, and how.
struct ReportArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Show only the threads whose name matches, the one with this tid, or main.",
      valueName: "glob"))
  var thread: String?

  @Option(
    help: ArgumentHelp("Rows of each table; stacks or waits of each thread.", valueName: "rows"))
  var top = 20

  @Flag(help: "Write everything as JSON (see docs/json.md).")
  var json = false

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

  @OptionGroup var frames: ShownFrames

  func validate() throws {
    guard top > 0 else { throw ValidationError("--top must be at least 1.") }
  }

  func options(views: [ReportView] = []) -> ReportOptions {
    var options = ReportOptions(
      views: views.isEmpty ? ReportOptions.defaultViews : Set(views),
      threadFilter: thread.map { ThreadFilter(glob: $0) }, top: top, color: Terminal.wantsColor)
    options.showsNative = frames.native
    options.explainsVerdict = explain
    return options
  }

  /// Prints a dump as the options choose; `isPart` says that filters removed something, `all` asks for
  /// every thread with its whole stack.
  func showDump(_ profile: Profile, isPart: Bool = false, all: Bool = false) throws {
    try checkFilter(profile)
    let shown = shown(profile)
    var options = options(views: all ? [.all] : [])
    options.showsVerdict = !isPart
    try Terminal.write { output in
      if json {
        JSONReport(shown, options: options).write(to: &output)
      } else {
        DumpReport(shown, options: options).write(to: &output)
      }
    }
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
