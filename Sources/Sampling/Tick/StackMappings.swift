internal import LinuxProcess
internal import ProfileModel

/// The writable mappings of the process: each stack is in one of them.
struct StackMappings {
  /// Whether an address was met that is in none of them.
  var areStale = true
  /// Counts the readings of the maps.
  private(set) var serial = 0
  /// In ascending order.
  private var ranges: [Range<UInt64>] = []
  /// When they were read last, nanoseconds from the start.
  private var readTime: Int64 = 0

  /// Whether it is time to read them again; a new program loads its libraries first: its maps are read
  /// after 1, 2, 4 … ms.
  func areDue(at time: Int64, isNewProgram: Bool) -> Bool {
    let pause = isNewProgram ? max(1_000_000, readTime) : 1_000_000_000
    return areStale || time - readTime >= min(pause, 1_000_000_000)
  }

  /// Reads the maps, and passes them on to the resolver; keeps what is known when they cannot be read.
  mutating func read(
    from memory: ProcessMemory, of folder: TaskFolder, at time: Int64, to spaces: AddressSpaces
  ) {
    guard let maps = try? memory.maps(), !maps.mappings.isEmpty else { return }
    areStale = false
    readTime = time
    serial += 1
    spaces.publish(
      AddressSpaces.Reading(
        serial: serial, time: MonotonicClock.now().rawValue, maps: maps,
        name: folder.name(of: folder.process)))
    ranges.removeAll(keepingCapacity: true)
    for mapping in maps.mappings where mapping.isReadable && mapping.isWritable {
      ranges.append(mapping.start.rawValue..<mapping.end.rawValue)
    }
  }

  /// The mapping around `address`, by binary search; allocates nothing.
  func range(containing address: UInt64) -> Range<UInt64>? {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound <= address { low = middle + 1 } else { high = middle }
    }
    guard low < ranges.count, ranges[low].contains(address) else { return nil }
    return ranges[low]
  }
}
