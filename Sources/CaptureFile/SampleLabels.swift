internal import ProfileModel

/// What the labels of a sample say, by sprof's names and by those that other tools use.
struct SampleLabels {
  private(set) var threadName: String?
  private(set) var tid: Int32?
  private(set) var tidUse: Int64 = 1
  private(set) var start: Int64 = 0
  private(set) var activity: Activity?
  private(set) var end: StackEnd?

  private static let nameKeys: Set = [
    "thread", "thread.name", "thread_name", "thread_comm", "comm",
  ]
  private static let tidKeys: Set = ["tid", "thread.id", "thread_id"]

  init(
    _ sample: Perftools_Profiles_Sample, _ tables: Perftools_Profiles_Profile
  ) throws(CaptureFileError) {
    var state: String?
    var wait: String?
    for label in sample.label {
      let key = try tables.text(label.key)
      let text = try tables.known(label.str)
      switch key {
      case CaptureWords.start: start = max(0, label.num)
      case CaptureWords.tidUse: tidUse = label.num
      case CaptureWords.state: state = text
      case CaptureWords.wait: wait = text
      case CaptureWords.end: end = text.flatMap { StackEnd(rawName: $0) }
      case _ where Self.nameKeys.contains(key): threadName = text ?? threadName
      case _ where Self.tidKeys.contains(key):
        tid = text.flatMap { Int32($0) } ?? Int32(exactly: label.num) ?? tid
      default: break
      }
    }
    activity = state.flatMap { Activity(rawName: $0, wait: wait) }
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
    if let known = indexes[key] { return known }
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
