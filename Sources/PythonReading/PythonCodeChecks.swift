internal import LinuxProcess
internal import ProfileModel

/// Pieces of code objects that are read when a thread runs again, to see whether they are what they
/// were taken for while it was stopped.
struct PythonCodeChecks {
  enum Expected {
    case record(PythonCodeShape.Identity)
    case string(PythonStringMark)
  }

  /// What is not as it was.
  struct Changes {
    var codes: Set<UInt64> = []
    /// Addresses of strings.
    var strings: Set<UInt64> = []
    /// Whether all was looked at.
    var areAllRead = true
  }

  private struct Check {
    let range: MemoryRange
    let code: UInt64
    let expected: Expected
  }

  private var checks: [Check] = []
  /// Where each lies in the target and among `checks`; in ascending order when they are read.
  private var order: [(start: UInt64, check: Int)] = []
  /// What is read: pieces that lie close together are read as one.
  private var ranges: [MemoryRange] = []
  /// Only grows.
  private var storage: [UInt8] = []
  /// How many that are not there make an end: each costs a system call.
  private static let failureLimit = 64

  mutating func removeAll() {
    checks.removeAll(keepingCapacity: true)
    order.removeAll(keepingCapacity: true)
  }

  /// `range` must have been there once; an empty one is nothing to be looked at.
  mutating func add(_ range: MemoryRange, of code: UInt64, _ expected: Expected) {
    guard range.count > 0 else { return }
    order.append((range.start.rawValue, checks.count))
    checks.append(Check(range: range, code: code, expected: expected))
  }

  /// Nil when nothing has changed, and when nothing at all is there any more: the program has ended.
  ///
  /// One read, and one more for each range that is not there.
  mutating func changed(_ shape: PythonCodeShape, in memory: some TargetMemory) -> Changes? {
    guard !checks.isEmpty else { return nil }
    order.sort { $0.start < $1.start }
    PythonCopyPlan.merge(order.lazy.map { [checks] in checks[$0.check].range }, into: &ranges)
    let size = ranges.reduce(0) { $0 + $1.count }
    if storage.count < size { storage = [UInt8](repeating: 0, count: 2 * size) }
    var changes = Changes()
    var next = 0
    var failures = 0
    var check = 0
    while next < ranges.count, failures < Self.failureLimit {
      let first = next
      let filled = storage.withUnsafeMutableBytes { memory.read(ranges[first...], into: $0) }
      var offset = 0
      while next < ranges.count, offset + ranges[next].count <= filled {
        compare(upTo: ranges[next], at: offset, from: &check, shape, &changes)
        offset += ranges[next].count
        next += 1
      }
      guard next < ranges.count else { break }
      compare(upTo: ranges[next], at: nil, from: &check, shape, &changes)
      failures += 1
      next += 1
    }
    changes.areAllRead = next == ranges.count
    return changes.codes.isEmpty || failures == next ? nil : changes
  }

  /// Compares the pieces of a range, which begins at `offset` of what was read; nil when it is not
  /// there.
  private func compare(
    upTo range: MemoryRange, at offset: Int?, from check: inout Int, _ shape: PythonCodeShape,
    _ changes: inout Changes
  ) {
    let end = range.start.rawValue + UInt64(range.count)
    while check < order.count, order[check].start < end {
      let (start, number) = order[check]
      check += 1
      let count = checks[number].range.count
      let isSame =
        offset.map { offset in
          let place = offset + Int(start - range.start.rawValue)
          return storage.withUnsafeBytes {
            Self.isSame(
              UnsafeRawBufferPointer(rebasing: $0[place..<(place + count)]),
              as: checks[number].expected, shape)
          }
        } ?? false
      guard !isSame else { continue }
      changes.codes.insert(checks[number].code)
      if case .string(let mark) = checks[number].expected { changes.strings.insert(mark.address) }
    }
  }

  private static func isSame(
    _ bytes: UnsafeRawBufferPointer, as expected: Expected, _ shape: PythonCodeShape
  ) -> Bool {
    switch expected {
    case .record(let identity): shape.identity(record: bytes) == identity
    case .string(let mark): mark.isSame(bytes)
    }
  }
}
