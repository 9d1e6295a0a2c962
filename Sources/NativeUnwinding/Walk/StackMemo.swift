internal import Glibc
internal import ProfileModel

/// Remembers which stack a frame and its caller make, in front of `StackTable`'s own table.
///
/// One place for each hash: a newer pair takes the place of an older one.
struct StackMemo: ~Copyable {
  /// Zeros, as fresh memory has them, are a free place.
  private struct Slot {
    /// The complement, which no pair has as zeros.
    var key: UInt64 = 0
    var stack = StackID.empty
  }

  private static let count = 1 << 15
  private let slots: UnsafeMutablePointer<Slot>

  init() {
    // Most of it is never used, and costs nothing until it is.
    guard let zeros = calloc(Self.count, MemoryLayout<Slot>.stride) else {
      preconditionFailure("no memory for \(Self.count) stacks")
    }
    slots = zeros.bindMemory(to: Slot.self, capacity: Self.count)
  }

  deinit { free(slots) }

  @inline(__always)
  func stack(
    of frame: FrameID, calledBy caller: StackID, in stacks: inout StackTable
  ) -> StackID {
    let key = ~(UInt64(caller.rawValue) << 32 | UInt64(frame.rawValue))
    let index = Int(truncatingIfNeeded: (key &* 0x9e37_79b9_7f4a_7c15) >> 49)
    let slot = slots + index
    if slot.pointee.key == key { return slot.pointee.stack }
    let stack = stacks.stack(of: frame, calledBy: caller)
    slot.pointee = Slot(key: key, stack: stack)
    return stack
  }

  func removeAll() { slots.update(repeating: Slot(), count: Self.count) }
}
