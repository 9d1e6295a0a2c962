/// A note that begins with a number, so that those of many processes become one.
struct CountedNote: Hashable {
  /// What follows 1, and what follows another number.
  let one: String
  let many: String

  static let restarted = CountedNote(
    one: " system call was interrupted by a stop and restarted transparently.",
    many: " system calls were interrupted by a stop and restarted transparently.")

  static let uncertain = CountedNote(
    one: " sample was taken while libraries" + cameAndWent,
    many: " samples were taken while libraries" + cameAndWent)

  static let unsampled = CountedNote(
    one: " thread never got a CPU on which it could be stopped, so it has no stack.",
    many: " threads never got a CPU on which they could be stopped, so they have no stack.")

  private static let cameAndWent =
    " came and went too fast to know which were loaded: functions in libraries are shown as addresses "
    + "there."

  /// What follows the number of ticks that were left out, before why.
  static let lateTicks = " of the late ticks were skipped"

  /// The note; none when there is nothing to count.
  func words(_ number: Int) -> [String] {
    number > 0 ? ["\(number)\(number == 1 ? one : many)"] : []
  }
}

/// The notes of the captures of many processes, each once.
struct FamilyNotes: Sendable {
  private var processes: [String: Int] = [:]
  private var sums: [CountedNote: Int] = [:]

  mutating func add(_ note: String) {
    let digits = note.prefix { $0.isASCII && $0.isNumber }
    let rest = note.dropFirst(digits.count)
    let known = [CountedNote.restarted, .uncertain, .unsampled].first {
      rest == $0.one || rest == $0.many
    }
    if let number = Int(digits), let known {
      sums[known] = sums[known, default: 0].addingReportingOverflow(number).partialValue
    } else if !digits.isEmpty, rest.hasPrefix(CountedNote.lateTicks) {
      processes["Ticks were skipped" + rest.dropFirst(CountedNote.lateTicks.count), default: 0] += 1
    } else {
      processes[note, default: 0] += 1
    }
  }

  /// Those of most processes first, with how many these are.
  var lines: [String] {
    let plain = processes.sorted { ($0.value, $1.key) > ($1.value, $0.key) }
      .map { $0.value > 1 ? "\($0.key) (\($0.value) processes)" : $0.key }
    return plain + sums.flatMap { $0.key.words($0.value) }.sorted()
  }
}
