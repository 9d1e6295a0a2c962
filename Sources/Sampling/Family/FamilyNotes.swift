internal import ProfileModel

/// The notes of the captures of many processes, each once, with the sum of what they count.
struct FamilyNotes: Sendable {
  private var processes: [CaptureNote: Int] = [:]
  private var restartedCalls = 0
  private var uncertainSamples = 0
  private var unsampledThreads = 0

  mutating func add(_ note: CaptureNote) {
    switch note {
    case .restartedCalls(let count): restartedCalls &+= count
    case .uncertainSamples(let count): uncertainSamples &+= count
    case .unsampledThreads(let count): unsampledThreads &+= count
    case .skippedTicks(_, let budget):
      processes[.skippedTicks(nil, by: budget), default: 0] += 1
    case .noNames, .noLines, .noDebugData, .traced, .repeated, .plain:
      processes[note, default: 0] += 1
    }
  }

  /// Those of most processes first, with how many these are.
  var notes: [CaptureNote] {
    let common = processes.sorted { ($0.value, $1.key.words) > ($1.value, $0.key.words) }
      .map { note, count in
        count > 1 ? .repeated(note, count: count, in: .processes) : note
      }
    var sums: [CaptureNote] = []
    if restartedCalls > 0 { sums.append(.restartedCalls(restartedCalls)) }
    if uncertainSamples > 0 { sums.append(.uncertainSamples(uncertainSamples)) }
    if unsampledThreads > 0 { sums.append(.unsampledThreads(unsampledThreads)) }
    return common + sums.sorted { $0.words < $1.words }
  }
}
