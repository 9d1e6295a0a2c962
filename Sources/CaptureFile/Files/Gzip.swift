internal import CZlib

/// Compresses bytes to one gzip member.
struct GzipEncoder: ~Copyable {
  // The stream holds a pointer to itself, so it must not move.
  private let stream: UnsafeMutablePointer<z_stream>
  private var chunk = [UInt8](repeating: 0, count: 64 << 10)

  /// - Parameter level: 1 (fast) to 9 (small).
  init(level: Int32 = 6) {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    let status = sprof_deflate_init(stream, level)
    precondition(status == Z_OK, "zlib has no memory")
  }

  deinit {
    deflateEnd(stream)
    stream.deallocate()
  }

  /// Compresses `bytes`; what is ready goes to `output`.
  mutating func add<Failure: Error>(
    _ bytes: [UInt8], to output: (ArraySlice<UInt8>) throws(Failure) -> Void
  ) throws(Failure) {
    try compress(bytes, flush: Z_NO_FLUSH, to: output)
  }

  /// Ends the member.
  mutating func finish<Failure: Error>(
    to output: (ArraySlice<UInt8>) throws(Failure) -> Void
  ) throws(Failure) {
    try compress([], flush: Z_FINISH, to: output)
  }

  private mutating func compress<Failure: Error>(
    _ bytes: [UInt8], flush: Int32, to output: (ArraySlice<UInt8>) throws(Failure) -> Void
  ) throws(Failure) {
    var offset = 0
    while true {
      let (used, made, status) = step(bytes[offset...], flush: flush)
      offset += used
      if made > 0 { try output(chunk[..<made]) }
      let isDone = flush == Z_FINISH ? status == Z_STREAM_END : offset == bytes.count
      if isDone, made < chunk.count { return }
      // Only a defect of ours gives an error here: the stream is sound and has room.
      precondition(status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR, "deflate")
      if status == Z_STREAM_END { return }
    }
  }

  private mutating func step(
    _ bytes: ArraySlice<UInt8>, flush: Int32
  ) -> (used: Int, made: Int, status: Int32) {
    stream.step(bytes, into: &chunk) { deflate($0, flush) }
  }
}

extension UnsafeMutablePointer<z_stream> {
  /// Lets `work` use up some of `bytes` and fill some of `chunk`.
  fileprivate func step(
    _ bytes: ArraySlice<UInt8>, into chunk: inout [UInt8], _ work: (Self) -> Int32
  ) -> (used: Int, made: Int, status: Int32) {
    let room = chunk.count
    let count = Swift.min(bytes.count, 1 << 30)
    return bytes.withUnsafeBufferPointer { source in
      chunk.withUnsafeMutableBufferPointer { target in
        // zlib does not write to its input; both pointers are used within this call only.
        pointee.next_in = UnsafeMutablePointer<UInt8>(mutating: source.baseAddress)
        pointee.avail_in = UInt32(count)
        pointee.next_out = target.baseAddress
        pointee.avail_out = UInt32(room)
        let status = work(self)
        return (count - Int(pointee.avail_in), room - Int(pointee.avail_out), status)
      }
    }
  }
}

/// What the gzip members of a file hold.
struct GzipContents {
  /// The bytes of all complete members.
  var bytes: [UInt8] = []
  /// Whether the file ends within a member, which was dropped.
  var isTorn = false

  /// Whether `file` begins like a gzip file.
  static func isGzip(_ file: [UInt8]) -> Bool { file.starts(with: [0x1f, 0x8b]) }

  /// Some `count` bytes of what the file begins with, or those before an end or a damage.
  static func beginning(of file: [UInt8], count: Int) -> [UInt8] {
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    stream.initialize(to: z_stream())
    guard sprof_inflate_init(stream) == Z_OK else { return [] }
    defer {
      inflateEnd(stream)
      stream.deallocate()
    }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    var position = 0
    while bytes.count < count {
      let (used, made, status) = stream.step(file[position...], into: &chunk) {
        inflate($0, Z_NO_FLUSH)
      }
      position += used
      bytes += chunk[..<made]
      guard status == Z_OK || status == Z_STREAM_END, used > 0 || made > 0 else { break }
      if status == Z_STREAM_END { inflateReset(stream) }
    }
    return bytes
  }

  /// Inflates member after member, to at most `limit` bytes.
  ///
  /// A member that the file's end cuts off is dropped; it may not be the first.
  init(_ file: [UInt8], limit: Int) throws(CaptureFileError) {
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    stream.initialize(to: z_stream())
    guard sprof_inflate_init(stream) == Z_OK else { throw .damaged(.compression) }
    defer {
      inflateEnd(stream)
      stream.deallocate()
    }
    var chunk = [UInt8](repeating: 0, count: 256 << 10)
    var position = 0
    var complete = 0
    var members = 0
    var mayHoldMore = false
    while position < file.count || mayHoldMore {
      let (used, made, status) = stream.step(file[position...], into: &chunk) {
        inflate($0, Z_NO_FLUSH)
      }
      position += used
      mayHoldMore = made == chunk.count
      guard bytes.count + made <= limit else { throw .tooLarge(limit: limit) }
      bytes += chunk[..<made]
      switch status {
      case Z_STREAM_END:
        complete = bytes.count
        members += 1
        mayHoldMore = false
        inflateReset(stream)
        // Zeros may follow the last member: padding, which gzip skips, too.
        if file[position...].allSatisfy({ $0 == 0 }) { position = file.count }
      case Z_OK where used > 0 || made > 0: break
      case Z_OK, Z_BUF_ERROR:
        position = file.count
        mayHoldMore = false
      default: throw .damaged(.compression)
      }
    }
    guard members > 0 else { throw .cutOff }
    isTorn = stream.pointee.total_in > 0
    bytes.removeSubrange(complete...)
  }
}

/// Bytes made small for what sprof writes besides captures.
package enum GzipMember {
  /// One gzip member with `bytes`.
  package static func compressing(_ bytes: [UInt8]) -> [UInt8] {
    var encoder = GzipEncoder()
    var result: [UInt8] = []
    encoder.add(bytes) { result += $0 }
    encoder.finish { result += $0 }
    return result
  }
}
