import ArgumentParser
import ProfileAnalysis
import ProfileExport
import ProfileModel

extension ReportView: ExpressibleByArgument {}
extension FlatTable.Unit: ExpressibleByArgument {}
extension WeightUnit: ExpressibleByArgument {}
extension ProfileFilter.State: ExpressibleByArgument {}

/// The options that choose what of a profile is shown, and how.
struct ReportArguments: ParsableArguments {
  @Option(help: "Show only the threads whose name matches, or the one with this tid.")
  var thread: String?

  @Option(help: "Rows of a table; stacks or waits of a thread.")
  var top = 20

  @Flag(help: "Write everything as JSON (see docs/json.md).")
  var json = false

  @Flag(
    help: ArgumentHelp(
      "Print nothing that tells who and where you are, for a text that goes to strangers.",
      discussion: """
        Home directories become ~; names of users and of the host, values of arguments, and \
        addresses of other machines are masked. The file of --output keeps everything.
        """))
  var redact = false

  @OptionGroup var frames: ShownFrames

  func validate() throws {
    guard top > 0 else { throw ValidationError("--top wants at least 1 row.") }
  }

  func options(views: [ReportView] = []) -> ReportOptions {
    var options = ReportOptions(
      views: views.isEmpty ? ReportOptions.defaultViews : Set(views),
      threadFilter: thread.map { ThreadFilter(glob: $0) }, top: top, color: Terminal.wantsColor)
    options.showsNative = frames.native
    return options
  }

  /// Prints a dump as the arguments want it; `isPart` says that filters took something away.
  func showDump(_ profile: Profile, isPart: Bool = false) throws {
    try checkFilter(profile)
    let shown = shown(profile)
    var options = options()
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

  /// Says so when the filter leaves nothing, which would look like an empty program.
  func checkFilter(_ profile: Profile) throws { try Self.check(thread, profile) }

  /// The same for a pattern that was given otherwise.
  static func check(_ thread: String?, _ profile: Profile) throws {
    guard let thread else { return }
    let filter = ThreadFilter(glob: thread)
    if !profile.threads.contains(where: { filter.matches($0) }) {
      throw Diagnostic.noThread(thread, names: Set(profile.threads.map(\.name)).sorted())
    }
  }
}

/// What of a capture over time is shown, by which part of the report.
struct ViewArguments: ParsableArguments {
  @Option(help: "Show only this part of the report; may be repeated.")
  var view: [ReportView] = []

  @Option(help: "Show one table of all threads, by this unit, in place of the views.")
  var by: FlatTable.Unit?

  @Option(help: "Sort tables and trees by this.")
  var sort: WeightUnit?

  func validate() throws {
    guard by == nil || view.isEmpty else {
      throw ValidationError("--by shows a table of its own: leave out --view, or --by.")
    }
  }

  /// The options of the report, with these views.
  func options(_ report: ReportArguments) -> ReportOptions {
    var options = report.options(views: view)
    options.unit = by
    options.sort = sort
    return options
  }

  /// Prints the profile as the arguments want it; `isPart` says that filters took something away.
  func show(_ profile: Profile, _ report: ReportArguments, isPart: Bool = false) throws {
    try Terminal.write {
      write(profile, report, isPart: isPart, color: Terminal.wantsColor, to: &$0)
    }
  }

  /// Writes the profile as the arguments want it.
  func write(
    _ profile: Profile, _ report: ReportArguments, isPart: Bool = false, color: Bool,
    to output: inout FileOutput
  ) {
    let shown = report.shown(profile)
    var options = options(report)
    options.showsVerdict = !isPart
    options.color = color
    if report.json {
      JSONReport(shown, options: options).write(to: &output)
    } else {
      TextReport(shown, options: options).write(to: &output)
    }
  }
}

/// The options that leave a part of a profile, before anything is made of it.
struct FilterArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Leave only the time in which threads were in this state; may be repeated.",
      valueName: "state"))
  var state: [ProfileFilter.State] = []

  @Option(
    help: ArgumentHelp("Leave only stacks with a function that matches.", valueName: "regex"),
    transform: PatternArgument.parse)
  var focus: FunctionPattern?

  @Option(
    help: ArgumentHelp("Leave out stacks with a function that matches.", valueName: "regex"),
    transform: PatternArgument.parse)
  var ignore: FunctionPattern?

  @Option(
    help: ArgumentHelp(
      "Leave only stacks that go through this module, by name or path.", valueName: "glob"))
  var module: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Leave out what was before this time of the capture.", valueName: "time"),
    transform: TimeArgument.moment)
  var from: TimeArgument?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Leave out what was after this time of the capture.", valueName: "time"),
    transform: TimeArgument.moment)
  var until: TimeArgument?

  func validate() throws { try check(end: until) }

  /// Whether these options leave everything as it is.
  var isEmpty: Bool {
    state.isEmpty && focus == nil && ignore == nil && module == nil && from == nil && until == nil
  }

  /// What is left of a profile, of the threads and up to the end that are given besides.
  func apply(
    to profile: Profile, thread: String? = nil, end: TimeArgument? = nil
  ) throws -> Profile {
    var filter = ProfileFilter()
    filter.thread = thread.map { ThreadFilter(glob: $0) }
    filter.states = Set(state)
    filter.from = from?.nanoseconds
    filter.to = (end ?? until)?.nanoseconds
    filter.focus = focus
    filter.ignore = ignore
    filter.module = module.map { Glob($0) }
    let filtered = filter.apply(to: profile)
    if filtered.threads.isEmpty && !profile.threads.isEmpty { throw Diagnostic.nothingLeft }
    return filtered
  }
}

extension FilterArguments {
  /// Refuses a part of a capture that ends before it begins.
  func check(end: TimeArgument?) throws {
    guard let from, let end, from.nanoseconds >= end.nanoseconds else { return }
    throw ValidationError("The part of the capture must end after it begins: --from is too late.")
  }
}

/// A regular expression as the user writes it.
enum PatternArgument {
  static func parse(_ text: String) throws -> FunctionPattern {
    do {
      return try FunctionPattern(text)
    } catch {
      throw ValidationError("'\(text)' is not a regular expression: \(error).")
    }
  }
}
