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

  private var checks: [(code: UInt64, expected: Expected)] = []
  private var ranges: [MemoryRange] = []
  /// Only grows.
  private var storage: [UInt8] = []
  /// How many that are not there make an end: each costs a system call.
  private static let failureLimit = 64

  mutating func removeAll() {
    checks.removeAll(keepingCapacity: true)
    ranges.removeAll(keepingCapacity: true)
  }

  mutating func add(_ range: MemoryRange, of code: UInt64, _ expected: Expected) {
    checks.append((code, expected))
    ranges.append(range)
  }

  /// Nil when nothing has changed, and when nothing at all is there any more: the program has ended.
  ///
  /// One read, and one more for each piece that is not there.
  mutating func changed(_ shape: PythonCodeShape, in memory: some TargetMemory) -> Changes? {
    guard !checks.isEmpty else { return nil }
    let size = ranges.reduce(0) { $0 + $1.count }
    if storage.count < size { storage = [UInt8](repeating: 0, count: 2 * size) }
    let (checks, ranges) = (checks, ranges)
    var changes = Changes()
    func note(_ index: Int) {
      changes.codes.insert(checks[index].code)
      if case .string(let mark) = checks[index].expected { changes.strings.insert(mark.address) }
    }
    var next = 0
    var failures = 0
    storage.withUnsafeMutableBytes { bytes in
      while next < checks.count, failures < Self.failureLimit {
        let filled = memory.read(ranges[next...], into: bytes)
        var offset = 0
        while next < checks.count, offset + ranges[next].count <= filled {
          let end = offset + ranges[next].count
          let piece = UnsafeRawBufferPointer(rebasing: bytes[offset..<end])
          if !Self.isSame(piece, as: checks[next].expected, shape) { note(next) }
          offset = end
          next += 1
        }
        guard next < checks.count else { return }
        note(next)
        failures += 1
        next += 1
      }
    }
    changes.areAllRead = next == checks.count
    return changes.codes.isEmpty || failures == next ? nil : changes
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
