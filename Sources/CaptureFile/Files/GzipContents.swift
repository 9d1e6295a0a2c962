internal import CZlib

/// The contents of a gzip file.
struct GzipContents {
  /// The bytes of all complete members.
  var bytes: [UInt8] = []
  /// Whether the file ends within a member, which is left out.
  var isTorn = false

  /// Whether `file` begins like a gzip file.
  static func isGzip(_ file: [UInt8]) -> Bool { file.starts(with: [0x1f, 0x8b]) }

  /// At least `count` of the first bytes, where there are as many before an end or a damage.
  static func beginning(of file: [UInt8], count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    guard var decoder = GzipDecoder(file, chunkSize: 64 << 10) else { return [] }
    while bytes.count < count {
      let step = decoder.next { bytes += $0 }
      guard step == .more || step == .endOfMember else { break }
    }
    return bytes
  }

  /// Inflates member after member, to at most `limit` bytes.
  ///
  /// A member that the end of the file cuts off is left out; it must not be the first.
  init(_ file: [UInt8], limit: Int) throws(CaptureFileError) {
    guard var decoder = GzipDecoder(file, chunkSize: 256 << 10) else {
      throw .damaged(.compression)
    }
    var complete = 0
    var members = 0
    var isAtEnd = false
    while !isAtEnd {
      let step = decoder.next { bytes += $0 }
      guard bytes.count <= limit else { throw .tooLarge(limit: limit) }
      switch step {
      case .more: break
      case .endOfMember:
        complete = bytes.count
        members += 1
        decoder.skipPadding()
      case .end: isAtEnd = true
      case .damaged: throw .damaged(.compression)
      }
    }
    guard members > 0 else { throw .cutOff }
    isTorn = decoder.isWithinMember
    bytes.removeSubrange(complete...)
  }
}

/// Inflates gzip members that follow each other, a chunk at a time.
private struct GzipDecoder: ~Copyable {
  enum Step {
    case more
    case endOfMember
    /// No bytes are left; the last member may be incomplete.
    case end
    case damaged
  }

  private let file: [UInt8]
  // The stream holds a pointer to itself, so it must not move.
  private let stream: UnsafeMutablePointer<z_stream>
  private var chunk: [UInt8]
  private var position = 0
  /// Whether zlib may hold bytes that the last chunk had no room for.
  private var mayHoldMore = false

  /// Nil when zlib has no memory.
  init?(_ file: [UInt8], chunkSize: Int) {
    self.file = file
    chunk = Array(repeating: 0, count: chunkSize)
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

  /// Gives the next bytes to `output`: less than a chunk, or none.
  mutating func next(_ output: (ArraySlice<UInt8>) -> Void) -> Step {
    guard position < file.count || mayHoldMore else { return .end }
    let (used, made, status) = stream.step(file[position...], into: &chunk) {
      inflate($0, Z_NO_FLUSH)
    }
    position += used
    mayHoldMore = made == chunk.count
    output(chunk[..<made])
    switch status {
    case Z_STREAM_END:
      mayHoldMore = false
      inflateReset(stream)
      return .endOfMember
    case Z_OK where used > 0 || made > 0: return .more
    case Z_OK, Z_BUF_ERROR: return .end
    default: return .damaged
    }
  }

  /// Skips zeros up to the end of the file: padding, which gzip ignores as well.
  mutating func skipPadding() {
    if file[position...].allSatisfy({ $0 == 0 }) { position = file.count }
  }
}
