import ArgumentParser
import ProfileAnalysis
import ProfileExport
import ProfileModel

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Says what changed between two captures, and how sure that is.",
    discussion: """
      Lists only what more than chance explains. Captures may differ in length and rate; several \
      of a side count together.

        sprof compare before.pb.gz after.pb.gz
        sprof compare --before a1.pb.gz,a2.pb.gz --after b1.pb.gz,b2.pb.gz --markdown
        sprof compare one.pb.gz --window 0s-10s --window 20s-30s
        sprof compare before.pb.gz after.pb.gz --fail-if '+5%' --fail-if 'parse_row +0.1s/s'
      """)

  @Argument(help: "The capture before and the one after; one capture with two --window.")
  var captures: [String] = []

  @Option(help: ArgumentHelp("Captures before, with commas between them.", valueName: "files"))
  var before: String?

  @Option(help: ArgumentHelp("Captures after, with commas between them.", valueName: "files"))
  var after: String?

  @Option(
    help: ArgumentHelp(
      "A part of the captures, such as 0s-10s; given twice: of the side before, and of that after.",
      valueName: "from-to"),
    transform: WindowArgument.init)
  var window: [WindowArgument] = []

  @Option(help: "Compare only the threads whose name matches, or the one with this tid.")
  var thread: String?

  @Option(
    help: ArgumentHelp(
      "Exit code 3 when this much is exceeded, and not by chance; may be repeated.",
      discussion: """
        '+5%': the CPU time of all threads compared; 'NAME +10%', 'NAME +0.1s/s': the time of a \
        function with what it calls.
        """, valueName: "bound"),
    transform: LimitArgument.parse)
  var failIf: [ComparisonLimit] = []

  @Option(help: "Rows of a table.")
  var top = 20

  @Flag(help: "Show what may be chance, too.")
  var all = false

  @Flag(help: "Write everything as JSON (see docs/json.md).")
  var json = false

  @Flag(help: "Write Markdown, for a pull request.")
  var markdown = false

  func validate() throws {
    guard top > 0 else { throw ValidationError("--top wants at least 1 row.") }
    guard !(json && markdown) else {
      throw ValidationError("--json and --markdown exclude each other.")
    }
    guard window.isEmpty || window.count == 2 else {
      throw ValidationError("Give --window twice: for the side before, and for that after.")
    }
    if before != nil || after != nil {
      guard before != nil, after != nil, captures.isEmpty else {
        throw ValidationError("Give --before and --after, or two captures without them.")
      }
    } else {
      guard captures.count == 2 || (captures.count == 1 && window.count == 2) else {
        throw ValidationError(
          "Give two captures, one with two --window, or --before and --after.")
      }
    }
  }

  func run() throws {
    try Diagnostic.guarding(command: "compare") {
      let sides = try [before, after].enumerated().map { number, list in
        try side(paths(number, list), window.isEmpty ? nil : window[number].nanoseconds)
      }
      try checkFilter(sides)
      let comparison = Comparison(
        before: sides[0], after: sides[1], threadFilter: thread.map { ThreadFilter(glob: $0) })
      let verdicts = failIf.map {
        LimitVerdict($0, $0.verdict(on: comparison, rules: failIf.count))
      }
      try Terminal.write { show(comparison, verdicts, to: &$0) }
      for verdict in verdicts where verdict.isExceeded || json {
        Terminal.writeError("sprof: \(verdict.words)\n")
      }
      // ArgumentParser ends with the code of an `ExitCode`, without words.
      if verdicts.contains(where: \.isExceeded) { throw ExitCode(3) }
    }
  }

  private func paths(_ side: Int, _ list: String?) -> [String] {
    list.map { $0.split(separator: ",").map(String.init) } ?? [
      captures[min(side, captures.count - 1)]
    ]
  }

  private func side(_ paths: [String], _ window: Range<Int64>?) throws -> [ComparedCapture] {
    try paths.map { ComparedCapture(try loadProfile($0), window: window) }
  }

  private func show(
    _ comparison: Comparison, _ verdicts: [LimitVerdict], to output: inout some TextOutputStream
  ) {
    let options = ComparisonOptions(
      before: ComparisonOptions.Side(
        name: name(0, before), seconds: comparison.secondsBefore),
      after: ComparisonOptions.Side(name: name(1, after), seconds: comparison.secondsAfter),
      top: top, showsAll: all, color: Terminal.wantsColor, verdicts: verdicts)
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

/// A part of a capture as the user writes it: `10s-20s`.
struct WindowArgument {
  let nanoseconds: Range<Int64>
  let text: String

  init(_ text: String) throws {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else {
      throw ValidationError("'\(text)' is no part of a capture. Write it like 0s-10s.")
    }
    let isZero = parts[0] == "0" || Double(parts[0].dropLast()) == 0
    let start = isZero ? 0 : try TimeArgument(parts[0]).nanoseconds
    let end = try TimeArgument(parts[1]).nanoseconds
    guard start < end else {
      throw ValidationError("'\(text)' ends before it begins.")
    }
    nanoseconds = start..<end
    self.text = text
  }
}

/// A bound of `--fail-if` as the user writes it.
enum LimitArgument {
  static func parse(_ text: String) throws -> ComparisonLimit {
    do {
      return try ComparisonLimit(text)
    } catch {
      let form = "Write it like '+5%', 'parse_row +10%' or 'parse_row +0.1s/s'."
      switch error {
      case .empty: throw ValidationError("An empty bound says nothing. \(form)")
      case .noNumber(let word): throw ValidationError("'\(word)' is not a number. \(form)")
      case .noUnit(let word):
        throw ValidationError("'\(word)' lacks its unit, %, s/s or ms/s. \(form)")
      case .notPositive(let word):
        throw ValidationError("'\(word)' is below zero; a bound is on what grows. \(form)")
      }
    }
  }
}
