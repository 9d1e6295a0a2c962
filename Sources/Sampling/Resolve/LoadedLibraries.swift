internal import LinuxProcess
internal import NativeUnwinding
internal import ProfileModel

/// Whether the maps that the resolver has show what was loaded at a sample.
///
/// Two libraries may be at one address in turn, several times a second. What is not known to have been
/// loaded at a sample gives it no names and no unwind data.
struct LoadedLibraries {
  /// Of the maps as they were read last; nil where the loader keeps no record.
  private var known: AddressSpaces.Libraries?
  private var maps = MemoryMaps()
  /// The sample's.
  private var counts: LoaderRecord.Counts?
  /// Whether the modules are without what may have been something else.
  private var areReduced = false
  /// Samples that came to addresses in place of names so.
  private(set) var uncertainSamples: Int64 = 0

  /// Takes over a reading, whose maps the modules then are.
  mutating func take(_ reading: AddressSpaces.Reading) {
    known = reading.libraries
    maps = reading.maps
    areReduced = false
  }

  /// Whether a reading has all libraries, too, that were there since the last.
  func areAll(in reading: AddressSpaces.Reading) -> Bool {
    guard let known else { return reading.libraries == nil }
    guard let new = reading.libraries, new.loader.loads == known.loader.loads,
      let before = known.counts, let now = new.counts
    else { return false }
    return now.loads >= before.loads && now.removals(since: before) == 0
  }

  /// Makes the modules those that a sample can be trusted with.
  mutating func enter(_ record: SampleRecord, _ modules: ModuleMap) {
    guard record.kind == .sample, record.byteCount > 0 else { return }
    counts = record.libraries
    let isUncertain = counts.map { known?.counts?.showAll(at: $0) != true } ?? false
    if isUncertain { uncertainSamples += record.weight.samples }
    guard isUncertain != areReduced else { return }
    areReduced = isUncertain
    // What has the bytes of a file now may have been another's at the sample.
    _ = modules.update(to: isUncertain ? certainMaps : maps, findsMovedCode: !isUncertain)
  }

  /// Makes the modules all those that are known again.
  mutating func leave(_ modules: ModuleMap) {
    if areReduced { _ = modules.update(to: maps) }
    areReduced = false
  }

  /// The maps with nameless memory in place of all that may have been unloaded.
  private var certainMaps: MemoryMaps {
    MemoryMaps(
      maps.mappings.map { mapping in
        guard mapping.isExecutable, known?.loader.keeps(mapping, program: known?.program) != true
        else { return mapping }
        return mapping.withoutFile
      })
  }

  /// Whether the loader has loaded nothing since the sample.
  func areCurrent(in memory: ProcessMemory) -> Bool {
    guard let counts, let known else { return !areReduced }
    return !areReduced && known.loader.counts(in: memory)?.loads == counts.loads
  }
}
