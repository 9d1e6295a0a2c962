internal import LinuxProcess
internal import ProfileModel

/// Reads a thread's native stack together with the first pieces of memory that a language runtime
/// wants of it: by one system call, which takes half as long as two.
///
/// Kept for the whole capture, so that a stop allocates nothing for it.
final class StackRead: TargetMemory {
  private var memory = ProcessMemory(tid: 0)
  private var start = RemoteAddress(0)
  private var place = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  /// The bytes of the stack that were read; nil before the read.
  private var count: Int?
  /// Where the loader counts its loads.
  private var counter: RemoteAddress?
  /// How many there had been when the stack was read; nil when that is not known.
  private(set) var loads: UInt64?

  /// Begins a sample of a thread whose stack goes to `place`; the loader's counter is read with it.
  func begin(
    _ memory: ProcessMemory, at start: RemoteAddress, into place: UnsafeMutableRawBufferPointer,
    counter: RemoteAddress?
  ) {
    self.memory = memory
    self.start = start
    self.place = place
    self.counter = counter
    count = nil
    loads = nil
  }

  func read(
    _ ranges: ArraySlice<MemoryRange>, into buffer: UnsafeMutableRawBufferPointer
  ) -> Int {
    guard count == nil else { return memory.read(ranges, into: buffer) }
    let result = memory.read(
      at: start, into: place, and: ranges, into: buffer, word: counter)
    count = result.first
    loads = result.word
    return result.rest
  }

  /// The bytes of the stack, which are read now if nothing else was; forgets the place.
  func finish() -> Int {
    if count == nil {
      _ = read([], into: UnsafeMutableRawBufferPointer(start: nil, count: 0))
    }
    let result = count ?? 0
    place = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    return max(0, result)
  }
}
