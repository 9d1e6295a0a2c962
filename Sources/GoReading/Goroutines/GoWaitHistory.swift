internal import ProfileModel

/// Since when goroutines have not run, as far as several readings show.
///
/// Each goroutine counts in a byte how often it stopped running (`trackingSeq`): one with the same count and
/// the same stack pointer has not run in between, or 256 times. That is told apart by more than two readings:
/// one that runs has another count in all but one of 256. Only readings count that are some time apart: in
/// between it had time to run.
struct GoWaitHistory {
  /// How long a goroutine has been the same, and in how many readings after the first that count.
  struct Rest {
    let time: Int64
    let readings: Int

    /// So many readings leave no doubt, also for one of many goroutines.
    var isCertain: Bool { readings >= 3 }
    /// Also where all readings were within a moment.
    let isLikely: Bool
  }

  private struct Entry {
    let runs: UInt8
    let status: UInt8
    let stackPointer: UInt64
    let since: Int64
    /// The time of the last reading that counts.
    var counted: Int64
    var readings: UInt8 = 0
    /// How many readings followed the first, whether they count or not.
    var looks: UInt8 = 0
    /// When it was last there.
    var pass: UInt32
  }

  private var entries: [UInt64: Entry] = [:]
  /// Of more goroutines none is followed that is not yet.
  private static let limit = 1 << 20
  /// A reading counts so long after the last one that does.
  private static let spacing: Int64 = 100_000_000
  private var pass: UInt32 = 0
  /// How many were noted since the pass began.
  private var seen = 0

  /// How many goroutines are followed.
  var count: Int { entries.count }

  /// Begins to note all goroutines.
  mutating func beginPass() {
    pass &+= 1
    seen = 0
  }

  /// Forgets those that were not noted since the pass began: they have ended.
  mutating func endPass() {
    guard seen != entries.count else { return }
    let pass = pass
    entries = entries.filter { $0.value.pass == pass }
    seen = entries.count
  }

  /// Notes a goroutine as it is at `time`; nil for one that has run since the last reading, or is new.
  mutating func note(_ record: GoRecord, at time: Int64) -> Rest? {
    let known = entries[record.number]
    let status = UInt8(truncatingIfNeeded: record.status)
    if let known, known.pass != pass { seen += 1 }
    if var known, known.runs == record.runs, known.status == status,
      known.stackPointer == record.stackPointer
    {
      if time &- known.counted >= Self.spacing {
        known.readings = min(known.readings, 100) + 1
        known.counted = time
      }
      known.looks = min(known.looks, 100) + 1
      known.pass = pass
      entries[record.number] = known
      return Rest(
        time: time &- known.since, readings: Int(known.readings), isLikely: known.looks >= 2)
    }
    if known == nil {
      guard entries.count < Self.limit else { return nil }
      seen += 1
    }
    entries[record.number] = Entry(
      runs: record.runs, status: status, stackPointer: record.stackPointer, since: time,
      counted: time, pass: pass)
    return nil
  }
}
