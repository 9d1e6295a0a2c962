package import LinuxProcess
package import ProfileModel

/// Pieces of a process's memory that were copied at one instant, with their addresses.
///
/// Keeps its buffers when it is cleared: a copy of the size of the last one allocates nothing.
package struct MemoryCopies: Sendable {
  private struct Piece {
    let start: RemoteAddress
    let end: RemoteAddress
    let offset: Int

    func isBefore(_ other: Piece) -> Bool { (start, end) < (other.start, other.end) }
  }

  /// In ascending order of their starts, as far as `sortedCount`.
  private var pieces: [Piece] = []
  private var sortedCount = 0
  /// Only grows: to fill it with zeros anew for each copy would take longer than the copy.
  private var storage: [UInt8] = []
  /// How much of it is of the current copies.
  private var used = 0
  /// How often the memory was asked since the last clearing.
  package private(set) var readCount = 0

  /// More than the deepest Python stack takes; what a broken chain asks for beyond it is refused.
  private static let byteLimit = 256 << 20
  /// How many pieces that are not there make an end of a copy: each costs a system call.
  private static let failureLimit = 64

  package init() {}

  /// The number of bytes altogether.
  package var byteCount: Int { used }

  /// Forgets all pieces.
  package mutating func removeAll() {
    pieces.removeAll(keepingCapacity: true)
    used = 0
    sortedCount = 0
    readCount = 0
  }

  /// Makes room for as many bytes, so that the copy of them allocates none.
  mutating func reserve(_ count: Int) { makeRoom(for: count) }

  /// Adds bytes that the caller has copied, such as those of the native stack.
  package mutating func add(_ bytes: UnsafeRawBufferPointer, at start: RemoteAddress) {
    guard unsafe !bytes.isEmpty, used + bytes.count <= Self.byteLimit else { return }
    append(start: start, count: bytes.count, offset: used)
    makeRoom(for: bytes.count)
    let place = used..<(used + bytes.count)
    // There is room, and both have the same size.
    unsafe storage.withUnsafeMutableBytes {
      unsafe UnsafeMutableRawBufferPointer(rebasing: $0[place]).copyMemory(from: bytes)
    }
    used = place.upperBound
    sortPieces()
  }

  private mutating func makeRoom(for count: Int) {
    guard used + count > storage.count else { return }
    let size = max(used + count, 2 * storage.count, Self.firstSize)
    // Not by appending a sequence, which goes byte by byte in a build without optimisation.
    var larger = [UInt8](repeating: 0, count: size)
    unsafe larger.withUnsafeMutableBytes { place in
      unsafe storage.withUnsafeBytes { unsafe place.copyMemory(from: $0) }
    }
    storage = larger
  }

  private static let firstSize = 1 << 12

  /// Copies `ranges`, and of `more` all up to the first that cannot be read.
  ///
  /// One read for all, and one more for each of `ranges` that is not there. Returns the pieces of
  /// `ranges` that are missing, whole or in part.
  @discardableResult
  package mutating func copy(
    _ ranges: [MemoryRange], andIfThere more: [MemoryRange] = [], from memory: some TargetMemory
  ) -> [MemoryRange] {
    let all = more.isEmpty ? ranges : ranges + more
    var missing: [MemoryRange] = []
    var next = 0
    while next < all.count {
      let size = all[next...].reduce(0) { $0 &+ $1.count }
      let base = used
      guard size <= Self.byteLimit - base, missing.count < Self.failureLimit else { break }
      makeRoom(for: size)
      readCount += 1
      // There is room for all that is asked for.
      let filled = unsafe storage.withUnsafeMutableBytes {
        unsafe memory.read(
          all[next...], into: UnsafeMutableRawBufferPointer(rebasing: $0[base..<(base + size)]))
      }
      let failed = note(all, from: next, filled: min(max(filled, 0), size), at: base)
      guard let failed else { return finish(missing) }
      guard failed < ranges.count else { return finish(missing) }
      missing.append(all[failed])
      next = failed + 1
    }
    if next < ranges.count { missing += ranges[next...] }
    return finish(missing)
  }

  private mutating func finish(_ missing: [MemoryRange]) -> [MemoryRange] {
    sortPieces()
    return missing
  }

  /// Notes the pieces that a read has filled.
  ///
  /// Returns the first that it has not.
  private mutating func note(
    _ ranges: [MemoryRange], from first: Int, filled: Int, at base: Int
  ) -> Int? {
    var offset = 0
    for index in first..<ranges.count {
      let count = min(ranges[index].count, filled - offset)
      append(start: ranges[index].start, count: count, offset: base + offset)
      offset += count
      guard count == ranges[index].count else {
        used = base + offset
        return index
      }
    }
    used = base + offset
    return nil
  }

  private mutating func append(start: RemoteAddress, count: Int, offset: Int) {
    let end = start.advanced(by: Int64(count))
    guard count > 0, end > start else { return }
    pieces.append(Piece(start: start, end: end, offset: offset))
  }

  /// Puts the new pieces in their places among the sorted ones.
  private mutating func sortPieces() {
    // A plan's ranges come in order.
    let isSorted = (max(sortedCount, 1)..<max(pieces.count, 1)).allSatisfy {
      !pieces[$0].isBefore(pieces[$0 - 1])
    }
    if isSorted {
      sortedCount = pieces.count
      return
    }
    let known = pieces[..<sortedCount]
    let new = pieces[sortedCount...].sorted { $0.isBefore($1) }
    defer { sortedCount = pieces.count }
    guard let first = new.first, let last = known.last, first.isBefore(last) else {
      pieces.replaceSubrange(sortedCount..., with: new)
      return
    }
    var merged: [Piece] = []
    merged.reserveCapacity(pieces.count)
    var left = known
    var right = new[...]
    while let mine = left.first, let other = right.first {
      if other.isBefore(mine) {
        merged.append(other)
        right.removeFirst()
      } else {
        merged.append(mine)
        left.removeFirst()
      }
    }
    pieces = merged + left + right
  }
}

