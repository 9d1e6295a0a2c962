internal import CLinux
internal import Glibc
package import ProfileModel

/// A piece of a process's memory.
package struct MemoryRange: Hashable, Sendable {
  package let start: RemoteAddress
  package let count: Int

  package init(start: RemoteAddress, count: Int) {
    self.start = start
    self.count = max(0, count)
  }

  /// The first address behind the piece; wraps around like the machine's own arithmetic.
  package var end: RemoteAddress { start.advanced(by: Int64(count)) }
}

/// Memory that many small pieces are read from: of a process, or made up by a test.
package protocol TargetMemory {
  /// Fills `buffer` with the pieces, one behind the other, up to the first that cannot be read.
  ///
  /// Returns the number of bytes that were read; the last piece may be there in part.
  func read(_ ranges: ArraySlice<MemoryRange>, into buffer: UnsafeMutableRawBufferPointer) -> Int
}

extension ProcessMemory: TargetMemory {
  /// The most pieces that the kernel takes at once (IOV_MAX), less the one that `readVectors` puts first.
  private static let mostVectors = 1023

  /// Reads many pieces with one system call for each thousand of them; about 0.1 µs a piece.
  package func read(
    _ ranges: ArraySlice<MemoryRange>, into buffer: UnsafeMutableRawBufferPointer
  ) -> Int {
    var filled = 0
    var rest = ranges
    while !rest.isEmpty {
      let batch = rest.prefix(Self.mostVectors)
      rest = rest.dropFirst(batch.count)
      let wanted = batch.reduce(0) { $0 + $1.count }
      guard filled + wanted <= buffer.count else { return filled }
      let place = UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<(filled + wanted)])
      let count = readBatch(batch, into: place)
      filled += count
      guard count == wanted else { return filled }
    }
    return filled
  }

  /// Fills `first` from `address` on and `buffer` with the pieces, by one system call unless the
  /// pieces are more than a thousand.
  ///
  /// Returns how many bytes of each were read.
  package func read(
    at address: RemoteAddress, into first: UnsafeMutableRawBufferPointer,
    and ranges: ArraySlice<MemoryRange>, into buffer: UnsafeMutableRawBufferPointer
  ) -> (first: Int, rest: Int) {
    let wanted = ranges.reduce(0) { $0 &+ $1.count }
    if ranges.count < Self.mostVectors, wanted <= buffer.count {
      let count = readVectors(
        address, first, ranges, UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
      if count >= first.count { return (first.count, count - first.count) }
    }
    // The first one is not there as a whole, which keeps the others from being read.
    return (max(0, read(at: address, into: first)), read(ranges, into: buffer))
  }

  private func readBatch(
    _ ranges: ArraySlice<MemoryRange>, into buffer: UnsafeMutableRawBufferPointer
  ) -> Int {
    guard !buffer.isEmpty else { return 0 }
    let none = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    let count = readVectors(RemoteAddress(0), none, ranges, buffer)
    guard count == -Int(EPERM) || count == -Int(ENOSYS) else { return max(0, count) }
    return readOneByOne(ranges, into: buffer)
  }

  /// The bytes that were read, or the kernel's error, less than 0.
  private func readVectors(
    _ address: RemoteAddress, _ first: UnsafeMutableRawBufferPointer,
    _ ranges: ArraySlice<MemoryRange>, _ buffer: UnsafeMutableRawBufferPointer
  ) -> Int {
    withUnsafeTemporaryAllocation(of: iovec.self, capacity: ranges.count + 3) { vectors in
      vectors[0] = iovec(iov_base: first.baseAddress, iov_len: first.count)
      vectors[1] = iovec(iov_base: buffer.baseAddress, iov_len: buffer.count)
      let remote = 2
      vectors[remote] = Self.vector(address, first.count)
      for (index, range) in ranges.enumerated() {
        vectors[remote + 1 + index] = Self.vector(range.start, range.count)
      }
      guard let start = vectors.baseAddress else { return 0 }
      return Int(sprof_process_vm_readv(tid, start, 2, start + remote, UInt(ranges.count + 1)))
    }
  }

  private static func vector(_ start: RemoteAddress, _ count: Int) -> iovec {
    iovec(iov_base: UnsafeMutableRawPointer(bitPattern: UInt(start.rawValue)), iov_len: count)
  }

  /// The way of `/proc/PID/mem`, where the vectored one is forbidden.
  private func readOneByOne(
    _ ranges: ArraySlice<MemoryRange>, into buffer: UnsafeMutableRawBufferPointer
  ) -> Int {
    var filled = 0
    for range in ranges {
      let end = filled + range.count
      let place = UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<end])
      let count = max(0, read(at: range.start, into: place))
      filled += count
      guard count == range.count else { break }
    }
    return filled
  }
}
