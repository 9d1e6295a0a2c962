internal import Glibc
internal import LinuxProcess
internal import ProfileModel
internal import Synchronization

/// One look at one thread, as the tracer hands it to the resolver.
struct SampleRecord {
  enum Kind: UInt8 {
    /// A stack, or the lack of one.
    case sample
    /// The thread has ended, or the capture has: `repeated` counts, and as `weight` what it did since.
    case end
  }

  var kind = Kind.sample
  /// The slot that the tracer keeps the thread in; another thread may get it after `end`.
  var slot = 0
  var tid: Int32 = 0
  /// Nanoseconds from the start of the capture.
  var time: Int64 = 0
  var isRunning = false
  /// Whether a stop would give a sleeping thread's registers without the program noticing.
  var bearsStop = true
  /// Whether the main thread's stack lies in another mapping than at the last sample: as after exec.
  var hasMovedStack = false
  /// The reading of the maps that it belongs to (`AddressSpaces`).
  var mapsSerial = 0
  /// Whether most of the time since the last sample went by waiting for a CPU.
  var isWaitingForCPU = false
  /// The state letter of /proc, 0 when it was not read.
  var state: UInt8 = 0
  /// -1 for none.
  var systemCall: Int32 = -1
  var arguments = InlineArray<6, UInt64>(repeating: 0)
  var registers = Registers()
  var stackStart: UInt64 = 0
  /// Where the copy of the stack lies in the ring's bytes.
  var byteOffset = 0
  var byteCount = 0
  var reachesEnd = false
  /// What this sample stands for.
  var weight = Weight()
  /// What the thread's stack of before has lasted on since it was recorded.
  var repeated = Weight()
  var counters = ThreadCounters()
  /// Whether the thread waits for its interpreter's lock.
  var awaitsLock = false
  /// Under which number the frames of a language's runtime are handed over; 0 for none.
  var runtimeNumber: UInt64 = 0
  /// The thread's name, where it was read with something else.
  var name: String?
}

/// Carries looks with their stack bytes from the tracer to the resolver, without a lock and without
/// allocating.
///
/// One thread puts in, one takes out. A stack copy lies in one piece, so that the kernel can write
/// it in place; when the ring is empty it starts again at the front, which keeps the memory in use
/// little and in the cache.
final class SampleRing: @unchecked Sendable {
  // Sendable: `produced` and `consumed` order all access to records and bytes. The producer writes
  // only what lies outside consumed..<produced and outside the bytes of those records; the consumer
  // reads only what lies inside, and `first` only while there is something inside.
  let byteCapacity: Int
  private let recordCapacity: Int
  private let records: UnsafeMutablePointer<SampleRecord>
  private let bytes: UnsafeMutableRawPointer
  private let produced = Atomic<Int>(0)
  private let consumed = Atomic<Int>(0)
  /// Producer only: the end of the newest bytes.
  private var byteHead = 0
  /// Producer only: the most bytes that a record had.
  private var mostBytes = 0
  /// The number of the record that lies at the front.
  ///
  /// The producer changes it while the ring is empty.
  private var first = 0

  init(byteCapacity: Int, recordCapacity: Int = 1 << 14) {
    self.byteCapacity = byteCapacity
    self.recordCapacity = recordCapacity
    // Each is initialized by the `reserve` that gives it out, so that memory which is never used
    // is never touched: many rings may be there at a time.
    records = .allocate(capacity: recordCapacity)
    bytes = .allocate(byteCount: byteCapacity, alignment: 4096)
  }

  deinit {
    records.deallocate()
    bytes.deallocate()
  }

  // MARK: - The tracer's side

  /// Whether a record with `count` stack bytes would find room now.
  func hasRoom(for count: Int) -> Bool {
    produced.load(ordering: .relaxed) - consumed.load(ordering: .acquiring) < recordCapacity
      && place(for: count) != nil
  }

