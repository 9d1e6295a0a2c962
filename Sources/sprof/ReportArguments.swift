import ArgumentParser
import ProfileAnalysis
import ProfileExport
import ProfileModel

extension ReportView: ExpressibleByArgument {}

/// The options that choose what of a profile is shown, and how.
struct ReportArguments: ParsableArguments {
  @Option(help: "Show only the threads whose name matches, or the one with this tid.")
  var thread: String?

  @Option(help: "Rows of the line table for each thread.")
  var top = 20

  @Flag(help: "Write everything as JSON (see docs/json.md).")
  var json = false

  func validate() throws {
    guard top > 0 else { throw ValidationError("--top wants at least 1 row.") }
  }

  func options(views: [ReportView]) -> ReportOptions {
    ReportOptions(
      views: views.isEmpty ? ReportOptions.defaultViews : Set(views),
      threadFilter: thread.map { ThreadFilter(glob: $0) }, top: top, color: Terminal.wantsColor)
  }

  /// Prints the report on `profile`: of a dump as `dump` does, unless views were asked for.
  func write(_ profile: Profile, views: [ReportView] = []) throws {
    try checkFilter(profile)
    var text = ""
    if json {
      try JSONReport(profile, options: options(views: views)).write(to: &text)
    } else if profile.capture.kind == .dump, views.isEmpty {
      DumpReport(profile, options: options(views: [])).write(to: &text)
    } else {
      TextReport(profile, options: options(views: views)).write(to: &text)
    }
    try Terminal.write(text)
  }

  /// Says so when the filter leaves nothing, which would look like an empty program.
  func checkFilter(_ profile: Profile) throws {
    guard let thread else { return }
    let filter = ThreadFilter(glob: thread)
    if !profile.threads.contains(where: { filter.matches($0) }) {
      throw Diagnostic.noThread(thread, names: Set(profile.threads.map(\.name)).sorted())
    }
  }
}
