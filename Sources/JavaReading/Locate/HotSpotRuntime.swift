internal import LinuxProcess
internal import ProfileModel

/// HotSpot in one process: where it is, and the layout of its structures.
struct HotSpotRuntime: Sendable {
  let path: String
  let layout: HotSpotLayout
}

/// What the search for a Java VM found.
enum HotSpotSearch {
  case none
  case notReady
  case found(HotSpotRuntime)
  /// Another VM, or a version without the fields that are needed; what it is, as a sentence says it.
  case unknown(String)
  case unreadable(String)

  /// Stops nothing; some milliseconds where there is a Java VM.
  static func run(memory: ProcessMemory, maps: MemoryMaps) -> HotSpotSearch {
    let files = maps.mappings.lazy.filter { $0.isFile && $0.path.hasSuffix(".so") }
    if files.contains(where: { isOpenJ9($0.path) }) { return .unknown("Java on OpenJ9") }
    guard files.contains(where: { $0.path.hasSuffix("/libjvm.so") }) else {
      return HotSpotImage.isNativeImage(maps, memory: memory)
        ? .unknown("a GraalVM native image") : .none
    }
    guard let image = HotSpotImage(named: "libjvm.so", in: maps, memory: memory) else {
      return .unreadable("HotSpot")
    }
    guard !image.variables.isEmpty else { return .unknown("Java on an unknown VM") }
    let target = JavaMemory(memory)
    guard let tables = HotSpotTables(variables: image.variables, memory: target) else {
      return .unreadable("HotSpot")
    }
    do {
      let layout = try HotSpotLayout(tables, memory: target)
      guard isReady(layout, target) else { return .notReady }
      return .found(HotSpotRuntime(path: image.path, layout: layout))
    } catch {
      return .unknown(version(tables, target))
    }
  }

  /// Whether a file is OpenJ9's, such as `libj9vm29.so`.
  private static func isOpenJ9(_ path: String) -> Bool {
    let bytes = path.utf8
    let name = bytes.lastIndex(of: UInt8(ascii: "/")).map { bytes[bytes.index(after: $0)...] }
    return (name ?? bytes[...]).starts(with: "libj9vm".utf8)
  }

  /// Whether the VM has a code cache and threads by now.
  private static func isReady(_ layout: HotSpotLayout, _ memory: JavaMemory) -> Bool {
    guard let heaps = memory.address(at: layout.code.heaps), !heaps.isNull,
      let list = memory.address(at: layout.threads.list), !list.isNull,
      let stub = memory.address(at: layout.code.callStubReturn), !stub.isNull
    else { return false }
    return (memory.int(at: list + layout.threads.listLength) ?? 0) > 0
  }

  static func version(_ tables: HotSpotTables, _ memory: JavaMemory) -> String {
    // The one heap of code became several in JDK 9; before, HotSpot had version numbers of its own.
    if tables.fields["CodeCache::_heap"] != nil { return "HotSpot of JDK 8 or older" }
    let field = tables.fields["Abstract_VM_Version::_vm_major_version"]
    guard let number = field.flatMap({ memory.int(at: $0.address) }), (1...99).contains(number)
    else { return "HotSpot of an unknown version" }
    return "HotSpot of JDK \(number)"
  }
}
