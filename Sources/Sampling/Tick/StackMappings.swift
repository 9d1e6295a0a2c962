internal import LinuxProcess
internal import ProfileModel

/// The writable mappings of the process: each stack is in one of them.
struct StackMappings {
  /// Whether an address was met that is in none of them.
  var areStale = true
  /// Counts the readings of the maps.
  private(set) var serial = 0
  /// In ascending order.
  private var ranges: [Range<RemoteAddress>] = []
  /// When they were read last, since the start of the capture.
  private var readTime: Nanoseconds = 0

  /// Whether it is time to read them again; a new program loads its libraries first: its maps are read
  /// after 1, 2, 4 … ms.
  func areDue(at time: Nanoseconds, isNewProgram: Bool) -> Bool {
    let longest = Nanoseconds.seconds(1)
    let pause = isNewProgram ? min(max(.milliseconds(1), readTime), longest) : longest
    return areStale || time - readTime >= pause
  }

  /// Reads the maps, and passes them on to the resolver; keeps what is known when they cannot be read.
  mutating func read(
    from memory: ProcessMemory, of folder: TaskFolder, at time: Nanoseconds,
    to spaces: AddressSpaces
  ) {
    guard let maps = try? memory.maps(), !maps.mappings.isEmpty else { return }
    areStale = false
    readTime = time
    serial += 1
    spaces.publish(
      AddressSpaces.Reading(
        serial: serial, time: MonotonicClock.now(), maps: maps,
        name: folder.name(of: folder.process)))
    ranges.removeAll(keepingCapacity: true)
    for mapping in maps.mappings where mapping.isReadable && mapping.isWritable {
      ranges.append(mapping.start..<mapping.end)
    }
  }

  /// The mapping around `address`, by binary search; allocates nothing.
  func range(containing address: RemoteAddress) -> Range<RemoteAddress>? {
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
