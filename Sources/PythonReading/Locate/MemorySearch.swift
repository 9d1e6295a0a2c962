internal import Glibc
internal import LinuxProcess
internal import ProfileModel

/// Searches the data of images for marks; bounded, and in large pieces.
struct MemorySearch {
  private let memory: ProcessMemory
  private static let chunk = 1 << 20
  /// Data of a real interpreter is below 2 MiB; this is for those within large programs.
  private static let byteLimit = 64 << 20
  /// What a mark may need beyond the end of a chunk.
  private static let overlap = 256

  init(_ memory: ProcessMemory) { self.memory = memory }

  /// Calls `body` with each chunk until it returns false.
  private func forEachChunk(
    of ranges: [MemoryRange], _ body: (RemoteAddress, UnsafeRawBufferPointer) -> Bool
  ) {
    var left = Self.byteLimit
    for range in ranges {
      var position = 0
      while position < range.count, left > 0 {
        let size = min(Self.chunk + Self.overlap, range.count - position)
        let start = range.start.advanced(by: Int64(position))
        if let bytes = memory.read(at: start, count: size) {
          // The bytes outlive the call, and `body` keeps none of them.
          guard unsafe bytes.withUnsafeBytes({ unsafe body(start, $0) }) else { return }
        }
        position += Self.chunk
        left -= size
      }
    }
  }

  /// Every place of `pattern`, at most a thousand.
  func places(of pattern: [UInt8], in ranges: [MemoryRange]) -> [RemoteAddress] {
    var result: Set<RemoteAddress> = []
    unsafe forEachChunk(of: ranges) { start, bytes in
      var rest = unsafe bytes[...]
      while let offset = unsafe Self.find(pattern, in: UnsafeRawBufferPointer(rebasing: rest)) {
        result.insert(unsafe start + (rest.startIndex + offset))
        unsafe rest = rest.dropFirst(offset + 1)
        if result.count >= 1000 { return false }
      }
      return true
    }
    return result.sorted()
  }

  /// The first place of `pattern`; memchr finds its first byte at the speed of memory.
  private static func find(_ pattern: [UInt8], in bytes: UnsafeRawBufferPointer) -> Int? {
    guard let base = bytes.baseAddress, let first = pattern.first else { return nil }
    var start = 0
    while start <= bytes.count - pattern.count {
      // A place of the first byte behind which the whole pattern has room.
      let room = bytes.count - pattern.count - start + 1
      guard let found = unsafe memchr(base + start, CInt(first), room)
      else { return nil }
      let place = unsafe UnsafeRawPointer(found) - base
      if unsafe memcmp(found, pattern, pattern.count) == 0 { return place }
      start = place + 1
    }
    return nil
  }

  /// The text that `Py_GetVersion` keeps: `3.8.18 (default, …) \n[GCC 12.2.0]`.
  func firstBanner(in ranges: [MemoryRange]) -> PythonVersion? {
    var result: PythonVersion?
    unsafe forEachChunk(of: ranges) { _, bytes in
      var rest = unsafe bytes[...]
      while let offset = unsafe Self.find([0x33, 0x2e], in: UnsafeRawBufferPointer(rebasing: rest))
      {
        let place = unsafe rest.startIndex + offset
        let end = min(bytes.count, place + Self.overlap)
        let text = unsafe Array(bytes[place..<end].prefix { $0 != 0 })
        if text.contains(UInt8(ascii: "[")), let version = PythonVersion(banner: text) {
          result = version
          return false
        }
        unsafe rest = rest.dropFirst(offset + 1)
      }
      return true
    }
    return result
  }

  /// Places of two equal pointers, one behind the other, into writable memory: the first and the
  /// main interpreter are the same as long as there are no others.
  func pairs(in ranges: [MemoryRange], maps: MemoryMaps) -> [RemoteAddress] {
    var result: [RemoteAddress] = []
    unsafe forEachChunk(of: ranges) { start, bytes in
      for offset in stride(from: 0, through: bytes.count - 16, by: 8) {
        // The last pair begins 16 bytes before the end.
        let value = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        let next = unsafe bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)
        // User space begins above the first pages and ends at 47 bits.
        guard value > 0x1_0000, value < 1 << 47, value % 8 == 0,
          value == next,
          maps.mapping(containing: RemoteAddress(value))?.isWritable ?? false
        else { continue }
        result.append(start + offset)
      }
      return result.count < 100_000
    }
    return result
  }
}
