internal import Glibc
internal import ProfileModel

/// The registers that a called function leaves as they were (System V ABI, figure 3.4), in
/// libunwind's numbers; with the stack and the address they decide how unwinding goes on.
struct SavedRegisters {
  static let count = 6
  static let numbers: InlineArray<6, CInt> = [3, 6, 12, 13, 14, 15]
  static let framePointer = 1

  var values: InlineArray<6, UInt64> = InlineArray(repeating: 0)
  /// Bit i says that `values[i]` is known.
  var known: UInt8 = 0

  /// Every register's bit.
  static let all: UInt8 = 0x3f

  /// The bits of `numbers` in a mask of libunwind's numbers.
  static func bits(of mask: UInt32) -> UInt8 {
    var bits: UInt8 = 0
    for index in 0..<count where mask & 1 << UInt32(numbers[index]) != 0 {
      bits |= 1 << UInt8(index)
    }
    return bits
  }

  @inline(__always)
  static func == (left: SavedRegisters, right: SavedRegisters) -> Bool {
    guard left.known == right.known else { return false }
    for index in 0..<count where left.values[index] != right.values[index] { return false }
    return true
  }
}

/// One frame of a walk, with all that decides how the walk goes on from it.
struct WalkedFrame {
  /// The address that is looked up: of a return address, the byte before it.
  var pc: RemoteAddress
  var stackPointer: RemoteAddress
  /// Only valid at a junction.
  var saved = SavedRegisters()
  var frame = FrameID(0)
  /// The stack from this frame outwards; only valid where `ThreadHistory` says so.
  var stack = StackID.empty
  /// Whether it was reached by a return address.
  var isReturn = false
  /// Whether a frame pointer led here.
  var isInChain = false

  /// Whether a walk compares here with the walk before; then `saved` is read, which costs as
  /// much as a third of a rule.
  ///
  /// Half of the return addresses, chosen by where its frame is, so that two walks choose alike.
  /// Elsewhere registers that no compiler keeps over a call might matter, too.
  @inline(__always)
  var isJunction: Bool { isReturn && (stackPointer.rawValue &* 0x9e37_79b9_7f4a_7c15) &>> 63 == 0 }

  /// Whether the frames further out follow from the same values; both being at a junction.
  @inline(__always)
  func goesOn(like other: UnsafeMutablePointer<WalkedFrame>) -> Bool {
    other.pointee.stackPointer == stackPointer && other.pointee.pc == pc
      && other.pointee.isReturn && other.pointee.isInChain == isInChain
      && other.pointee.saved == saved
  }
}

/// A growing array in raw storage.
struct FrameBuffer: ~Copyable {
  private(set) var base: UnsafeMutablePointer<WalkedFrame>
  private(set) var capacity: Int
  var count = 0

  init(capacity: Int) {
    self.capacity = capacity
    base = .allocate(capacity: capacity)
  }

  deinit { base.deallocate() }

  /// Makes room for `needed` frames, and for up to `limit` while at it.
  mutating func reserve(_ needed: Int, limit: Int) {
    guard needed > capacity else { return }
    let larger = max(needed, min(capacity * 2, limit))
    let moved = UnsafeMutablePointer<WalkedFrame>.allocate(capacity: larger)
    moved.moveInitialize(from: base, count: count)
    base.deallocate()
    base = moved
    capacity = larger
  }
}

/// The previous stack of one thread: its frames, and the bytes they were found in.
///
/// Everything is kept from the outer end, which is the end that stays the same.
final class ThreadHistory {
  /// Outermost first.
  var frames = FrameBuffer(capacity: 32)
  /// How many of the outermost frames know their `stack`.
  var named = 0
  /// What `frames` make altogether.
  var stack = StackID.empty
  /// Whether the walk reached the thread's first frame; else nothing of it is used again.
  var isComplete = false
  /// The address just above the last frame, and above the kept bytes.
  private(set) var top = RemoteAddress(0)

  private var bytes = UnsafeMutableRawPointer.allocate(byteCount: 4096, alignment: 16)
  private var capacity = 4096
  /// The kept bytes are the last `count` of `bytes`.
  private var count = 0

  deinit { bytes.deallocate() }

  func removeAll() {
    frames.count = 0
    named = 0
    stack = .empty
    isComplete = false
    count = 0
    top = RemoteAddress(0)
  }

  /// The lowest address from which on `copy`, which starts at `start`, equals the kept bytes up
  /// to `top`; nil when nothing is kept or the copy ends below `top`.
  func startOfEqualTail(
    _ copy: UnsafeRawBufferPointer, at start: RemoteAddress
  ) -> RemoteAddress? {
    guard isComplete, count > 0, let base = copy.baseAddress, top >= start,
      top.distance(from: start) <= UInt64(copy.count)
    else { return nil }
    let kept = UnsafeRawPointer(bytes) + (capacity - count)
    let offset = Int(top.distance(from: start))
    let common = min(count, offset)
    let old = kept + (count - common)
    let new = base + (offset - common)
    var equal = common
    while equal > 0 {
      let chunk = min(equal, 1024)
      if memcmp(old + (equal - chunk), new + (equal - chunk), chunk) != 0 { break }
      equal -= chunk
    }
    // The chunk that differs ends at `equal`; find its last byte that does.
    while equal > 0,
      old.load(fromByteOffset: equal - 1, as: UInt8.self)
        == new.load(fromByteOffset: equal - 1, as: UInt8.self)
    { equal -= 1 }
    return top.advanced(by: -Int64(common - equal))
  }

  /// Keeps the bytes of `copy` up to `outermost`; those from `equalFrom` on are kept already.
  func keep(
    _ copy: UnsafeRawBufferPointer, at start: RemoteAddress, upTo outermost: RemoteAddress,
    equalFrom: RemoteAddress?
  ) {
    let newCount =
      outermost > start
      ? Int(min(outermost.distance(from: start), UInt64(copy.count))) : 0
    let newTop = start.advanced(by: Int64(newCount))
    var changed = newCount
    if let equalFrom, newTop == top, newCount <= capacity {
      changed = Int(max(equalFrom, start).distance(from: start))
    } else if newCount > capacity {
      bytes.deallocate()
      capacity = newCount * 2
      bytes = .allocate(byteCount: capacity, alignment: 16)
    }
    if let base = copy.baseAddress, changed > 0 {
      (bytes + (capacity - newCount)).copyMemory(from: base, byteCount: changed)
    }
    count = newCount
    top = newTop
  }
}
