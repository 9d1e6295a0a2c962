internal import CZlib

/// What a file holds, decompressed where it is gzip, a chunk at a time.
///
/// Members that follow each other are one; zeros between and after them are padding.
struct FileContents: ~Copyable {
  enum Step {
    case more
    /// No bytes are left; the last member may be incomplete.
    case end
  }

  private var source: ByteSource
  private let budget: ReadingBudget
  /// Read and not used yet.
  private var input: ArraySlice<UInt8> = []
  /// Nil for a file that is not compressed.
  private let inflater: Inflater?
  /// Whether zlib may hold bytes that the last chunk had no room for.
  private var mayHoldMore = false
  private var count = 0
  /// The bytes up to the end of the last complete member; all that were given without compression.
  private(set) var completeCount = 0
  private var members = 0

  /// - Throws: `system` when the file cannot be read, `empty` when nothing is in it.
  init(_ source: consuming ByteSource, _ budget: ReadingBudget) throws(CaptureFileError) {
    self.source = source
    self.budget = budget
    // The first bytes may come one by one, from a pipe.
    var beginning: ArraySlice<UInt8> = []
    while beginning.count < 2 {
      let bytes = try self.source.next()
      guard !bytes.isEmpty else { break }
      beginning += bytes
    }
    budget.add(fileBytes: beginning.count)
    guard !beginning.isEmpty else { throw .empty }
    input = beginning
    guard beginning.starts(with: [0x1f, 0x8b]) else {
      inflater = nil
      return
    }
    guard let inflater = Inflater() else { throw .damaged(.compression) }
    self.inflater = inflater
  }

  /// Whether the file ends within a member.
  var isTorn: Bool { inflater?.isWithinMember ?? false }
  /// Whether it is compressed, and not even its first member is complete.
  var isFirstTorn: Bool { inflater != nil && members == 0 }

  /// Appends the next bytes to `bytes`: a chunk, or less.
  mutating func next(appendingTo bytes: inout [UInt8]) throws(CaptureFileError) -> Step {
    if input.isEmpty, !mayHoldMore {
      // Else the source would copy its chunk, which is held here.
      input = []
      input = try source.next()
      budget.add(fileBytes: input.count)
      guard !input.isEmpty else { return .end }
    }
    guard let inflater else {
      bytes += input
      try count(input.count)
      completeCount = count
      input = []
      return .more
    }
    if members > 0, !inflater.isWithinMember { input = input.drop { $0 == 0 } }
    guard !input.isEmpty || mayHoldMore else { return .more }
    return try inflate(inflater, &bytes)
  }

  private mutating func count(_ more: Int) throws(CaptureFileError) {
    count += more
    let limit = budget.limits.contents
    guard count <= limit else { throw .tooLarge(.contents(limit: limit)) }
  }

  private mutating func inflate(
    _ inflater: Inflater, _ bytes: inout [UInt8]
  ) throws(CaptureFileError) -> Step {
    let (used, made, status) = inflater.step(input, appendingTo: &bytes)
    input = input.dropFirst(used)
    mayHoldMore = made == Inflater.chunkSize
    try count(made)
    try budget.take(made)
    switch status {
    case Z_STREAM_END:
      mayHoldMore = false
      inflater.reset()
      completeCount = count
      members += 1
    case Z_OK where used > 0 || made > 0: break
    // zlib wants more than the chunk had.
    case Z_BUF_ERROR where input.isEmpty: mayHoldMore = false
    default: throw .damaged(.compression)
    }
    return .more
  }
}

/// zlib's state for gzip members that follow each other.
private final class Inflater {
  static let chunkSize = 256 << 10

  // The stream holds a pointer to itself, so it must not move.
  private let stream: UnsafeMutablePointer<z_stream>
  private var chunk = [UInt8](repeating: 0, count: chunkSize)

  /// Nil when zlib has no memory.
  init?() {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    guard sprof_inflate_init(stream) == Z_OK else {
      stream.deallocate()
      return nil
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  /// Whether a member has begun and not ended.
  var isWithinMember: Bool { stream.pointee.total_in > 0 }

  func reset() { inflateReset(stream) }

  /// Uses up some of `input`, and appends what that gives.
  func step(
    _ input: ArraySlice<UInt8>, appendingTo bytes: inout [UInt8]
  ) -> (used: Int, made: Int, status: Int32) {
    let result = stream.step(input, into: &chunk) { inflate($0, Z_NO_FLUSH) }
    bytes += chunk[..<result.made]
    return result
  }
}
