package import LinuxProcess
internal import ProfileModel

/// What to copy of a thread at its next sample: what its last samples needed.
///
/// A thread that does what it did a moment ago is copied whole by one read.
package struct PythonCopyPlan: Sendable {
  /// In ascending order, without overlap.
  package private(set) var ranges: [MemoryRange] = []
  /// What was added since they were put together.
  private var added: [MemoryRange] = []
  /// How many samples began with them since then.
  private var uses = 0

  /// After so many samples the ranges are put together anew, without what is not needed any more.
  private static let mostUses = 16
  /// The same after so many additions: to read much for nothing takes longer than to read twice.
  private static let mostAdded = 16
  /// A thread is not to be stopped for longer: half a millisecond.
  private static let byteLimit = 2 << 20
  /// Reading so much for nothing costs less than one more piece.
  static let gap = 512

  init(_ ranges: [MemoryRange]) { remember(ranges) }

  /// The number of bytes that the plan copies.
  package var byteCount: Int { ranges.reduce(0) { $0 + $1.count } }

  /// Notes a sample that needed `more` besides, if anything; false when it is time to say all that it
  /// needed.
  mutating func grow(by more: [MemoryRange]) -> Bool {
    uses += 1
    guard uses < Self.mostUses, added.count + more.count <= Self.mostAdded else { return false }
    guard !more.isEmpty else { return true }
    guard byteCount + more.reduce(0, { $0 + $1.count }) <= Self.byteLimit else { return false }
    added += more
    ranges = Self.merged((ranges + more).sorted { $0.start < $1.start })
    return true
  }

  /// Puts the ranges together anew, from all that a sample needed, the most important first: what is
  /// too much is left out.
  ///
  /// What samples since the last time needed besides is kept until the next time, unless it was much:
  /// threads often go back and forth between a few stacks.
  mutating func remember(_ needed: [MemoryRange]) {
    let kept = uses < Self.mostUses ? [] : added
    uses = 0
    added.removeAll(keepingCapacity: true)
    var size = 0
    let most = (needed + kept).filter { range in
      guard size + range.count <= Self.byteLimit else { return false }
      size += range.count
      return true
    }
    ranges = Self.merged(most.sorted { $0.start < $1.start })
  }

  private static func merged(_ sorted: [MemoryRange]) -> [MemoryRange] {
    var result: [MemoryRange] = []
    merge(sorted, into: &result)
    return result
  }

  /// Joins what overlaps or is close together, in place of what is in `result`; `sorted` ascends by
  /// start.
  static func merge(_ sorted: some Sequence<MemoryRange>, into result: inout [MemoryRange]) {
    result.removeAll(keepingCapacity: true)
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
  }
}
