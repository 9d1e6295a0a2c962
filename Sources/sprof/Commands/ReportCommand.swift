import ArgumentParser
import CaptureFile
import ProfileExport
import ProfileModel

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Shows the report of a capture file, or of a part of it.",
    discussion: """
      Prints what attach, run or dump printed when the capture was made; needs neither the program \
      nor its files. Also reads pprof profiles of other tools and folded stacks. With --html, writes \
      a page instead of the text.

        sprof report slow.pb.gz
        sprof report slow.pb.gz --view waits --thread 'worker-*'
        sprof report slow.pb.gz --redact > for-a-bug-report.txt
        sprof report slow.pb.gz --html slow.html
        sprof report slow.pb.gz --by function --sort cpu --from 2s --to 5s
      """)

  @Argument(help: "The capture file; - for stdin.", completion: .file())
  var file: String

  @OptionGroup var views: ViewArguments
  @OptionGroup var report: ReportArguments
  @OptionGroup var filter: FilterArguments
  @OptionGroup var page: PageArguments
  @OptionGroup var reading: ReadingArguments

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Same as --until.", valueName: "time"), transform: TimeArgument.moment)
  var to: TimeArgument?

  func validate() throws {
    try views.check(report)
    try filter.check(end: to)
    try filter.check(report, end: to)
    try page.check(report, views)
    guard to == nil || filter.until == nil else {
      throw ValidationError("--to is the same as --until; give one of them.")
    }
    guard page.html == nil || !report.json && !report.brief && views.view.isEmpty && views.by == nil
    else {
      throw ValidationError(
        "--html cannot be combined with --json, --brief, --view or --by.")
    }
    guard
      page.html == nil
        || report.rows == nil && report.width == nil && views.sort == nil
          && !report.explain
    else {
      throw ValidationError(
        "--html writes a page in place of the text; it cannot be combined with --top, --width, "
          + "--sort or --explain.")
    }
  }

  func run() throws {
    try Diagnostic.guarding(command: "report") {
      try page.file?.check()
      try OutputFile.checkDistinct([page.file].compactMap { $0 }, reading: [file])
      let profile = try loadProfile(
        file == "-" ? "/dev/stdin" : file, ReadingBudget(reading.limits))
      try filter.check(profile.capture)
      try ReportedPart(of: profile, report, filter, end: to).show { part in
        let isDumpText =
          profile.isDump && page.html == nil && Set(views.view).isSubset(of: [.all])
          && views.by == nil
        if profile.isDump { try checkDump(isText: isDumpText) }
        if try page.write(part, freezeThreshold: views.freeze?.length.rawValue) { return }
        if isDumpText {
          try part.showDump(all: !views.view.isEmpty)
        } else {
          try views.show(part, file: file == "-" ? nil : file, withSource: page.source)
        }
      }
    }
  }
}

extension ReportCommand {
  /// Refuses what would do nothing for a dump, or for its text.
  private func checkDump(isText: Bool) throws {
    let options = [
      (views.sort != nil, "--sort"), (views.freeze != nil, "--freeze"),
      (page.source && isText, "--source"),
    ].filter(\.0).map(\.1)
    guard options.isEmpty else {
      throw Diagnostic.isMisused(
        "\(file) is a dump: one sample of each thread, without times. It cannot be combined with "
          + options.joined(separator: ", ") + ".")
    }
  }
}

extension Profile {
  /// Whether it is a dump, which has no time to show.
  fileprivate var isDump: Bool { capture.kind == .dump }
}
