internal import ProfileAnalysis

extension Comparison {
  /// A paragraph of what a comparison found.
  struct VerdictLine {
    let words: String
    /// Of the lines that follow when it is too long for one.
    let indent: Int
    var isFirst = false
  }

  /// What changed, in a sentence or a few; the first one says the most.
  var verdictLines: [VerdictLine] {
    guard hasChanges else {
      return [first("No difference: nothing changed by more than chance explains.")]
    }
    guard let finding = findings.first else {
      return [
        first("No function changed by more than chance explains, but threads as a whole did.")
      ]
    }
    let function = functions[finding.function]
    var lines = [first(sentence(finding))]
    if let path = finding.path {
      let names = paths[path].functions.map { functions[$0].name }
      lines.append(VerdictLine(words: "by way of \(names.shortChain)", indent: 4))
    }
    if let note = function.note {
      lines.append(VerdictLine(words: "\(function.name) \(note)", indent: 4))
    }
    for finding in findings.dropFirst().prefix(4) {
      lines.append(VerdictLine(words: "then: \(sentence(finding))", indent: 6))
    }
    let others = findings.count - 5
    if others > 0 {
      let count = Figures.count(Int64(others), "further change")
      lines.append(VerdictLine(words: "and \(count), see below", indent: 2))
    }
    return lines
  }

  private func first(_ words: String) -> VerdictLine {
    VerdictLine(words: words, indent: 2, isFirst: true)
  }
}
