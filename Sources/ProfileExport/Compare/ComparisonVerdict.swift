internal import ProfileAnalysis

extension Comparison {
  /// A paragraph of what a comparison found.
  struct VerdictLine {
    let words: String
    /// Of the lines that follow when it is too long for one.
    let indent: Int
    var isFirst = false
  }

  /// What changed, in one or a few sentences, the most important one first.
  var verdictLines: [VerdictLine] {
    guard hasChanges else {
      return possibleLines ?? [first("No difference: nothing changed beyond noise.")]
    }
    guard let finding = findings.first else {
      return [first("No single function changed beyond noise, but threads as a whole did.")]
        + partLines
    }
    let function = functions[finding.function]
    var lines = [first(sentence(finding))]
    if let path = finding.path {
      let names = paths[path].functions.map { functions[$0].name }
      lines.append(VerdictLine(words: "via \(names.shortChain)", indent: 4))
    }
    if let note = function.note {
      lines.append(VerdictLine(words: "\(function.name) \(note)", indent: 4))
    }
    for finding in findings.dropFirst().prefix(4) {
      lines.append(VerdictLine(words: "also: \(sentence(finding))", indent: 6))
    }
    let others = findings.count - 5
    if others > 0 {
      let count = Figures.count(Int64(others), "more change")
      lines.append(VerdictLine(words: "and \(count) below", indent: 2))
    }
    return lines
  }

  /// Where nothing is certain: what may have changed, and what would tell; nil where nothing may have.
  private var possibleLines: [VerdictLine]? {
    let possible = possibleChanges
    guard let likeliest = possible.first else { return nil }
    let start =
      likeliest.mayBeChance
      ? "No difference beyond chance; at most, " : "No change is certain, but "
    var lines = [first(start + sentence(likeliest))]
    for other in possible.dropFirst().prefix(2) where !other.mayBeChance {
      lines.append(VerdictLine(words: "also: \(sentence(other))", indent: 6))
    }
    lines += partLines
    lines.append(
      VerdictLine(
        words: "One interval in 20 leaves out zero by chance, and "
          + "\(Figures.count(Int64(testedCount), "figure")) were tested. \(likeliest.wayToBeSure)",
        indent: 2))
    return lines
  }

  /// The function that makes up most of a change of threads, which alone is within noise.
  private var partLines: [VerdictLine] {
    guard let part = largestPart, case .function(let index, _) = part.subject else { return [] }
    let function = functions[index]
    let name = PlainText.shortenedInMiddle(PlainText.printable(function.name), to: 60)
    return [
      VerdictLine(
        words: "The largest part of it is in \(name): \(part.change.words), "
          + "\(function.own.parts(wait: function.wait)). That alone is within noise. "
          + part.wayToBeSure, indent: 2)
    ]
  }

  private func first(_ words: String) -> VerdictLine {
    VerdictLine(words: words, indent: 2, isFirst: true)
  }
}
