internal import CLinux
internal import Glibc
package import ProfileModel

/// A piece of a process's memory.
package struct MemoryRange: Hashable, Sendable {
  package let start: RemoteAddress
  /// In bytes.
  package let count: Int

  package init(start: RemoteAddress, count: Int) {
    self.start = start
    self.count = max(0, count)
  }

  /// The first address behind the piece; wraps around like the machine's own arithmetic.
  package var end: RemoteAddress { start.advanced(by: Int64(count)) }
}

/// Memory that many small pieces are read from: a process's, or one made up by a test.
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
  /// Pieces that are within the first one are taken from it: each piece less is a microsecond less.
  /// Returns how many bytes of each were read, and the 8 bytes at both `words`, nil where one was not read.
  package func read(
    at address: RemoteAddress, into first: UnsafeMutableRawBufferPointer,
    and ranges: ArraySlice<MemoryRange>, into buffer: UnsafeMutableRawBufferPointer,
    words: (RemoteAddress, RemoteAddress)? = nil
  ) -> (first: Int, rest: Int, words: (UInt64, UInt64)?) {
    let wanted = ranges.reduce(0) { $0 &+ $1.count }
    if ranges.count < Self.mostVectors, wanted <= buffer.count {
      var values = (UInt64(0), UInt64(0))
      let count = withUnsafeMutableBytes(of: &values) {
        readVectors(
          address, first, ranges, UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]),
          words, $0)
      }
      let others = count - first.count - (words == nil ? 0 : 16)
      if others >= 0 {
        return (
          first.count, Self.fill(buffer, with: ranges, within: first, at: address, read: others),
          words == nil ? nil : values
        )
      }
    }
    // The first one is not there as a whole, which keeps the others from being read.
    return (
      max(0, read(at: address, into: first)), read(ranges, into: buffer), words.flatMap(read)
    )
  }

  private func read(_ words: (RemoteAddress, RemoteAddress)) -> (UInt64, UInt64)? {
    var values = (UInt64(0), UInt64(0))
    let pieces = [MemoryRange(start: words.0, count: 8), MemoryRange(start: words.1, count: 8)]
    let count = withUnsafeMutableBytes(of: &values) { read(pieces[...], into: $0) }
    return count == 16 ? values : nil
  }

  private func readBatch(
    _ ranges: ArraySlice<MemoryRange>, into buffer: UnsafeMutableRawBufferPointer
  ) -> Int {
    guard !buffer.isEmpty else { return 0 }
    let none = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    let count = readVectors(RemoteAddress(0), none, ranges, buffer, nil, none)
    guard count == -Int(EPERM) || count == -Int(ENOSYS) else { return max(0, count) }
    return readOneByOne(ranges, into: buffer)
  }

  /// The bytes that were read, or the kernel's error, less than 0.
  ///
  /// Leaves out the pieces that are within the first one, whose places in `buffer` stay as they are.
  private func readVectors(
    _ address: RemoteAddress, _ first: UnsafeMutableRawBufferPointer,
    _ ranges: ArraySlice<MemoryRange>, _ buffer: UnsafeMutableRawBufferPointer,
    _ words: (RemoteAddress, RemoteAddress)?, _ values: UnsafeMutableRawBufferPointer
  ) -> Int {
    // Places and pieces, each with the first one and the words, and one place more for each piece that is
    // left out.
    let capacity = ranges.count + 4
    return withUnsafeTemporaryAllocation(of: iovec.self, capacity: 2 * capacity) { vectors in
      var (places, pieces) = (1, 1)
      vectors[0] = iovec(iov_base: first.baseAddress, iov_len: first.count)
      vectors[capacity] = Self.vector(address, first.count)
      if let words {
        vectors[1] = iovec(iov_base: values.baseAddress, iov_len: 16)
        vectors[capacity + 1] = Self.vector(words.0, 8)
        vectors[capacity + 2] = Self.vector(words.1, 8)
        (places, pieces) = (2, 3)
      }
      var (start, end) = (0, 0)
      func addPlace() {
        guard start < end else { return }
        let place = buffer.baseAddress.map { $0 + start }
        vectors[places] = iovec(iov_base: place, iov_len: end - start)
        places += 1
      }
      for range in ranges {
        if Self.offset(of: range, within: first, at: address) != nil {
          addPlace()
          start = end + range.count
          end = start
        } else {
          vectors[capacity + pieces] = Self.vector(range.start, range.count)
          pieces += 1
          end += range.count
        }
      }
      addPlace()
      guard let base = vectors.baseAddress else { return 0 }
      return Int(sprof_process_vm_readv(tid, base, UInt(places), base + capacity, UInt(pieces)))
    }
  }

  /// Where a piece is in the first one, which begins at `address`; nil when it does not.
  private static func offset(
    of range: MemoryRange, within first: UnsafeMutableRawBufferPointer, at address: RemoteAddress
  ) -> Int? {
    let offset = range.start.rawValue &- address.rawValue
    guard offset < UInt64(first.count), range.count <= first.count - Int(offset) else { return nil }
    return Int(offset)
  }

  /// Puts the pieces that are within the first one into their places, and says how much of `buffer`
  /// is filled, of which the others took `read` bytes.
  private static func fill(
    _ buffer: UnsafeMutableRawBufferPointer, with ranges: ArraySlice<MemoryRange>,
    within first: UnsafeMutableRawBufferPointer, at address: RemoteAddress, read: Int
  ) -> Int {
    var filled = 0
    var left = read
    for range in ranges {
      if let offset = offset(of: range, within: first, at: address) {
        let piece = UnsafeRawBufferPointer(rebasing: first[offset..<(offset + range.count)])
        let end = filled + range.count
        UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<end]).copyMemory(from: piece)
        filled = end
      } else {
        let count = min(left, range.count)
        filled += count
        left -= count
        guard count == range.count else { break }
      }
    }
    return filled
  }

  private static func vector(_ start: RemoteAddress, _ count: Int) -> iovec {
    iovec(iov_base: UnsafeMutableRawPointer(bitPattern: UInt(start.rawValue)), iov_len: count)
  }

  /// The way through `/proc/PID/mem`, where the vectored read is forbidden.
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
