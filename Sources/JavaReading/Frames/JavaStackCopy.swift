internal import ByteReading
internal import LinuxProcess
internal import ProfileModel

/// What was copied of a thread in one stop: its `JavaThread`, and its stack from the stack pointer on.
///
/// Keeps its buffer, so that a copy allocates nothing once it was as large.
struct JavaStackCopy {
  private var bytes: [UInt8] = []
  private(set) var start = RemoteAddress.null
  private(set) var count = 0
  private var threadSize = 0
  private var ranges: [MemoryRange] = []

  /// Makes room for as many bytes of the stack.
  mutating func reserve(thread: Int, stack: Int) {
    threadSize = thread
    let size = thread + stack
    if bytes.count < size { bytes = [UInt8](repeating: 0, count: size) }
    if ranges.capacity < 2 { ranges.reserveCapacity(2) }
    start = .null
    count = 0
  }

  /// Copies the thread's structure and so much of its stack; returns whether all is there.
  mutating func copy(
    thread: RemoteAddress, stack: MemoryRange, from memory: some TargetMemory
  ) -> Bool {
    guard threadSize + stack.count <= bytes.count else { return false }
    ranges.removeAll(keepingCapacity: true)
    ranges.append(MemoryRange(start: thread, count: threadSize))
    if stack.count > 0 { ranges.append(stack) }
    let wanted = threadSize + stack.count
    let (slice, size) = (ranges[...], wanted)
    // The buffer is as long as both pieces, and is used within the call only.
    let filled = unsafe bytes.withUnsafeMutableBytes { buffer in
      unsafe memory.read(slice, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<size]))
    }
    start = stack.start
    count = max(0, filled - threadSize)
    return filled == wanted
  }

  /// Copies the stack alone, once the thread's structure has shown where it is in use.
  mutating func copy(stack: MemoryRange, from memory: some TargetMemory) -> Bool {
    guard threadSize + stack.count <= bytes.count, stack.count > 0 else { return false }
    ranges.removeAll(keepingCapacity: true)
    ranges.append(stack)
    let (slice, from, size) = (ranges[...], threadSize, threadSize + stack.count)
    // The place begins behind the thread's structure, and is as long as the piece.
    let filled = unsafe bytes.withUnsafeMutableBytes { buffer in
      unsafe memory.read(slice, into: UnsafeMutableRawBufferPointer(rebasing: buffer[from..<size]))
    }
    start = stack.start
    count = max(0, filled)
    return filled == stack.count
  }

  /// A word of the thread's structure, by its offset in what was copied of it.
  func threadWord(at offset: Int) -> UInt64? {
    guard offset >= 0, offset + 8 <= threadSize else { return nil }
    return value(at: offset)
  }

  /// A word of the stack; nil where that was not copied.
  func word(at address: RemoteAddress) -> UInt64? {
    let offset = address.distance(from: start)
    guard offset < UInt64(count), UInt64(count) - offset >= 8 else { return nil }
    return value(at: threadSize + Int(offset))
  }

  private func value(at offset: Int) -> UInt64? {
    // The span is used within this call only.
    unsafe ByteReader(bytes.span.bytes).value(at: offset, as: UInt64.self)
  }

  func address(at place: RemoteAddress) -> RemoteAddress? {
    word(at: place).map { RemoteAddress($0) }
  }

  /// The first address behind what was copied.
  var end: RemoteAddress { start + count }

  func contains(_ address: RemoteAddress) -> Bool { start <= address && address < end }
}
