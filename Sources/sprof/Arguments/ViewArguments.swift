import ArgumentParser
import ProfileAnalysis
import ProfileExport
import ProfileModel

extension ReportView: ExpressibleByArgument {}
extension FlatTable.Unit: ExpressibleByArgument {}
extension WeightUnit: ExpressibleByArgument {}

/// The options that choose the parts of the report.
struct ViewArguments: ParsableArguments {
  @Option(help: "Show only this part of the report; repeatable.")
  var view: [ReportView] = []

  @Option(
    help: ArgumentHelp(
      "Show one table of all threads, grouped by this unit, in place of the views.",
      valueName: "unit"))
  var by: FlatTable.Unit?

  @Option(help: ArgumentHelp("Sort tables and trees by this.", valueName: "weight"))
  var sort: WeightUnit?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "How long a thread must stay away from its event loop to count as frozen; 100ms by default.",
      valueName: "time"),
    transform: TimeArgument.init)
  var freeze: TimeArgument?

  func validate() throws {
    guard by == nil || view.isEmpty else {
      throw ValidationError("--by cannot be combined with --view.")
    }
  }

  /// Refuses options that the JSON, which has everything, would ignore.
  func check(_ report: ReportArguments) throws {
    guard !report.json || view.isEmpty && by == nil && sort == nil else {
      throw ValidationError(
        "--json writes everything; it cannot be combined with --view, --by or --sort.")
    }
    guard !report.brief || view.isEmpty && by == nil && sort == nil else {
      throw ValidationError(
        "--brief writes the verdict; it cannot be combined with --view, --by or --sort.")
    }
  }

  /// Whether the report shows the first screen, among others.
  var hasSummary: Bool {
    by == nil && (view.isEmpty || view.contains(.summary) || view.contains(.all))
  }

  /// The options of the report, with these views.
  func options(_ report: ReportArguments) -> ReportOptions {
    var options = report.options(views: view)
    options.unit = by
    options.sort = sort
    if let freeze { options.freezeThreshold = freeze.length.rawValue }
    return options
  }

  /// Prints the part of a profile as the options choose.
  ///
  /// `file` is where the capture is kept, if anywhere.
  func show(_ part: ReportedPart, file: String? = nil, withSource: Bool = false) throws {
    try Terminal.write(pages: part.report.usesPager) {
      write(part, color: Terminal.wantsColor, file: file, withSource: withSource, to: &$0)
    }
  }

  /// Writes the part of a profile as the options choose.
  func write(
    _ part: ReportedPart, color: Bool, file: String? = nil, withSource: Bool = false,
    to output: inout FileOutput
  ) {
    let report = part.report
    let shown = report.shownAsText(part.profile)
    var options = options(report)
    options.showsVerdict = !part.isPart
    options.color = color
    options.file = file
    // What goes to strangers shows no source.
    if withSource, !report.redact { options.sources = SourceFile.lines(of:builtInto:before:) }
    if report.brief {
      BriefReport(shown, options: options).write(asJSON: report.json, to: &output)
    } else if report.json {
      JSONReport(shown, options: options).write(to: &output)
    } else {
      TextReport(shown, options: options).write(to: &output)
    }
  }
}