  /// Whether a quarter of it is used, so that the resolver should not be waited for.
  var isFilling: Bool {
    let next = produced.load(ordering: .relaxed)
    let oldest = consumed.load(ordering: .acquiring)
    // Mostly few wait, and to look at them is not free: the resolver had them last.
    guard (next - oldest) * mostBytes > byteCapacity / 4 || next - oldest > recordCapacity / 4
    else { return false }
    let tail = record(oldest).pointee.byteOffset
    let used = byteHead >= tail ? byteHead - tail : byteCapacity - tail + byteHead
    return next - oldest > recordCapacity / 4 || used > byteCapacity / 4
  }

  /// Brings the next records into the cache, so that a stop does not wait for that.
  func warm(_ count: Int) {
    let next = produced.load(ordering: .relaxed)
    let oldest = consumed.load(ordering: .acquiring)
    if oldest == next { first = next }
    let end = min(next + count, oldest + recordCapacity)
    for number in next..<max(next, end) { record(number).initialize(to: SampleRecord()) }
  }

  private func record(_ number: Int) -> UnsafeMutablePointer<SampleRecord> {
    records + (number - first) % recordCapacity
  }

  /// The next record to fill and room for `count` stack bytes; nil when the ring is full.
  ///
  /// Nothing is handed over before `commit()`, which may use fewer bytes.
  func reserve(
    _ count: Int
  ) -> (record: UnsafeMutablePointer<SampleRecord>, bytes: UnsafeMutableRawPointer)? {
    let next = produced.load(ordering: .relaxed)
    let oldest = consumed.load(ordering: .acquiring)
    guard next - oldest < recordCapacity, let offset = place(for: count) else { return nil }
    if oldest == next { first = next }
    let record = record(next)
    record.initialize(to: SampleRecord())
    record.pointee.byteOffset = offset
    return (record, bytes + offset)
  }

  /// Hands over the record that was reserved last.
  func commit() {
    let next = produced.load(ordering: .relaxed)
    let record = record(next)
    let size = Self.aligned(record.pointee.byteCount)
    byteHead = record.pointee.byteOffset + size
    mostBytes = max(mostBytes, size)
    produced.store(next + 1, ordering: .releasing)
  }

  private func place(for count: Int) -> Int? {
    let oldest = consumed.load(ordering: .acquiring)
    guard oldest < produced.load(ordering: .relaxed) else { return count <= byteCapacity ? 0 : nil }
    let tail = record(oldest).pointee.byteOffset
    if byteHead >= tail {
      if byteHead + count <= byteCapacity { return byteHead }
      return Self.aligned(count) < tail ? 0 : nil
    }
    // Never up to the tail itself: an equal head and tail mean that the bytes have not wrapped.
    return byteHead + Self.aligned(count) < tail ? byteHead : nil
  }

  /// Records' bytes begin at a multiple of 64, a cache line.
  private static func aligned(_ count: Int) -> Int { (count + 63) & ~63 }

  // MARK: - The resolver's side

  /// Hands the oldest record to `body` and frees it; false when there is none, or one that is not `ready`.
  func takeOne(
    if ready: (SampleRecord) -> Bool, _ body: (SampleRecord, UnsafeRawBufferPointer) -> Void
  ) -> Bool {
    let next = consumed.load(ordering: .relaxed)
    guard next < produced.load(ordering: .acquiring) else { return false }
    let record = record(next)
    guard ready(record.pointee) else { return false }
    body(
      record.pointee,
      UnsafeRawBufferPointer(
        start: bytes + record.pointee.byteOffset, count: record.pointee.byteCount))
    record.deinitialize(count: 1)
    consumed.store(next + 1, ordering: .releasing)
    return true
  }
}

/// What the resolver asks of the tracer, per thread slot.
final class ThreadRequests: @unchecked Sendable {
  // Sendable: the memory holds nothing but atomics.
  static let capacity = 1 << 16
  private struct Slot: ~Copyable {
    let wanted = Atomic<UInt32>(0)
    let copyLimit = Atomic<Int>(0)
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

  /// Makes the slot as new, for another thread.
  func reset(_ slot: Int) {
    slots[slot].wanted.store(0, ordering: .relaxed)
    slots[slot].copyLimit.store(0, ordering: .relaxed)
  }
}
