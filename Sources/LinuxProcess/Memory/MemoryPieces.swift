internal import ByteReading

/// Many pieces of memory that are read together, and which of them were there.
package struct MemoryPieces {
  package private(set) var bytes: [UInt8] = []
  /// Where each piece is in `bytes`; nil for one that could not be read.
  package private(set) var places: [Int?] = []
  /// So many that are not there make an end: each costs a system call.
  private static let failureLimit = 256

  package init() {}

  /// Reads all pieces with a system call for each thousand.
  package mutating func read(_ ranges: [MemoryRange], from memory: some TargetMemory) {
    places.removeAll(keepingCapacity: true)
    let size = ranges.reduce(0) { $0 + $1.count }
    if bytes.count < size { bytes = [UInt8](repeating: 0, count: size) }
    var index = 0
    var offset = 0
    var failures = 0
    while index < ranges.count {
      guard failures < Self.failureLimit else { break }
      let start = offset
      // The buffer has room for all pieces, and is used within the closure only.
      let filled = unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe memory.read(
          ranges[index...], into: UnsafeMutableRawBufferPointer(rebasing: buffer[start..<size]))
      }
      var rest = max(0, filled)
      while index < ranges.count, rest >= ranges[index].count {
        places.append(offset)
        rest -= ranges[index].count
        offset += ranges[index].count
        index += 1
      }
      guard index < ranges.count else { break }
      places.append(nil)
      offset += ranges[index].count
      index += 1
      failures += 1
    }
    while places.count < ranges.count { places.append(nil) }
  }
  /// The integer at a place within `bytes`; nil where there is none.
  package func value<T: FixedWidthInteger & BitwiseCopyable>(at place: Int, as type: T.Type) -> T? {
    // The array outlives the span.
    unsafe ByteReader(bytes.span.bytes).value(at: place, as: type)
  }
}
