internal import ByteReading
internal import LinuxProcess
internal import ProfileModel

/// The queues of goroutines that wait for locks (`runtime.semtable`): a tree of addresses for each of 251
/// roots, and a list for each address (runtime/sema.go).
struct GoLockTable {
  private static let rootCount = 251
  private static let rootSize = 64
  /// Of `treap` in a root.
  private static let treeOffset = 8
  /// Each costs a read; what is beyond is not known.
  private static let readLimit = 16_384

  /// By goroutine: the address of the word that it waits for.
  private(set) var locks: [UInt64: UInt64] = [:]
  private var reads = 0

  /// Reads the queues; what is torn is left out.
  init(at table: RemoteAddress, _ offsets: GoOffsets, in memory: some TargetMemory) {
    guard let bytes = GoMemory.bytes(at: table, count: GoImage.lockTableSize, in: memory) else {
      return
    }
    // The array outlives the span.
    let reader = unsafe ByteReader(bytes.span.bytes)
    for root in 0..<Self.rootCount {
      let place = root * Self.rootSize + Self.treeOffset
      guard let tree = reader.value(at: place, as: UInt64.self), tree != 0 else { continue }
      addTree(tree, root: root, offsets, memory)
    }
  }

  private mutating func addTree(
    _ tree: UInt64, root: Int, _ offsets: GoOffsets, _ memory: some TargetMemory
  ) {
    var open = [tree]
    while let node = open.popLast() {
      guard let first = read(node, offsets, memory), Self.root(of: first.lock) == root else {
        continue
      }
      if first.branches.0 != 0 { open.append(first.branches.0) }
      if first.branches.1 != 0 { open.append(first.branches.1) }
      var entry = first
      while entry.lock == first.lock, locks.updateValue(entry.lock, forKey: entry.goroutine) == nil,
        entry.next != 0, let next = read(entry.next, offsets, memory)
      {
        entry = next
      }
    }
  }

  private struct Entry {
    let goroutine: UInt64
    let lock: UInt64
    let branches: (UInt64, UInt64)
    let next: UInt64
  }

  private mutating func read(
    _ address: UInt64, _ offsets: GoOffsets, _ memory: some TargetMemory
  ) -> Entry? {
    reads += 1
    guard reads <= Self.readLimit else { return nil }
    return Self.entry(at: address, offsets, memory)
  }

  private static func entry(
    at address: UInt64, _ offsets: GoOffsets, _ memory: some TargetMemory
  ) -> Entry? {
    guard
      let bytes = GoMemory.bytes(
        at: RemoteAddress(address), count: offsets.queueSize, in: memory)
    else { return nil }
    // The array outlives the span.
    let reader = unsafe ByteReader(bytes.span.bytes)
    func word(_ offset: Int) -> UInt64 { reader.value(at: offset, as: UInt64.self) ?? 0 }
    return Entry(
      goroutine: word(GoOffsets.queuedGoroutine), lock: word(offsets.element),
      branches: (word(GoOffsets.branches.0), word(GoOffsets.branches.1)),
      next: word(offsets.nextInQueue))
  }

  /// Which root an address belongs to.
  private static func root(of lock: UInt64) -> Int { Int((lock >> 3) % UInt64(rootCount)) }

  /// Whether a place holds such a table: its trees must be of addresses that belong where they are.
  static func isTable(
    at place: RemoteAddress, _ offsets: GoOffsets, in memory: some TargetMemory
  ) -> Bool {
    guard let bytes = GoMemory.bytes(at: place, count: GoImage.lockTableSize, in: memory) else {
      return false
    }
    // The array outlives the span.
    let reader = unsafe ByteReader(bytes.span.bytes)
    for root in 0..<rootCount {
      let start = root * rootSize
      guard let tree = reader.value(at: start + treeOffset, as: UInt64.self),
        let count = reader.value(at: start + treeOffset + 8, as: UInt32.self)
      else { return false }
      // The rest of the cache line is never written to.
      for rest in stride(from: start + 24, to: start + rootSize, by: 8)
      where reader.value(at: rest, as: UInt64.self) != 0 { return false }
      guard tree != 0 else {
        if count != 0 { return false }
        continue
      }
      guard let entry = entry(at: tree, offsets, memory), self.root(of: entry.lock) == root else {
        return false
      }
    }
    return true
  }
}
