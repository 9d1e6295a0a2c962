internal import LinuxProcess
internal import ProfileModel

/// Reads the target's memory piece by piece: one system call for each.
struct JavaMemory {
  let source: any TargetMemory

  /// No structure that is read as a whole is larger.
  private static let sizeLimit = 16 << 20

  init(_ source: some TargetMemory) { self.source = source }

  /// These bytes; nil where not all of them are there.
  func bytes(at start: RemoteAddress, count: Int) -> RemoteBytes? {
    guard count > 0, count <= Self.sizeLimit else { return nil }
    let piece = bytes(of: [MemoryRange(start: start, count: count)])
    return piece.count == count ? RemoteBytes(start: start, bytes: piece) : nil
  }

  /// As many of these bytes as are there from the start on.
  func beginning(at start: RemoteAddress, count: Int) -> RemoteBytes? {
    guard count > 0, count <= Self.sizeLimit else { return nil }
    let piece = bytes(of: [MemoryRange(start: start, count: count)])
    return piece.isEmpty ? nil : RemoteBytes(start: start, bytes: piece)
  }

  /// All pieces up to the first that is not there, one behind the other.
  func bytes(of ranges: [MemoryRange]) -> [UInt8] {
    let count = ranges.reduce(0) { $0 &+ $1.count }
    var bytes = [UInt8](repeating: 0, count: count)
    // The buffer is as long as all pieces together, and is used within the call only.
    let filled = unsafe bytes.withUnsafeMutableBytes { unsafe source.read(ranges[...], into: $0) }
    bytes.removeLast(count - max(0, min(filled, count)))
    return bytes
  }

  func address(at place: RemoteAddress) -> RemoteAddress? {
    bytes(at: place, count: 8)?.address(at: 0)
  }

  /// A signed 32-bit field.
  func int(at place: RemoteAddress) -> Int? { bytes(at: place, count: 4)?.int(at: 0) }

  func value<T: FixedWidthInteger & BitwiseCopyable>(
    at place: RemoteAddress, as type: T.Type
  ) -> T? {
    bytes(at: place, count: MemoryLayout<T>.size)?.value(at: 0, as: type)
  }

  /// A text that ends with a zero, of at most 255 bytes; nil without one.
  func text(at place: RemoteAddress) -> String? {
    guard !place.isNull else { return nil }
    // Not across the end of a page: the next may not be there.
    let room = 4096 - Int(place.rawValue & 4095)
    for count in [min(room, 64), 256] {
      guard let piece = beginning(at: place, count: count) else { return nil }
      if let end = piece.bytes.firstIndex(of: 0) {
        return String(decoding: piece.bytes[..<end], as: UTF8.self)
      }
    }
    return nil
  }
}
