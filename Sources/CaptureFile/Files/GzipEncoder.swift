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
      // Only a fault of sprof's own leads to an error here: the stream is valid and has room.
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

/// Bytes as a gzip file of their own, or as a part of one.
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

extension UnsafeMutablePointer<z_stream> {
  /// Lets `work` use up some of `bytes` and fill some of `chunk`.
  func step(
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
