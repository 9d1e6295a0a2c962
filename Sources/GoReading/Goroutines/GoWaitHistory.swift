internal import ProfileModel

/// Since when goroutines have not run, as far as several readings show.
///
/// Each goroutine counts in a byte how often it stopped running (`trackingSeq`): one with the same count and
/// the same stack pointer has not run in between. (That one ran 256 times, and came back to the same place
/// each time, is not told apart.)
struct GoWaitHistory {
  private struct Entry {
    let runs: UInt8
    let status: UInt8
    let stackPointer: UInt64
    let since: Int64
  }

  private var entries: [UInt64: Entry] = [:]
  /// Of more goroutines none is followed that is not yet.
  private static let limit = 1 << 20

  /// Notes a goroutine as it is at `time`; gives for how long it has been known not to run.
  mutating func note(_ record: GoRecord, at time: Int64) -> Int64? {
    let known = entries[record.number]
    let isSame =
      known.map {
        $0.runs == record.runs && $0.status == UInt8(truncatingIfNeeded: record.status)
          && $0.stackPointer == record.stackPointer
      } ?? false
    if let known, isSame { return time &- known.since }
    guard known != nil || entries.count < Self.limit else { return nil }
    entries[record.number] = Entry(
      runs: record.runs, status: UInt8(truncatingIfNeeded: record.status),
      stackPointer: record.stackPointer, since: time)
    return nil
  }

  /// Forgets goroutines that are not among those noted last, if there are many.
  mutating func forgetOthers(than numbers: Set<UInt64>) {
    entries = entries.filter { numbers.contains($0.key) }
  }

  var count: Int { entries.count }
}
