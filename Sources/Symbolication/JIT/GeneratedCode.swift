package import LinuxProcess
package import ProfileModel

/// Names of code that a program has compiled into its own memory, from the files that it writes for
/// profilers: `perf-PID.map` and `jit-PID.dump`.
///
/// They are the program's: what is read is bounded, and believed as far as it names the program's own code.
package final class GeneratedCode {
  /// Bytes of a file that are read: a larger one's end is left out.
  private static let limit = 256 << 20
  /// For one reading of one file.
  private static let readingTime = Nanoseconds.milliseconds(500)
  private static let chunk = 1 << 20

  private struct Source {
    let file: OwnedFile
    var offset = 0
    var map: PerfMap?
    var dump: JITDump?
  }

  private let openMap: () -> OwnedFile?
  private let openDump: (_ path: String?) -> OwnedFile?
  /// Where the program has its `jit-PID.dump`, if that is known.
  private var dumpPath: String?
  private var map: Source?
  private var dump: Source?
  private var mapTable = GeneratedTable()
  private var dumpTable = GeneratedTable()

  /// Files that are not there yet are asked for again at each `refresh`.
  package init(
    map: @escaping () -> OwnedFile?, dump: @escaping (_ path: String?) -> OwnedFile?
  ) {
    openMap = map
    openDump = dump
  }

  /// Takes the program's mapping of its own dump, which shows where that is, from the paths of all
  /// mappings with code.
  package func note(paths: some Sequence<String>) {
    dumpPath =
      paths.first { path in
        let name = path.lastPathPart
        return name.hasPrefix("jit-") && name.hasSuffix(".dump")
      } ?? dumpPath
  }

  /// Reads what the files have got since the last call; two system calls where that is nothing.
  package func refresh() {
    if map == nil { map = openMap().map { Source(file: $0, map: PerfMap()) } }
    if dump == nil { dump = openDump(dumpPath).map { Source(file: $0, dump: JITDump()) } }
    read(&map)
    read(&dump)
  }

  private func read(_ source: inout Source?) {
    guard let state = source?.file.state, let begin = source?.offset else { return }
    if state.size < begin {
      // Begun anew, by a program that took the place of the first.
      if source?.map != nil {
        mapTable.removeAll()
        source?.map = PerfMap()
      } else {
        dumpTable.removeAll()
        source?.dump = JITDump()
      }
      source?.offset = 0
    }
    let end = min(state.size, Self.limit)
    // What is left is read the next time.
    let deadline = MonotonicClock.now() + Self.readingTime
    while let offset = source?.offset, offset < end, MonotonicClock.now() < deadline {
      let bytes = source?.file.read(from: offset, count: min(Self.chunk, end - offset)) ?? []
      guard !bytes.isEmpty else { return }
      source?.offset += bytes.count
      source?.map?.read(bytes) { mapTable.append($0) }
      source?.dump?.read(bytes, into: &dumpTable)
    }
  }

  /// The function at an address of the program's memory; nil where neither file has one.
  package func line(at address: UInt64) -> SourceLine? {
    // A dump has lines, too.
    (dumpTable.function(at: address) ?? mapTable.function(at: address))?
      .sourceLine(at: address)
  }
}
