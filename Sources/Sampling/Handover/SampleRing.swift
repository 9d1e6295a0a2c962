internal import LinuxProcess
internal import ProfileModel
internal import Synchronization

/// Carries samples with their stack bytes from the tracer to the resolver, without a lock and without
/// allocating.
///
/// One thread puts in, one takes out. A stack copy is in one piece, so that the kernel can write
/// it in place; when the ring is empty it starts again at the front, which keeps the memory in use
/// small and in the cache.
final class SampleRing: @unchecked Sendable {
  // Sendable: `produced` and `consumed` order all access to records and bytes. The producer writes
  // only what is outside consumed..<produced and outside the bytes of those records; the consumer
  // reads only what is inside, and `first` only while there is something inside.
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
  /// The number of the record that is at the front.
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
    // Mostly few wait, and reading them is not free: the resolver had them last.
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

  /// A place in the ring for one record and its stack bytes.
  ///
  /// Nothing is handed over before `commit`; without it the place is given out again.
  struct Place: ~Copyable {
    let record: UnsafeMutablePointer<SampleRecord>
    let bytes: UnsafeMutableRawPointer
    private let ring: SampleRing

    fileprivate init(
      record: UnsafeMutablePointer<SampleRecord>, bytes: UnsafeMutableRawPointer,
      in ring: SampleRing
    ) {
      self.record = record
      self.bytes = bytes
      self.ring = ring
    }

    /// Hands over the record with the bytes that it counts, which may be fewer than were reserved.
    consuming func commit() { ring.commit(record) }
  }

  /// The next record to fill with room for `count` stack bytes; nil when the ring is full.
  func reserve(_ count: Int) -> Place? {
    let next = produced.load(ordering: .relaxed)
    let oldest = consumed.load(ordering: .acquiring)
    guard next - oldest < recordCapacity, let offset = place(for: count) else { return nil }
    if oldest == next { first = next }
    let record = record(next)
    record.initialize(to: SampleRecord())
    record.pointee.byteOffset = offset
    return Place(record: record, bytes: bytes + offset, in: self)
  }

  private func commit(_ record: UnsafeMutablePointer<SampleRecord>) {
    let next = produced.load(ordering: .relaxed)
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

  /// Hands the oldest record to `body` and frees it; false when there is none, or it is not `ready`.
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
