internal import FoundationEssentials
package import ProfileAnalysis
internal import ProfileModel

/// Everything that a comparison found, as one JSON object; `docs/json.md` describes it.
package struct ComparisonJSON {
  private let comparison: Comparison
  private let options: ComparisonOptions

  /// A report on `comparison`; of the options, the names of the sides and the verdicts count.
  package init(_ comparison: Comparison, options: ComparisonOptions) {
    self.comparison = comparison
    self.options = options
  }

  /// Writes the object in one line, with a newline at its end.
  ///
  /// - Throws: `EncodingError`, which only a defect of sprof can cause.
  package func write(to output: inout some TextOutputStream) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    let data = try encoder.encode(Document(comparison, options))
    output.write(String(decoding: data, as: UTF8.self))
    output.write("\n")
  }

  private struct Document: Encodable {
    let sprof: JSONDocument.Sprof
    let before: Side
    let after: Side
    let changed: Bool
    let warnings: [String]
    let verdicts: [Verdict]
    let total: Split
    let findings: [Finding]
    let functions: [Function]
    let paths: [Path]
    let threads: [Threads]
    let need: OrNull<Need>

    init(_ comparison: Comparison, _ options: ComparisonOptions) {
      sprof = JSONDocument.Sprof(version: SprofVersion.current, schema: JSONReport.schema)
      before = Side(
        name: options.before.name, seconds: options.before.seconds,
        windows: comparison.windowsBefore)
      after = Side(
        name: options.after.name, seconds: options.after.seconds, windows: comparison.windowsAfter)
      changed = comparison.hasChanges
      warnings = comparison.warnings.map(\.words)
      verdicts = options.verdicts.map(Verdict.init)
      total = Split(
        cpu: Change(comparison.cpu), delay: Change(comparison.delay),
        blocked: Change(comparison.blocked))
      findings = comparison.findings.map(Finding.init)
      functions = comparison.functions.map(Function.init)
      paths = comparison.paths.map(Path.init)
      threads = comparison.threads.map(Threads.init)
      need = OrNull(comparison.need.map(Need.init))
    }
  }

  private struct Side: Encodable {
    let name: String
    let seconds: Double
    let windows: Int
  }

  private struct Verdict: Encodable {
    let bound: String
    let exceeded: Bool
    let words: String

    init(_ verdict: LimitVerdict) {
      bound = verdict.limit.text
      exceeded = verdict.isExceeded
      words = verdict.words
    }
  }

  private struct Change: Encodable {
    let before: Double
    let after: Double
    let change: Double
    let low: OrNull<Double>
    let high: OrNull<Double>
    let p: OrNull<Double>
    let q: OrNull<Double>
    let significant: Bool

    init(_ change: Comparison.Change) {
      before = change.before
      after = change.after
      self.change = change.change
      low = OrNull(change.interval?.lowerBound)
      high = OrNull(change.interval?.upperBound)
      p = OrNull(change.p)
      q = OrNull(change.q)
      significant = change.isSignificant
    }
  }

  private struct Split: Encodable {
    let cpu: Change
    let delay: Change
    let blocked: Change
  }

  private struct Times: Encodable {
    let cpu: Double
    let delay: Double
    let blocked: Double

    init(_ times: Comparison.Times) {
      cpu = times.cpu
      delay = times.delay
      blocked = times.blocked
    }
  }

  private struct Timing: Encodable {
    let time: Change
    let before: Times
    let after: Times
    let shareBefore: Double
    let shareAfter: Double

    enum CodingKeys: String, CodingKey {
      case time, before, after
      case shareBefore = "share_before"
      case shareAfter = "share_after"
    }

    init(_ timing: Comparison.Timing) {
      time = Change(timing.change)
      before = Times(timing.before)
      after = Times(timing.after)
      shareBefore = timing.shareBefore
      shareAfter = timing.shareAfter
    }
  }

  private struct Finding: Encodable {
    let function: Int
    let path: OrNull<Int>
    let own: Bool
    let timing: Timing

    enum CodingKeys: String, CodingKey {
      case function, path, timing
      case own = "self"
    }

    init(_ finding: Comparison.Finding) {
      function = finding.function
      path = OrNull(finding.path)
      own = finding.isOwn
      timing = Timing(finding.timing)
    }
  }

  private struct Function: Encodable {
    let name: String
    let oldName: OrNull<String>
    let file: OrNull<String>
    let oldFile: OrNull<String>
    let module: String
    let match: String
    let isBefore: Bool
    let isAfter: Bool
    let wasInlined: Bool
    let isInlined: Bool
    let wait: OrNull<String>
    let inclusive: Timing
    let own: Timing

    enum CodingKeys: String, CodingKey {
      case name, file, module, match, wait, inclusive
      case oldName = "old_name"
      case oldFile = "old_file"
      case isBefore = "in_before"
      case isAfter = "in_after"
      case wasInlined = "inlined_before"
      case isInlined = "inlined_after"
      case own = "self"
    }

    init(_ function: Comparison.Function) {
      name = function.name
      oldName = OrNull(function.oldName)
      file = OrNull(function.file)
      oldFile = OrNull(function.oldFile)
      module = function.module
      match = function.match.rawValue
      isBefore = function.isBefore
      isAfter = function.isAfter
      wasInlined = function.wasInlined
      isInlined = function.isInlined
      wait = OrNull(function.wait)
      inclusive = Timing(function.inclusive)
      own = Timing(function.own)
    }
  }

  private struct Path: Encodable {
    let threads: Int
    let functions: [Int]
    let inclusive: Timing
    let own: Timing

    enum CodingKeys: String, CodingKey {
      case threads, functions, inclusive
      case own = "self"
    }

    init(_ path: Comparison.Path) {
      threads = path.threads
      functions = path.functions
      inclusive = Timing(path.inclusive)
      own = Timing(path.own)
    }
  }

  private struct Threads: Encodable {
    let name: String
    let rootFunction: OrNull<String>
    let countBefore: Double
    let countAfter: Double
    let times: Split

    enum CodingKeys: String, CodingKey {
      case name, times
      case rootFunction = "root_function"
      case countBefore = "count_before"
      case countAfter = "count_after"
    }

    init(_ threads: Comparison.Threads) {
      name = threads.name
      rootFunction = OrNull(threads.rootFunction)
      countBefore = threads.countBefore
      countAfter = threads.countAfter
      times = Split(
        cpu: Change(threads.cpu), delay: Change(threads.delay), blocked: Change(threads.blocked))
    }
  }

  private struct Need: Encodable {
    let function: Int
    let visible: Double
    let moreSeconds: Double

    enum CodingKeys: String, CodingKey {
      case function, visible
      case moreSeconds = "more_seconds"
    }

    init(_ need: Comparison.Need) {
      function = need.function
      visible = need.visible
      moreSeconds = need.moreSeconds
    }
  }
}
