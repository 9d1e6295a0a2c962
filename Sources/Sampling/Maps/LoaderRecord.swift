internal import ELFReading
internal import LinuxProcess
internal import ProfileModel
internal import Synchronization

/// Where a program's loader counts the libraries that it loads.
///
/// Its counters tell whether the maps that were read show what was loaded when a stack was copied. There is
/// none in programs without a loader, or with musl's, which never unloads a library.
struct LoaderRecord: Sendable {
  /// `loads` never falls while a program runs: code that was on a stack had been loaded when it had that
  /// value, and had not been unloaded.
  struct Counts: Equatable, Sendable {
    let loads: UInt64
    /// The libraries that are there.
    let present: UInt32
    /// Whether a library is just being mapped, before it counts, or unmapped.
    var isChanging = false

    /// How many were unloaded between `earlier` and this, at the most; less than 0 when this was the earlier
    /// one of two with as many loads.
    func removals(since earlier: Counts) -> Int64 {
      let added = Int64(present) - Int64(earlier.present)
      return Int64(bitPattern: loads &- earlier.loads) &- added
    }

    /// Whether maps that were read at these counts show all that was loaded at `other`.
    func showAll(at other: Counts) -> Bool { loads >= other.loads && removals(since: other) <= 0 }
  }

  /// Where the number of loads is; 8 bytes.
  let loads: RemoteAddress
  let present: RemoteAddress
  /// Not 0 while a library is being mapped or unmapped; 4 bytes.
  let state: RemoteAddress
  /// The loader's first mapping.
  let mapping: MemoryMapping

  private struct FileKey: Hashable {
    let device: UInt64
    let inode: UInt64
  }

  /// By the loader's file: all processes of a machine mostly have one.
  private static let known = Mutex<[FileKey: LoaderCounters?]>([:])

  /// The record of the program that has these maps, which most often is the one from before.
  static func find(
    in maps: MemoryMaps, from before: LoaderRecord?, _ memory: ProcessMemory
  ) -> LoaderRecord? {
    if let before, let mapping = maps.mapping(containing: before.mapping.start),
      mapping == before.mapping
    {
      return before
    }
    for mapping in maps.mappings where isLoader(mapping) {
      guard let counters = counters(of: mapping, memory) else { continue }
      // The first mapping has the headers, at address 0.
      return LoaderRecord(
        loads: mapping.start.advanced(by: Int64(bitPattern: counters.loads.rawValue)),
        present: mapping.start.advanced(by: Int64(bitPattern: counters.present.rawValue)),
        state: mapping.start.advanced(by: Int64(bitPattern: counters.state.rawValue)),
        mapping: mapping)
    }
    return nil
  }

  /// `ld-linux-x86-64.so.2`, or `ld-2.31.so` before glibc 2.34.
  private static func isLoader(_ mapping: MemoryMapping) -> Bool {
    guard mapping.isFile, mapping.fileOffset == 0 else { return false }
    let name = fileName(of: mapping)
    return name.starts(with: "ld-".utf8) || name.starts(with: "ld.so".utf8)
  }

  private static func fileName(of mapping: MemoryMapping) -> Substring.UTF8View {
    let path = mapping.path.utf8
    return path.lastIndex(of: UInt8(ascii: "/")).map { path[path.index(after: $0)...] } ?? path[...]
  }

  private static func counters(
    of mapping: MemoryMapping, _ memory: ProcessMemory
  ) -> LoaderCounters? {
    let key = FileKey(device: mapping.device, inode: mapping.inode)
    if let known = known.withLock({ $0[key] }) { return known }
    guard let file = try? memory.open(mapping) else { return nil }
    var counters: LoaderCounters?
    if let elf = try? ELFFile(file.bytes) { counters = LoaderCounters(elf, bytes: file.bytes) }
    known.withLock { $0[key] = .some(counters) }
    return counters
  }

  /// The counters as they are now; nil when they cannot be read.
  func counts(in memory: ProcessMemory) -> Counts? {
    var values = (loads: UInt64(0), present: UInt32(0), state: UInt32(0))
    let pieces = [
      MemoryRange(start: loads, count: 8), MemoryRange(start: present, count: 4),
      MemoryRange(start: state, count: 4),
    ]
    let count = withUnsafeMutableBytes(of: &values) { memory.read(pieces[...], into: $0) }
    guard count == 16 else { return nil }
    return Counts(
      loads: values.loads, present: values.present, isChanging: values.state != 0)
  }

  /// Whether a file that is mapped stays so for as long as the program runs: the loader never unloads
  /// itself, the C library, or the program.
  func keeps(_ other: MemoryMapping, program: String?) -> Bool {
    if !other.isFile || other.inode == mapping.inode && other.device == mapping.device {
      return true
    }
    if other.path == program { return true }
    let name = Self.fileName(of: other)
    return name.starts(with: "libc.so".utf8) || name.starts(with: "libc-".utf8)
  }
}
