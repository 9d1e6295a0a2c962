internal import LinuxProcess
internal import ProfileModel

/// Pieces of code objects that are read while threads run, to see whether they are what they were taken
/// for when these were stopped.
struct PythonCodeChecks {
  enum Expected {
    case record(PythonCodeShape.Identity)
    case content(PythonObjectMark)
  }

  /// What is not as it was.
  struct Changes {
    var codes: Set<RemoteAddress> = []
    /// Addresses of the objects that they refer to.
    var contents: Set<RemoteAddress> = []
    /// Whether all was read.
    var areAllRead = true
  }

  private struct Check {
    let code: RemoteAddress
    let expected: Expected
  }

  private struct Piece {
    let range: MemoryRange
    /// What it is to be, by its place in `checks`.
    let check: Int
  }

  private var checks: [Check] = []
  /// In ascending order when they are read.
  private var pieces: [Piece] = []
  /// What is read: pieces that are close together are read as one.
  private var ranges: [MemoryRange] = []
  /// Only grows.
  private var storage: [UInt8] = []
  /// How many that are not there make an end: each costs a system call.
  private static let failureLimit = 64

  mutating func removeAll() {
    checks.removeAll(keepingCapacity: true)
    pieces.removeAll(keepingCapacity: true)
  }

  /// `range` must have been there once; an empty one needs no check.
  mutating func add(_ range: MemoryRange, of code: RemoteAddress, _ expected: Expected) {
    guard range.count > 0 else { return }
    pieces.append(Piece(range: range, check: checks.count))
    checks.append(Check(code: code, expected: expected))
  }

  /// Nil when nothing has changed, and when nothing at all is there any more: the program has ended.
  ///
  /// One read, and one more for each range that is not there.
  mutating func changed(_ shape: PythonCodeShape, in memory: some TargetMemory) -> Changes? {
    guard !checks.isEmpty else { return nil }
    pieces.sort { $0.range.start < $1.range.start }
    PythonCopyPlan.merge(pieces.lazy.map(\.range), into: &ranges)
    let size = ranges.reduce(0) { $0 + $1.count }
    if storage.count < size { storage = [UInt8](repeating: 0, count: 2 * size) }
    var changes = Changes()
    var next = 0
    var isAnythingThere = false
    // The closure must not see them in `self`, whose storage is being written.
    let (ranges, pieces, checks) = (ranges, pieces, checks)
    let failures = unsafe storage.withUnsafeMutableBytes { bytes in
      unsafe Self.read(ranges, into: bytes, from: memory) { range, content in
        isAnythingThere = unsafe isAnythingThere || content != nil
        unsafe Self.compare(pieces, from: &next, in: range, content) { check, piece in
          if let piece = unsafe piece, unsafe Self.isSame(piece, as: checks[check].expected, shape)
          {
            return
          }
          changes.codes.insert(checks[check].code)
          if case .content(let mark) = checks[check].expected {
            changes.contents.insert(mark.address)
          }
        }
      }
    }
    changes.areAllRead = failures < Self.failureLimit
    return changes.codes.isEmpty || !isAnythingThere ? nil : changes
  }

  /// Gives the content of each range, nil of one that is not there, until too many are not.
  ///
  /// Returns how many are not.
  private static func read(
    _ ranges: [MemoryRange], into buffer: UnsafeMutableRawBufferPointer,
    from memory: some TargetMemory, _ body: (MemoryRange, UnsafeRawBufferPointer?) -> Void
  ) -> Int {
    var next = 0
    var failures = 0
    while next < ranges.count, failures < failureLimit {
      let filled = unsafe memory.read(ranges[next...], into: buffer)
      var offset = 0
      while next < ranges.count, offset + ranges[next].count <= filled {
        let end = offset + ranges[next].count
        // What was filled is no more than the buffer.
        unsafe body(ranges[next], UnsafeRawBufferPointer(rebasing: buffer[offset..<end]))
        offset = end
        next += 1
      }
      guard next < ranges.count else { break }
      body(ranges[next], nil)
      failures += 1
      next += 1
    }
    return failures
  }

  /// Gives the bytes of each piece within a range with this content; `next` is the first that is in it
  /// or behind it.
  private static func compare(
    _ pieces: [Piece], from next: inout Int, in range: MemoryRange,
    _ content: UnsafeRawBufferPointer?, _ body: (_ check: Int, UnsafeRawBufferPointer?) -> Void
  ) {
    let start = range.start.rawValue
    while next < pieces.count, pieces[next].range.start.rawValue - start < UInt64(range.count) {
      let offset = Int(pieces[next].range.start.rawValue - start)
      let end = offset + pieces[next].range.count
      let piece = unsafe content.map { unsafe UnsafeRawBufferPointer(rebasing: $0[offset..<end]) }
      unsafe body(pieces[next].check, piece)
      next += 1
    }
  }

  private static func isSame(
    _ bytes: UnsafeRawBufferPointer, as expected: Expected, _ shape: PythonCodeShape
  ) -> Bool {
    switch expected {
    case .record(let identity): unsafe shape.identity(record: bytes) == identity
    case .content(let mark): unsafe mark.isSame(bytes)
    }
  }
}
