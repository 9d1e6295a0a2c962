package import LinuxProcess
internal import ProfileModel

/// What to copy of a thread at its next sample: what its last samples needed.
///
/// A thread that does what it did a moment ago is copied whole by one read.
package struct PythonCopyPlan: Sendable {
  /// In ascending order, without overlap.
  package private(set) var ranges: [MemoryRange] = []
  /// Ranges of the last samples that differed, the newest first.
  private var history: [[MemoryRange]] = []
  /// How many samples have needed nothing else since the ranges were put together.
  private var uses = 0

  /// Threads often go back and forth between a few stacks.
  private static let historyLimit = 4
  /// A deep stack is remembered once: putting many together takes longer than reading it.
  private static let rangeLimit = 2048
  /// After so many samples the ranges are put together anew, without what is not needed any more.
  private static let mostUses = 16
  /// Reading so much for nothing costs less than one more piece.
  static let gap = 512

  init(_ ranges: [MemoryRange]) { remember(ranges) }

  /// The number of bytes that the plan copies.
  package var byteCount: Int { ranges.reduce(0) { $0 + $1.count } }

  /// Notes a sample that needed nothing else; false when it is time to tell what it needed all the same.
  mutating func mayStay() -> Bool {
    guard uses + 1 < Self.mostUses else { return false }
    uses += 1
    return true
  }

  /// Notes what a sample needed.
  mutating func remember(_ needed: [MemoryRange]) {
    uses += 1
    guard needed != history.first, uses >= Self.mostUses || !needed.allSatisfy(holds) else {
      return
    }
    uses = 0
    if let index = history.firstIndex(of: needed) {
      // The ranges are those of all, in whatever order.
      history.insert(history.remove(at: index), at: 0)
      return
    }
    let isDeep = needed.count > Self.rangeLimit
    history = [needed] + (isDeep ? [] : history.prefix(Self.historyLimit - 1))
    ranges = Self.merged(history.joined().sorted { $0.start < $1.start })
  }

  private func holds(_ range: MemoryRange) -> Bool {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].start <= range.start { low = middle + 1 } else { high = middle }
    }
    return low > 0 && range.end <= ranges[low - 1].end
  }

  /// Joins what overlaps or lies close together; `sorted` ascends by start.
  private static func merged(_ sorted: [MemoryRange]) -> [MemoryRange] {
    var result: [MemoryRange] = []
    var start: UInt64 = 0
    var end: UInt64 = 0
    for range in sorted {
      let next = range.start.rawValue
      let (nextEnd, overflow) = next.addingReportingOverflow(UInt64(range.count))
      guard !overflow, range.count > 0 else { continue }
      // Within one page, or what touches: a gap may hide a page that is not there.
      let isNear =
        end > 0
        && (next <= end || (next - end <= UInt64(gap) && next >> 12 == (end - 1) >> 12))
      if isNear {
        end = max(end, nextEnd)
      } else {
        if end > start {
          result.append(MemoryRange(start: RemoteAddress(start), count: Int(end - start)))
        }
        start = next
        end = nextEnd
      }
    }
    if end > start {
      result.append(MemoryRange(start: RemoteAddress(start), count: Int(end - start)))
    }
    return result
  }
}
