internal import LinuxProcess
internal import ProfileModel

/// The writable mappings of the process, in one of which each stack is, and whether the maps show the
/// libraries that are loaded.
struct StackMappings {
  /// Whether an address was met that is in none of them.
  var areStale = true
  /// Whether they are those of a program of 32 bits.
  private(set) var areOf32Bits = false
  /// Counts the readings of the maps.
  private(set) var serial = 0
  /// In ascending order.
  private var ranges: [Range<RemoteAddress>] = []
  /// The last reading.
  private(set) var latest = MemoryMaps()
  private(set) var pace = MapsPace()
  /// Nil where the program's loader keeps no record.
  private(set) var loader: LoaderRecord?
  /// What the loader had counted when they were read; nil where it went on counting meanwhile.
  private var counts: LoaderRecord.Counts?
  /// The CPU time that the last reading took to find the loader's record, which the next one knows.
  private var searchCost: Nanoseconds = 0
  /// What the process ran at the last reading; nil where that is not known.
  private var program: ProgramIdentity?
  /// A stack below this has hardly any program but one of 32 bits.
  private static let endOf32Bits = RemoteAddress(1 << 32)
  /// Whether samples wait for the next reading.
  private(set) var isAwaited = false

  /// Of a process that runs this program.
  init(of program: ProgramIdentity?) { self.program = program }

  /// Whether it is time to read them again.
  func areDue(at time: Nanoseconds, isQuiet: Bool) -> Bool {
    pace.isDue(at: time, isUrgent: areStale, isQuiet: isQuiet)
  }

  /// Whether samples wait for a reading that would not take too much of the time.
  func areDueForSamples(at time: Nanoseconds) -> Bool {
    isAwaited && pace.isDue(at: time, isUrgent: true)
  }

  /// The reading of the maps that a stack belongs to which was copied when the loader had counted so many
  /// loads: the next one, if it has gone on counting.
  mutating func serial(atLoads loads: UInt64?) -> Int {
    guard loader != nil, loads == nil || loads != counts?.loads else { return serial }
    isAwaited = true
    return serial + 1
  }

  /// Reads the maps, and passes them on to the resolver; keeps what is known when they cannot be read.
  mutating func read(
    from memory: ProcessMemory, of folder: TaskFolder, at time: Nanoseconds, isNewProgram: Bool,
    to spaces: AddressSpaces
  ) {
    let before = OwnUsage.threadCPU()
    searchCost = 0
    guard let maps = readMaps(from: memory) else { return }
    areStale = false
    latest = maps
    serial += 1
    let libraries = loader.map {
      AddressSpaces.Libraries(
        counts: counts, loader: $0, program: folder.link("exe", of: memory.tid))
    }
    spaces.publish(
      AddressSpaces.Reading(
        serial: serial, time: MonotonicClock.now(), maps: maps,
        name: folder.name(of: folder.process), libraries: libraries,
        program: newProgram(in: memory, folder)))
    let isLow = maps.mappings.contains { $0.path == "[stack]" && $0.end <= Self.endOf32Bits }
    areOf32Bits = isLow && memory.isOf32BitProgram
    ranges.removeAll(keepingCapacity: true)
    for mapping in maps.mappings where mapping.isReadable && mapping.isWritable {
      ranges.append(mapping.start..<mapping.end)
    }
    pace.note(
      maps, at: time, cost: OwnUsage.threadCPU() - before - searchCost, isNewProgram: isNewProgram)
  }

  /// The program that the process has executed since the last reading; nil for none.
  private mutating func newProgram(
    in memory: ProcessMemory, _ folder: TaskFolder
  ) -> AddressSpaces.Program? {
    guard let program else {
      self.program = ProgramIdentity(memory)
      return nil
    }
    guard !program.isSame(in: memory) else { return nil }
    self.program = ProgramIdentity(memory)
    return AddressSpaces.Program(folder, thread: memory.tid)
  }

  /// Notes an address of a stack that is in no reading, while there can be no other: the process may have
  /// executed a program of 32 bits, whose system calls have other numbers (10 µs where it may be one).
  mutating func noteUnknownStack(at address: RemoteAddress, _ memory: ProcessMemory) {
    guard address < Self.endOf32Bits, !areOf32Bits else { return }
    areOf32Bits = memory.isOf32BitProgram
  }

  /// Reads maps and counters that belong together; without counters where the loader is at work all the
  /// time.
  private mutating func readMaps(from memory: ProcessMemory) -> MemoryMaps? {
    var latest: MemoryMaps?
    for _ in 0..<3 {
      let before = loader?.counts(in: memory)
      guard let maps = try? memory.maps(), !maps.mappings.isEmpty else { break }
      latest = maps
      let search = OwnUsage.threadCPU()
      loader = LoaderRecord.find(in: maps, from: loader, memory)
      searchCost += OwnUsage.threadCPU() - search
      counts = loader?.counts(in: memory)
      // What is being mapped is there before it counts.
      if counts == before, counts?.isChanging != true { return maps }
    }
    counts = nil
    return latest
  }

  /// Lets the resolver go on with samples that wait for a reading, whether or not there was one.
  mutating func settle(_ spaces: AddressSpaces) {
    guard isAwaited else { return }
    isAwaited = false
    spaces.settle()
  }

  /// The mapping around `address`, by binary search; allocates nothing.
  func range(containing address: RemoteAddress) -> Range<RemoteAddress>? {
    let place = ranges.partitioningIndex { $0.upperBound > address }
    guard place < ranges.count, ranges[place].contains(address) else { return nil }
    return ranges[place]
  }
}
