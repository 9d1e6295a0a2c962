internal import ProfileAnalysis
internal import ProfileExport
internal import TestSupport
internal import Testing

@Suite struct `Changes that are not certain` {
  /// Short captures of a program, and of one in which a function takes `factor` times as long.
  private static func short(slowedBy factor: Double, seed: UInt64) -> Comparison {
    var slower = `Comparison of captures`.program
    slower.slow(slower.target, by: factor)
    return Comparison(
      before: [`Comparison of captures`.capture(seconds: 3, rate: 100, seed: seed)],
      after: [`Comparison of captures`.capture(slower, seconds: 3, rate: 100, seed: seed + 100)])
  }

  @Test func `are told wherever a figure leaves out zero`() {
    var (hints, falseHints) = (0, 0)
    for (factor, seed) in (1...8).flatMap({ [(1.0, UInt64($0)), (1.6, UInt64($0))] }) {
      let comparison = Self.short(slowedBy: factor, seed: seed)
      let changes =
        comparison.functions.flatMap { [$0.own.change, $0.inclusive.change] }
        + comparison.threads.flatMap { [$0.cpu, $0.blocked] } + [
          comparison.cpu, comparison.blocked,
        ]
      let leaveOutZero = changes.contains { change in
        change.interval.map { $0.lowerBound > 0 || $0.upperBound < 0 } ?? false
      }
      var (text, markdown) = ("", "")
      ComparisonReport(comparison, options: `Comparison report`.options()).write(to: &text)
      ComparisonMarkdown(comparison, options: `Comparison report`.options()).write(to: &markdown)
      let isSilent = !comparison.hasChanges && !leaveOutZero
      #expect(text.contains("No difference: nothing changed") == isSilent, "\(seed) \(text)")
      #expect(markdown.contains("No difference: nothing changed") == isSilent)
      let isHint = !comparison.hasChanges && leaveOutZero
      let mayBeChance = comparison.possibleChanges.first?.mayBeChance == true
      let start =
        mayBeChance ? "No difference beyond chance; at most, " : "No change is certain, but "
      #expect(text.contains(start) == isHint)
      #expect(markdown.contains(start) == isHint)
      #expect(comparison.possibleChanges.isEmpty != isHint)
      if isHint, factor == 1 { falseHints += mayBeChance ? 0 : 1 }
      if isHint, factor > 1 { hints += mayBeChance ? 0 : 1 }
    }
    #expect(hints > falseHints, "\(hints) and \(falseHints) of 8")
  }

  @Test func `are told with how long to sample to be sure`() throws {
    let comparison = try #require(
      (1...60).lazy.map { Self.short(slowedBy: 1.6, seed: $0) }.first { comparison in
        guard let first = comparison.possibleChanges.first,
          case .function(let index, _) = first.subject
        else { return false }
        return comparison.functions[index].name == "parse_row" && !first.mayBeLoad
          && !first.mayBeChance
      })
    let first = try #require(comparison.possibleChanges.first)
    let seconds = try #require(first.seconds)
    #expect(seconds > 3 && seconds < 60, "\(seconds)")
    var text = ""
    ComparisonReport(comparison, options: `Comparison report`.options()).write(to: &text)
    #expect(text.contains("No change is certain, but parse_row may take more time: "), "\(text)")
    let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(words.contains("To be sure, sample each side for about "), "\(words)")
    var json = ""
    ComparisonJSON(comparison, options: `Comparison report`.options()).write(to: &json)
    try JSONSchema(of: "compare").check(json)
    #expect(json.contains(#""changed":false"#) && json.contains(#""figure":"self""#))
  }

  @Test func `of threads without one of a function name what makes up most of it`() throws {
    let comparison = try #require(
      (1...300).lazy.map { Self.short(slowedBy: 1.3, seed: $0) }.first { $0.largestPart != nil })
    let part = try #require(comparison.largestPart)
    guard case .function(let index, isOwn: true) = part.subject else {
      Issue.record("\(part.subject)")
      return
    }
    let sign = part.change.change > 0 ? 1.0 : -1
    let own = comparison.functions.map { $0.own.change.change * sign }
    #expect(own.max() == own[index])
    for isMarkdown in [false, true] {
      var text = ""
      let options = `Comparison report`.options()
      if isMarkdown {
        ComparisonMarkdown(comparison, options: options).write(to: &text)
      } else {
        ComparisonReport(comparison, options: options).write(to: &text)
      }
      let words = text.replacing("\\", with: "").split(whereSeparator: \.isWhitespace)
        .joined(separator: " ")
      #expect(
        words.contains("The largest part of it is in \(comparison.functions[index].name)"),
        "\(words)")
      #expect(words.contains("That alone is within noise. "), "\(words)")
    }
  }
}
