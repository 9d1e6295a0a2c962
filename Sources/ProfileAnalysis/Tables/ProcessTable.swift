package import ProfileModel

/// What each of several processes used.
package struct ProcessTable: Sendable {
  package struct Row: Sendable {
    package let process: OwningProcess
    package fileprivate(set) var threads = 0
    /// CPU time and time without a CPU during the capture, in nanoseconds, all threads together.
    package fileprivate(set) var cpu: Int64 = 0
    package fileprivate(set) var delay: Int64 = 0
    /// Nanoseconds from the start of the capture to the first and to the last sample.
    package fileprivate(set) var firstSeen: Int64 = .max
    package fileprivate(set) var lastSeen: Int64 = 0
    /// Whether all its threads ended during the capture.
    package fileprivate(set) var hasEnded = true
  }

  /// The process of the capture first, then by CPU time, then by number; empty where all threads
  /// belong to one process.
  package let rows: [Row]

  /// The table of some threads, given by indexes into `profile.threads`; of all for nil.
  package init(_ profile: Profile, threads: [Int]? = nil) {
    var rows: [OwningProcess: Row] = [:]
    for index in threads ?? Array(profile.threads.indices) {
      let thread = profile.threads[index]
      guard let process = thread.process else { continue }
      var row = rows[process] ?? Row(process: process)
      row.threads += 1
      row.cpu = row.cpu &+ thread.cpu
      row.delay = row.delay &+ thread.delay
      row.firstSeen = min(row.firstSeen, thread.firstSeen)
      row.lastSeen = max(row.lastSeen, thread.lastSeen)
      row.hasEnded = row.hasEnded && thread.hasEnded
      rows[process] = row
    }
    func key(_ row: Row) -> (Int, Int64, Int32, String) {
      let isFirst = row.process.pid == profile.capture.pid
      return (isFirst ? 0 : 1, 0 &- row.cpu, row.process.pid, row.process.name)
    }
    self.rows = rows.values.sorted { key($0) < key($1) }
  }

  /// The places of the processes in `rows`.
  package var ranks: [OwningProcess: Int] {
    Dictionary(uniqueKeysWithValues: rows.enumerated().map { ($0.element.process, $0.offset) })
  }
}
