internal import Glibc
internal import ProfileModel
internal import Synchronization

/// What the resolver asks of the tracer, per thread slot.
final class ThreadRequests: @unchecked Sendable {
  // Sendable: the memory holds nothing but atomics.
  static let capacity = 1 << 16
  private struct Slot: ~Copyable {
    let wanted = Atomic<UInt32>(0)
    let copyLimit = Atomic<Int>(0)
    let otherStack = Atomic<UInt64>(0)
  }

  /// The unwinder needs registers that only a stop gives.
  static let registers: UInt32 = 1
  /// The copy of the stack was too short.
  static let longerCopy: UInt32 = 2

  private let slots: UnsafeMutablePointer<Slot>
  private static let size = capacity * MemoryLayout<Slot>.stride

  init() {
    // Zeros are what a `Slot()` has, so that memory which is never used is never touched. `calloc` may
    // touch it all.
    let zeros = mmap(
      nil, Self.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let zeros, zeros != MAP_FAILED else {
      preconditionFailure("no memory for the requests of \(Self.capacity) threads")
    }
    slots = zeros.bindMemory(to: Slot.self, capacity: Self.capacity)
  }

  deinit {
    // Atomics need no deinitialization, which would touch them all.
    munmap(slots, Self.size)
  }

  /// Asks for another sample of the thread in `slot`.
  func ask(_ request: UInt32, of slot: Int) {
    slots[slot].wanted.bitwiseOr(request, ordering: .releasing)
  }

  /// What was asked of the thread in `slot` since the last call.
  func take(_ slot: Int) -> UInt32 {
    guard slots[slot].wanted.load(ordering: .relaxed) != 0 else { return 0 }
    return slots[slot].wanted.exchange(0, ordering: .acquiring)
  }

  /// Whether anything is asked of the thread in `slot`.
  func isAsked(_ slot: Int) -> Bool { slots[slot].wanted.load(ordering: .relaxed) != 0 }

  /// Stack bytes to copy at the most; 0 leaves it to the tracer.
  func copyLimit(_ slot: Int) -> Int { slots[slot].copyLimit.load(ordering: .relaxed) }

  func setCopyLimit(_ limit: Int, of slot: Int) {
    slots[slot].copyLimit.store(limit, ordering: .relaxed)
  }

  /// An address of another stack of the thread, to be copied from there on; nil for none.
  func otherStack(_ slot: Int) -> RemoteAddress? {
    let address = slots[slot].otherStack.load(ordering: .relaxed)
    return address == 0 ? nil : RemoteAddress(address)
  }

  func setOtherStack(_ address: RemoteAddress?, of slot: Int) {
    slots[slot].otherStack.store(address?.rawValue ?? 0, ordering: .relaxed)
  }

  /// Clears the slot for another thread.
  func reset(_ slot: Int) {
    slots[slot].wanted.store(0, ordering: .relaxed)
    slots[slot].copyLimit.store(0, ordering: .relaxed)
    slots[slot].otherStack.store(0, ordering: .relaxed)
  }
}
