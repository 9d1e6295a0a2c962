internal import ProfileModel

/// Since when goroutines have not run, as far as several readings show.
///
/// Each goroutine counts in a byte how often it stopped running (`trackingSeq`): one with the same count and
/// the same stack pointer has not run in between, or 256 times. That is told apart by more than two readings:
/// one that runs has another count in all but one of 256.
struct GoWaitHistory {
  /// How long a goroutine has been the same, and in how many readings after the first.
  struct Rest {
    let time: Int64
    let readings: Int

    /// So many readings leave no doubt, also for one of many goroutines.
    var isCertain: Bool { readings >= 3 }
    var isLikely: Bool { readings >= 2 }
  }

  private struct Entry {
    let runs: UInt8
    let status: UInt8
    let stackPointer: UInt64
    let since: Int64
    var readings: UInt8 = 0
  }

  private var entries: [UInt64: Entry] = [:]
  /// Of more goroutines none is followed that is not yet.
  private static let limit = 1 << 20

  /// Notes a goroutine as it is at `time`; nil for one that has run since the last reading, or is new.
  mutating func note(_ record: GoRecord, at time: Int64) -> Rest? {
    let known = entries[record.number]
    let status = UInt8(truncatingIfNeeded: record.status)
    if let known, known.runs == record.runs, known.status == status,
      known.stackPointer == record.stackPointer
    {
      let readings = min(known.readings, 100) + 1
      entries[record.number]?.readings = readings
      return Rest(time: time &- known.since, readings: Int(readings))
    }
    guard known != nil || entries.count < Self.limit else { return nil }
    entries[record.number] = Entry(
      runs: record.runs, status: status, stackPointer: record.stackPointer, since: time)
    return nil
  }
}
