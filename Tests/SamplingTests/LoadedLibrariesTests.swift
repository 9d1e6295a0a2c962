import LinuxProcess
import NativeUnwinding
import ProfileModel
import TestSupport
import Testing

@testable import Sampling

@Suite struct `The loader's record` {
  @Test func `has the counters that dl_iterate_phdr gives the program`() throws {
    let folder = try TemporaryFolder()
    let (red, blue) = (
      try Plugin.compile("red", in: folder), try Plugin.compile("blue", in: folder)
    )
    let program = try RunningProgram(fixture: "plugins.c", ["0", red, blue])
    try program.awaitSleep()
    let memory = ProcessMemory(tid: program.pid)
    let maps = try memory.maps()
    let record = try #require(LoaderRecord.find(in: maps, from: nil, memory))
    let counts = try #require(record.counts(in: memory))
    #expect(Double(counts.loads) == (try program.figure("loads")))
    #expect(Double(counts.present) == (try program.figure("present")))
    #expect(counts.loads > 3)
  }

  @Test func `is missing in a program without a loader`() throws {
    let program = try RunningProgram(fixture: "spin.c", ["1"], flags: ["-O1", "-static"])
    let memory = ProcessMemory(tid: program.pid)
    #expect(LoaderRecord.find(in: try memory.maps(), from: nil, memory) == nil)
  }
}

@Suite struct `Libraries that come and go` {
  private static func mapping(_ start: UInt64, _ path: String, inode: UInt64) -> MemoryMapping {
    MemoryMapping(
      start: RemoteAddress(start), end: RemoteAddress(start + 0x1000), isReadable: true,
      isWritable: false, isExecutable: true, fileOffset: 0, device: 1, inode: inode, path: path)
  }

  private static let loader = mapping(0x9000, "/lib/ld-linux-x86-64.so.2", inode: 9)
  private static let program = mapping(0x1000, "/bin/program", inode: 1)
  private static let library = mapping(0x5000, "/lib/plugin.so", inode: 5)

  private let modules = ModuleMap(memory: ProcessMemory(tid: 0))
  private var libraries = LoadedLibraries()

  private mutating func read(loads: UInt64, present: UInt32, mappings: [MemoryMapping]) {
    let record = LoaderRecord(
      loads: RemoteAddress(0x9100), present: RemoteAddress(0x9008), state: RemoteAddress(0),
      mapping: Self.loader)
    let maps = MemoryMaps([Self.program] + mappings + [Self.loader])
    libraries.take(
      AddressSpaces.Reading(
        serial: 1, time: MonotonicClock.now(), maps: maps, name: nil,
        libraries: AddressSpaces.Libraries(
          counts: LoaderRecord.Counts(loads: loads, present: present), loader: record,
          program: Self.program.path)))
    _ = modules.update(to: maps)
  }

  /// The paths of the code that a sample is taken to have met.
  private mutating func paths(at counts: LoaderRecord.Counts?) -> [String] {
    var record = SampleRecord()
    record.byteCount = 8
    record.libraries = counts
    record.weight.samples = 1
    libraries.enter(record, modules)
    return modules.maps.mappings.map(\.path)
  }

  private mutating func paths(loads: UInt64, present: UInt32) -> [String] {
    paths(at: LoaderRecord.Counts(loads: loads, present: present))
  }

  private static let all = [program, library, loader].map(\.path)
  /// Without what the loader may unload.
  private static let certain = [program.path, "", loader.path]

  @Test mutating func `are those of the maps while the loader has loaded nothing`() {
    read(loads: 3, present: 3, mappings: [Self.library])
    #expect(paths(loads: 3, present: 3) == Self.all)
    #expect(paths(at: nil) == Self.all)
    #expect(paths(loads: 3, present: 2) == Self.all)
    #expect(libraries.uncertainSamples == 0)
  }

  @Test mutating func `are nameless at a sample from after the last reading`() {
    read(loads: 3, present: 3, mappings: [Self.library])
    #expect(paths(loads: 4, present: 4) == Self.certain)
    #expect(paths(loads: 4, present: 3) == Self.certain)
    #expect(paths(loads: 3, present: 3) == Self.all)
    #expect(libraries.uncertainSamples == 2)
  }

  @Test mutating func `are known of samples from before when none has gone`() {
    read(loads: 3, present: 3, mappings: [])
    read(loads: 6, present: 6, mappings: [Self.library])
    for loads: UInt64 in 2...6 {
      #expect(paths(loads: loads, present: UInt32(loads)) == Self.all)
    }
  }

  @Test mutating func `are nameless at samples between two readings when one has gone`() {
    read(loads: 3, present: 3, mappings: [Self.library])
    read(loads: 5, present: 3, mappings: [Self.library])
    #expect(paths(loads: 5, present: 3) == Self.all)
    for (loads, present): (UInt64, UInt32) in [(3, 3), (4, 4), (4, 3), (5, 4)] {
      #expect(paths(loads: loads, present: present) == Self.certain)
    }
    #expect(libraries.uncertainSamples == 4)
  }

  @Test mutating func `are nameless at samples from before one went and none came`() {
    read(loads: 3, present: 3, mappings: [Self.library])
    read(loads: 3, present: 2, mappings: [])
    read(loads: 4, present: 3, mappings: [Self.library])
    #expect(paths(loads: 3, present: 3) == Self.certain)
    #expect(paths(loads: 3, present: 2) == Self.all)
    #expect(paths(loads: 4, present: 3) == Self.all)
  }
}
