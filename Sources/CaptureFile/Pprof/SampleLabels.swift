internal import ProfileModel

/// The labels of a sample, by sprof's keys and by those of other tools.
struct SampleLabels {
  private(set) var threadName: String?
  private(set) var tid: Int32?
  private(set) var tidUse: Int64 = 1
  private(set) var start: Int64 = 0
  private(set) var activity: Activity?
  private(set) var end: StackEnd?
  private(set) var unseenSleeps: UnseenSleeps = []

  init(
    _ labels: [PprofSample.Label], _ keys: LabelKeys, _ tables: Perftools_Profiles_Profile
  ) throws(CaptureFileError) {
    var state: String?
    var wait: String?
    var isInterpreterLock = false
    for label in labels {
      let text = try tables.known(label.text)
      switch try keys.key(label.key) {
      case .start: start = max(0, label.number)
      case .tidUse: tidUse = label.number
      case .state: state = text
      case .wait: wait = text
      case .lock: isInterpreterLock = text == CaptureWords.interpreterLock
      case .end: end = text.flatMap { StackEnd(rawName: $0) }
      case .slept: unseenSleeps = UnseenSleeps(rawValue: UInt8(truncatingIfNeeded: label.number))
      case .threadName: threadName = text ?? threadName
      case .tid: tid = text.flatMap { Int32($0) } ?? Int32(exactly: label.number) ?? tid
      case nil: break
      }
    }
    activity = state.flatMap {
      Activity(rawName: $0, wait: wait, isInterpreterLock: isInterpreterLock)
    }
  }
}

/// The keys of labels by the index of their text, so that no text is compared for a sample.
struct LabelKeys {
  enum Key {
    case start, tidUse, state, wait, lock, end, slept, threadName, tid
  }

  private static let words: [String: Key] = [
    CaptureWords.start: .start, CaptureWords.tidUse: .tidUse, CaptureWords.state: .state,
    CaptureWords.wait: .wait, CaptureWords.lock: .lock, CaptureWords.end: .end,
    CaptureWords.slept: .slept,
    CaptureWords.thread: .threadName, "thread.name": .threadName, "thread_name": .threadName,
    "thread_comm": .threadName, "comm": .threadName,
    CaptureWords.tid: .tid, "thread.id": .tid, "thread_id": .tid,
  ]

  /// By index of the text.
  private let keys: [Key?]

  init(_ tables: Perftools_Profiles_Profile) {
    keys = tables.stringTable.map { Self.words[$0] }
  }

  /// The key whose text has that index; nil for one that sprof does not know.
  func key(_ index: Int64) throws(CaptureFileError) -> Key? {
    guard index >= 0, index < keys.count else { throw .damaged(.reference) }
    return keys[Int(index)]
  }
}
