import ArgumentParser
import CaptureFile
import ProfileAnalysis
import ProfileExport
import ProfileModel

/// The options that write the report as an HTML page.
struct PageArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Write the report as one HTML page to this file: flame graph, timeline, tables.",
      discussion: """
        The page contains its script and data, opens from disk and loads nothing from the network. \
        Overwrites an older page.
        """, valueName: "file"), completion: .file())
  var html: String?

  @Flag(
    help: ArgumentHelp(
      "Show the source around the hottest line, and with --html all sampled lines in the page.",
      discussion: """
        Only files that exist here; the text report leaves out those that were changed since the program \
        was built.
        """))
  var source = false

  @Flag(help: "Open the page of --html in the browser.")
  var open = false

  func validate() throws {
    guard html != nil || !open else { throw ValidationError("--open needs --html.") }
    guard html?.isEmpty != true else { throw ValidationError("--html needs a file name.") }
  }

  /// Refuses `--source` where nothing would show it.
  func check(_ report: ReportArguments, _ views: ViewArguments) throws {
    guard source else { return }
    guard html != nil || !report.json && !report.brief else {
      throw ValidationError("--source needs the text or --html: JSON and --brief have no source.")
    }
    guard html != nil || views.hasSummary else {
      throw ValidationError(
        "--source needs --view summary or --html: the other views have no source.")
    }
    guard !report.redact else {
      throw ValidationError(
        "--source cannot be combined with --redact: what is shared shows no source.")
    }
  }

  /// The file of the page; nil without `--html`.
  var file: OutputFile? { html.map { OutputFile.page($0) } }

  /// Writes the page with `--html`; returns whether it did.
  ///
  /// The page has the chosen threads only; the other filters have been applied before.
  @discardableResult
  func write(_ part: ReportedPart, freezeThreshold: Int64? = nil) throws -> Bool {
    guard let file else { return false }
    let (report, profile) = (part.report, part.profile)
    var filter = ProfileFilter()
    filter.thread = report.thread.map { ThreadFilter(glob: $0) }
    let shown = report.shown(filter.apply(to: profile))
    try file.write {
      PageExporter.packed(
        withSource: source && !report.redact, showsVerdict: !part.isPart && report.thread == nil,
        showsNative: report.frames.native,
        freezeThreshold: freezeThreshold ?? FreezeRule.defaultThreshold,
        whole: report.thread == nil ? nil : report.shown(profile)
      ).write(shown, to: &$0)
    }
    if open { Browser.open(file.path) } else { file.tellPage() }
    return true
  }
}

extension OutputFile {
  static func page(_ path: String) -> OutputFile {
    OutputFile(path: path, option: "--html", replaceable: .page)
  }

  /// Says where a page is that was written, also where stderr is no terminal: a log should have it, too.
  func tellPage() { Terminal.writeMessage("Wrote the page. Open it with: xdg-open \(path)") }
}

extension PageExporter {
  /// Writes compressed pages, if wanted with the source files that exist here.
  static func packed(
    withSource: Bool = false, showsVerdict: Bool = true, showsNative: Bool = true,
    freezeThreshold: Int64 = FreezeRule.defaultThreshold,
    whole: Profile? = nil
  ) -> PageExporter {
    PageExporter(
      compress: { GzipMember.compressing($0) },
      sources: withSource ? PageSources(read: SourceFile.lines) : nil, showsVerdict: showsVerdict,
      showsNative: showsNative, freezeThreshold: freezeThreshold, whole: whole)
  }
}
