internal import ProfileModel

/// The threads of a file: those of its header, and those that only labels name.
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
  private let budget: ReadingBudget

  init(_ header: CaptureHeader, _ budget: ReadingBudget) {
    self.budget = budget
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
  mutating func index(
    of labels: SampleLabels, isOwn: Bool
  ) throws(CaptureFileError) -> Int {
    let key = Key(
      tid: labels.tid, use: labels.tidUse, name: labels.tid == nil ? labels.threadName : nil)
    if let last, last.key == key { return last.index }
    if let known = indexes[key] {
      last = (key, known)
      return known
    }
    try budget.take(MemoryCost.thread)
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

  /// Fills in from the runs what the header does not say of threads.
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
