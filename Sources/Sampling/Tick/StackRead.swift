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
  private var loader: LoaderRecord?
  /// What the loader had counted when the stack was read; nil when that is not known.
  private(set) var libraries: LoaderRecord.Counts?

  /// Begins a sample of a thread whose stack goes to `place`; the loader's counters are read with it.
  func begin(
    _ memory: ProcessMemory, at start: RemoteAddress, into place: UnsafeMutableRawBufferPointer,
    loader: LoaderRecord?
  ) {
    self.memory = memory
    self.start = start
    self.place = place
    self.loader = loader
    count = nil
    libraries = nil
  }

  func read(
    _ ranges: ArraySlice<MemoryRange>, into buffer: UnsafeMutableRawBufferPointer
  ) -> Int {
    guard count == nil else { return memory.read(ranges, into: buffer) }
    let result = memory.read(
      at: start, into: place, and: ranges, into: buffer,
      words: loader.map { ($0.loads, $0.present) })
    count = result.first
    // The number of libraries has 4 bytes.
    libraries = result.words.map {
      LoaderRecord.Counts(loads: $0.0, present: UInt32(truncatingIfNeeded: $0.1))
    }
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
