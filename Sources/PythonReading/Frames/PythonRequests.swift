internal import LinuxProcess
internal import ProfileModel

/// Asks copies for pieces of memory, and notes which are still to be copied.
///
/// What was asked for once and is not there after the next read is not asked for again.
struct PythonRequests {
  /// What was asked for since the last `next`, and is not there.
  private(set) var missing: [MemoryRange] = []
  /// All that was asked for, for the plan of the next copy.
  private(set) var needed: [MemoryRange] = []
  /// By address: the bytes that were asked for, and in which round.
  private var asked: [RemoteAddress: (count: Int, round: Int)] = [:]
  private var round = 0
  /// Whether something was asked for that the next read may bring; reset by who wants to know.
  var isPending = false

  private var byteCount = 0

  /// No chain needs more pieces, or bytes; it is a torn one.
  private static let limit = 4096
  private static let byteLimit = 1 << 20

  mutating func reset() {
    missing.removeAll(keepingCapacity: true)
    needed.removeAll(keepingCapacity: true)
    asked.removeAll(keepingCapacity: true)
    round = 0
    byteCount = 0
    isPending = false
  }

  /// Begins anew after what is missing was read, but for what could not be.
  mutating func next(without lost: [MemoryRange] = []) {
    // Each of them would cost the next copy a read.
    if !lost.isEmpty { needed.removeAll { lost.contains($0) } }
    missing.removeAll(keepingCapacity: true)
    round += 1
  }

  /// Whether `count` bytes were copied; else they are asked for, with up to `room` more of their page.
  mutating func has(
    _ address: RemoteAddress, count: Int, room: Int = 0, in copies: MemoryCopies
  ) -> Bool {
    let isThere = copies.offset(of: address, count: count) != nil
    if let known = asked[address], known.count >= count {
      isPending = isPending || (!isThere && known.round == round)
      return isThere
    }
    guard !address.isNull, asked.count < Self.limit, byteCount + count <= Self.byteLimit else {
      return isThere
    }
    byteCount += count
    asked[address] = (count, round)
    let rest = Int(4096 - address.rawValue % 4096)
    let range = MemoryRange(start: address, count: max(count, min(count + room, rest)))
    needed.append(range)
    guard !isThere else { return true }
    missing.append(range)
    isPending = true
    return false
  }

  /// The word at `address`, likewise; nil while it is not there.
  mutating func word(_ address: RemoteAddress, in copies: MemoryCopies) -> UInt64? {
    has(address, count: PythonObjectShape.wordSize, in: copies) ? copies.word(at: address) : nil
  }

  /// The pointer at `address`, likewise; it may be null.
  mutating func pointer(_ address: RemoteAddress, in copies: MemoryCopies) -> RemoteAddress? {
    word(address, in: copies).map { RemoteAddress($0) }
  }
}
