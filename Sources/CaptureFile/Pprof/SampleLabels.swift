internal import ProfileModel

/// What the labels of a sample say, by sprof's names and by those that other tools use.
struct SampleLabels {
  private(set) var threadName: String?
  private(set) var tid: Int32?
  private(set) var tidUse: Int64 = 1
  private(set) var start: Int64 = 0
  private(set) var activity: Activity?
  private(set) var end: StackEnd?

  init(
    _ labels: [PprofSample.Label], _ keys: LabelKeys, _ tables: Perftools_Profiles_Profile
  ) throws(CaptureFileError) {
    var state: String?
    var wait: String?
    for label in labels {
      let text = try tables.known(label.text)
      switch try keys.key(label.key) {
      case .start: start = max(0, label.number)
      case .tidUse: tidUse = label.number
      case .state: state = text
      case .wait: wait = text
      case .end: end = text.flatMap { StackEnd(rawName: $0) }
      case .threadName: threadName = text ?? threadName
      case .tid: tid = text.flatMap { Int32($0) } ?? Int32(exactly: label.number) ?? tid
      case nil: break
      }
    }
    activity = state.flatMap { Activity(rawName: $0, wait: wait) }
  }
}

/// The keys of labels by the index of their text, so that no text is compared for a sample.
struct LabelKeys {
  enum Key {
    case start, tidUse, state, wait, end, threadName, tid
  }

  private static let words: [String: Key] = [
    CaptureWords.start: .start, CaptureWords.tidUse: .tidUse, CaptureWords.state: .state,
    CaptureWords.wait: .wait, CaptureWords.end: .end,
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

/// The threads of a file: those that its header names, and those that only labels tell of.
struct ThreadLookup {
  private struct Key: Hashable {
    let tid: Int32?
    let use: Int64
    /// Only where there is no number.
    let name: String?
  }

  private(set) var infos: [ThreadInfo] = []
  private var indexes: [Key: Int] = [:]
  /// The last answer: successive samples are often of one thread.
  private var last: (key: Key, index: Int)?
  private var sums: [Weight] = []
  private var spans: [(first: Int64, last: Int64)?] = []
  private let pid: Int32

  init(_ header: CaptureHeader) {
    pid = header.capture.pid
    var uses: [Int32: Int64] = [:]
    for (_, info) in header.threads.sorted(by: { $0.key < $1.key }) {
      uses[info.tid, default: 0] += 1
      add(info, Key(tid: info.tid, use: uses[info.tid] ?? 1, name: nil))
    }
  }

  private mutating func add(_ info: ThreadInfo, _ key: Key) {
    indexes[key] = infos.count
    infos.append(info)
    sums.append(Weight())
    spans.append(nil)
  }

  /// The thread that the labels name; a new one where none is known.
  mutating func index(of labels: SampleLabels, isOwn: Bool) -> Int {
    let key = Key(
      tid: labels.tid, use: labels.tidUse, name: labels.tid == nil ? labels.threadName : nil)
    if let last, last.key == key { return last.index }
    if let known = indexes[key] {
      last = (key, known)
      return known
    }
    let tid = labels.tid ?? Int32(truncatingIfNeeded: infos.count + 1)
    let name = labels.threadName ?? (labels.tid == nil ? "all threads" : "")
    let isMain = labels.tid == nil ? infos.isEmpty : labels.tid == pid
    add(ThreadInfo(tid: tid, name: name, isMain: isMain), key)
    return infos.count - 1
  }

  /// Counts a run of a thread.
  mutating func note(_ thread: Int, start: Int64, weight: Weight) {
    sums[thread] += weight
    let end = start &+ max(0, weight.wall)
    let span = spans[thread] ?? (start, end)
    spans[thread] = (min(span.first, start), max(span.last, end))
  }

  /// Fills in what the runs tell of threads of which the header tells less.
  func describe(_ infos: inout [ThreadInfo]) {
    for (index, span) in spans.enumerated() {
      guard let span else { continue }
      infos[index].cpu = max(infos[index].cpu, sums[index].cpu)
      infos[index].cpuSinceStart = max(infos[index].cpuSinceStart, infos[index].cpu)
      infos[index].delay = max(infos[index].delay, sums[index].delay)
      infos[index].lastSeen = max(infos[index].lastSeen, span.last)
    }
  }
}
