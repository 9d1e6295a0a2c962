/// One thing that was looked at: how it is, and what helps where it could be better.
package struct Finding: Equatable, Sendable, Codable {
  package enum Grade: String, Sendable, Codable {
    case ok
    /// Works, but something would make reports better.
    case hint
    /// Keeps sprof from its work, or from a part of it.
    case problem
  }

  /// A word for what was looked at: `kernel`, `access`, `names`.
  package let topic: String
  package let grade: Grade
  /// A sentence without its full stop.
  package let text: String
  /// A command, or the beginning of one, that helps; nil where none does.
  package let fix: String?

  /// A finding that all is well with something.
  package init(_ topic: String, _ text: String) { self.init(topic, .ok, text) }

  package init(_ topic: String, _ grade: Grade, _ text: String, fix: String? = nil) {
    self.topic = topic
    self.grade = grade
    self.text = text
    self.fix = fix
  }
}

extension [Finding] {
  /// Whether nothing keeps sprof from its work.
  package var areAllWell: Bool { !contains { $0.grade == .problem } }

  /// The findings as lines of at most `width` columns, each command below its finding, and a line that
  /// sums up.
  package func lines(width: Int) -> [String] {
    let topicWidth = Swift.max(map(\.topic.count).max() ?? 0, 6)
    var lines: [String] = []
    for finding in self {
      let mark =
        switch finding.grade {
        case .ok: "ok     "
        case .hint: "hint   "
        case .problem: "PROBLEM"
        }
      let topic = finding.topic + String(repeating: " ", count: topicWidth - finding.topic.count)
      let indent = String(repeating: " ", count: mark.count + topicWidth + 4)
      lines += Self.wrapped("\(mark)  \(topic)  ", finding.text, indent: indent, width: width)
      if let fix = finding.fix { lines.append(indent + "→ " + fix) }
    }
    lines.append("")
    lines.append(summary)
    return lines
  }

  private var summary: String {
    let problems = count { $0.grade == .problem }
    let hints = count { $0.grade == .hint }
    let hintWords = hints == 1 ? "1 hint" : "\(hints) hints"
    switch (problems, hints) {
    case (0, 0): return "All is well."
    case (0, _): return "sprof works here. \(hintWords) for better reports."
    case (1, 0): return "1 problem."
    case (_, 0): return "\(problems) problems."
    default: return (problems == 1 ? "1 problem" : "\(problems) problems") + ", \(hintWords)."
    }
  }

  private static func wrapped(
    _ head: String, _ text: String, indent: String, width: Int
  ) -> [String] {
    var lines: [String] = []
    var line = head
    var isEmpty = true
    for word in text.split(separator: " ") {
      if !isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        line = indent
        isEmpty = true
      }
      line += (isEmpty ? "" : " ") + word
      isEmpty = false
    }
    return lines + [line]
  }
}