// MARK: - Looking up

extension MemoryCopies {
  /// Where the bytes from `address` on are among all bytes; nil when not all of them were copied.
  package func offset(of address: RemoteAddress, count: Int) -> Int? {
    var hint = -1
    return offset(of: address, count: count, hint: &hint)
  }

  /// The piece that holds all of these addresses.
  private func piece(from address: RemoteAddress, to end: RemoteAddress) -> Int? {
    let next = pieces.partitioningIndex { $0.start > address }
    // Pieces may overlap; a longer one may begin some places before.
    for index in stride(from: next - 1, through: max(0, next - 8), by: -1) where index >= 0 {
      if end <= pieces[index].end { return index }
    }
    return nil
  }

  /// The same, for addresses that follow each other closely: `hint` is the piece of the last one.
  func offset(of address: RemoteAddress, count: Int, hint: inout Int) -> Int? {
    let end = address.advanced(by: Int64(max(count, 0)))
    guard end >= address else { return nil }
    if pieces.indices.contains(hint), pieces[hint].start <= address, end <= pieces[hint].end {
      return pieces[hint].offset + Int(address.distance(from: pieces[hint].start))
    }
    guard let index = piece(from: address, to: end) else { return nil }
    hint = index
    return pieces[index].offset + Int(address.distance(from: pieces[index].start))
  }

  /// The integer at `address`; nil when it was not copied.
  package func value<T: FixedWidthInteger & BitwiseCopyable>(
    at address: RemoteAddress, as type: T.Type
  ) -> T? {
    guard let offset = offset(of: address, count: MemoryLayout<T>.size) else { return nil }
    return load(at: offset, as: type)
  }

  /// The word at `address`; nil when it was not copied.
  func word(at address: RemoteAddress) -> UInt64? { value(at: address, as: UInt64.self) }

  /// The pointer at `address`, which may be null; nil when it was not copied.
  func pointer(at address: RemoteAddress) -> RemoteAddress? {
    word(at: address).map { RemoteAddress($0) }
  }

  /// Whether all of a piece is there.
  func holds(_ range: MemoryRange) -> Bool { offset(of: range.start, count: range.count) != nil }

  /// The integer at an offset that `offset(of:count:)` gave, or behind it.
  func load<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: T.Type) -> T {
    unsafe storage.withUnsafeBytes { bytes in
      precondition(
        offset >= 0 && offset <= used - MemoryLayout<T>.size, "an offset of another copy")
      return T(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
    }
  }

  /// What `body` makes of the bytes from `address` on; nil when not all of them were copied.
  func withBytes<Result>(
    at address: RemoteAddress, count: Int, _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result? {
    guard count >= 0, let offset = offset(of: address, count: count) else { return nil }
    // The offset is that of `count` bytes that are there, and `body` keeps none of them.
    return unsafe storage.withUnsafeBytes {
      unsafe body(UnsafeRawBufferPointer(rebasing: $0[offset..<(offset + count)]))
    }
  }

  /// The bytes from `address` on; nil when not all of them were copied.
  package func bytes(at address: RemoteAddress, count: Int) -> ArraySlice<UInt8>? {
    guard count >= 0, let offset = offset(of: address, count: count) else { return nil }
    return storage[offset..<(offset + count)]
  }
}
