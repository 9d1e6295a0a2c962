import ArgumentParser
import CaptureFile
import ProfileAnalysis
import ProfileExport
import ProfileModel

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Shows what changed between two captures, and how certain that is.",
    discussion: """
      Lists only changes beyond noise. Captures may differ in length and rate; each side may have \
      several captures.

        sprof compare before.pb.gz after.pb.gz
        sprof compare --before a1.pb.gz,a2.pb.gz --after b1.pb.gz,b2.pb.gz
        sprof compare before.pb.gz after.pb.gz --html change.html
        sprof compare one.pb.gz --window 0s-10s --window 20s-30s
        sprof compare before.pb.gz after.pb.gz --fail-if '+5%'
      """)

  @Argument(
    help: "The captures before and after; or one capture, with --window given twice.",
    completion: .file())
  var captures: [String] = []

  @Option(
    help: ArgumentHelp("The captures before, separated by commas.", valueName: "files"),
    completion: .file())
  var before: String?

  @Option(
    help: ArgumentHelp("The captures after, separated by commas.", valueName: "files"),
    completion: .file())
  var after: String?

  @Option(
    help: ArgumentHelp(
      "Time span of the captures, such as 0s-10s; given twice, for before and for after.",
      valueName: "from-to"),
    transform: WindowArgument.init)
  var window: [WindowArgument] = []

  @Option(
    help: ArgumentHelp(
      "Compare only the threads whose name matches, or the one with this tid.", valueName: "glob"),
    transform: GlobArgument.parse)
  var thread: String?

  @Option(
    help: ArgumentHelp(
      "Exit with code 3 if this bound is exceeded beyond noise; repeatable.",
      discussion: """
        '+5%' bounds the CPU time of all threads; 'NAME +10%' and 'NAME +0.1s/s' bound the total \
        time of a function. NAME may leave out namespaces, template arguments and parameters. A \
        function that neither side has is an error. 'freezes > 0' and 'longest freeze > 200ms' bound \
        how the program froze after.
        """, valueName: "bound"),
    transform: LimitArgument.parse)
  var failIf: [ComparisonLimit] = []

  @Flag(help: "Let --fail-if pass where neither side has its function.")
  var allowMissing = false

  @Option(
    name: .customLong("top"),
    help: ArgumentHelp("Rows of each table; 20 by default.", valueName: "rows"))
  var rows: Int?

  @Option(
    help: ArgumentHelp(
      "Columns of the text; the terminal's by default, 100 elsewhere.", valueName: "columns"))
  var width: Int?

  @Flag(help: "Include changes within noise.")
  var all = false

  @Flag(help: "Write everything as JSON (see docs/json.md).")
  var json = false

  @Flag(help: "Write Markdown, such as for a pull request.")
  var markdown = false

  @Option(
    help: ArgumentHelp(
      "Write one HTML page to this file instead of the text: a flame graph of what changed.",
      valueName: "file"), completion: .file())
  var html: String?

  @OptionGroup var reading: ReadingArguments

  func validate() throws {
    guard rows.map({ $0 > 0 }) ?? true else {
      throw ValidationError("--top must be at least 1.")
    }
    guard !json && html == nil || rows == nil && !all else {
      throw ValidationError(
        "--json and --html have everything; they cannot be combined with --top or --all.")
    }
    try WidthArgument.check(width)
    guard width == nil || !json && !markdown && html == nil else {
      throw ValidationError(
        "--width is that of the text; it cannot be combined with --json, --markdown or --html.")
    }
    guard !failIf.isEmpty || !allowMissing else {
      throw ValidationError("--allow-missing needs --fail-if.")
    }
    guard [json, markdown, html != nil].count(where: { $0 }) < 2 else {
      throw ValidationError("--json, --markdown and --html cannot be combined.")
    }
    guard html?.isEmpty != true else { throw ValidationError("--html needs a file name.") }
    guard window.isEmpty || window.count == 2 else {
      throw ValidationError("Give --window twice: for before and for after.")
    }
    if before != nil || after != nil {
      guard before != nil, after != nil, captures.isEmpty else {
        throw ValidationError("Give both --before and --after, without other captures.")
      }
    } else {
      guard captures.count == 2 || (captures.count == 1 && window.count == 2) else {
        throw ValidationError(
          "Give two captures, or one with --window given twice, or --before and --after.")
      }
    }
  }

  func run() throws {
    try Diagnostic.guarding(command: "compare") {
      let page = html.map { OutputFile.page($0) }
      try page?.check()
      try OutputFile.checkDistinct(
        [page].compactMap { $0 }, reading: paths(0, before) + paths(1, after))
      let budget = ReadingBudget(reading.limits)
      let sides = try [before, after].enumerated().map { number, list in
        try side(paths(number, list), window.isEmpty ? nil : window[number].times, budget)
      }
      try checkFilter(sides)
      let comparison = Comparison(
        before: sides[0], after: sides[1], threadFilter: thread.map { ThreadFilter(glob: $0) })
      let verdicts = failIf.map {
        LimitVerdict($0, $0.verdict(on: comparison, rules: failIf.count))
      }
      try write(comparison, verdicts, sides)
      for verdict in verdicts where !verdict.isKept || json {
        Terminal.writeMessage(verdict.words)
      }
      // For an `ExitCode` ArgumentParser prints nothing.
      if verdicts.contains(where: \.isExceeded) { throw ExitCode(3) }
      if !allowMissing, verdicts.contains(where: \.isUnknown) { throw ExitCode(65) }  // EX_DATAERR
    }
  }

  private func paths(_ side: Int, _ list: String?) -> [String] {
    list.map { $0.split(separator: ",").map(String.init) } ?? [
      captures[min(side, captures.count - 1)]
    ]
  }

  private func side(
    _ paths: [String], _ times: Range<Nanoseconds>?, _ budget: ReadingBudget
  ) throws -> [ComparedCapture] {
    let window = times.map { $0.lowerBound.rawValue..<$0.upperBound.rawValue }
    return try paths.map { ComparedCapture(try loadProfile($0, budget), window: window) }
  }

  private func write(
    _ comparison: Comparison, _ verdicts: [LimitVerdict], _ sides: [[ComparedCapture]]
  ) throws {
    guard let html else { return try Terminal.write { show(comparison, verdicts, to: &$0) } }
    let profiles = sides.map { $0.map(shownPart) }
    let page = ComparisonPage(
      comparison, options: options(comparison, verdicts), before: profiles[0], after: profiles[1])
    let file = OutputFile.page(html)
    try file.write { page.write(compress: { GzipMember.compressing($0) }, to: &$0) }
    file.tellPage()
  }

  /// The part of a capture that is compared.
  private func shownPart(_ capture: ComparedCapture) -> Profile {
    var filter = ProfileFilter()
    filter.thread = thread.map { ThreadFilter(glob: $0) }
    filter.from = capture.window?.lowerBound
    filter.to = capture.window?.upperBound
    return filter.apply(to: capture.profile)
  }

  private func options(
    _ comparison: Comparison, _ verdicts: [LimitVerdict]
  ) -> ComparisonOptions {
    ComparisonOptions(
      before: ComparisonOptions.Side(
        name: name(0, before), seconds: comparison.secondsBefore),
      after: ComparisonOptions.Side(name: name(1, after), seconds: comparison.secondsAfter),
      top: rows ?? 20, showsAll: all, color: Terminal.wantsColor,
      width: WidthArgument.columns(width), verdicts: verdicts)
  }

  private func show(
    _ comparison: Comparison, _ verdicts: [LimitVerdict], to output: inout some TextOutputStream
  ) {
    let options = options(comparison, verdicts)
    if json {
      ComparisonJSON(comparison, options: options).write(to: &output)
    } else if markdown {
      ComparisonMarkdown(comparison, options: options).write(to: &output)
    } else {
      ComparisonReport(comparison, options: options).write(to: &output)
    }
  }

  private func name(_ side: Int, _ list: String?) -> String {
    let paths = paths(side, list)
    let window = window.isEmpty ? "" : ", \(window[side].text)"
    return paths.count == 1 ? paths[0] + window : "\(paths.count) captures\(window)"
  }

  private func checkFilter(_ sides: [[ComparedCapture]]) throws {
    guard let thread else { return }
    let filter = ThreadFilter(glob: thread)
    let threads = sides.joined().flatMap(\.profile.threads)
    if !threads.contains(where: { filter.matches($0) }) {
      throw Diagnostic.noThread(thread, names: Set(threads.map(\.name)).sorted())
    }
  }
}
