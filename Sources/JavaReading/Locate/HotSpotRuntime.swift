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
  /// Another VM, or a version without the fields that are needed; with its name.
  case unknown(String)
  case unreadable(String)

  /// Stops nothing; some milliseconds where there is a Java VM.
  static func run(memory: ProcessMemory, maps: MemoryMaps) -> HotSpotSearch {
    let names = Set(maps.mappings.lazy.filter(\.isFile).map(\.path).compactMap(fileName))
    if names.contains(where: { $0.hasPrefix("libj9vm") }) { return .unknown("OpenJ9") }
    guard names.contains("libjvm.so") else {
      return HotSpotImage.isNativeImage(maps, memory: memory)
        ? .unknown("GraalVM native image") : .none
    }
    guard let image = HotSpotImage(named: "libjvm.so", in: maps, memory: memory) else {
      return .unreadable("HotSpot")
    }
    guard !image.variables.isEmpty else { return .unknown("of an unknown VM") }
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

  private static func fileName(_ path: String) -> String? {
    path.split(separator: "/").last.map(String.init)
  }

  /// Whether the VM has a code cache and threads by now.
  private static func isReady(_ layout: HotSpotLayout, _ memory: JavaMemory) -> Bool {
    guard let heaps = memory.address(at: layout.code.heaps), !heaps.isNull,
      let list = memory.address(at: layout.threads.list), !list.isNull,
      let stub = memory.address(at: layout.code.callStubReturn), !stub.isNull
    else { return false }
    return (memory.int(at: list + layout.threads.listLength) ?? 0) > 0
  }

  private static func version(_ tables: HotSpotTables, _ memory: JavaMemory) -> String {
    let field = tables.fields["Abstract_VM_Version::_vm_major_version"]
    guard let number = field.flatMap({ memory.int(at: $0.address) }), (1...99).contains(number)
    else { return "HotSpot of an unknown version" }
    return "HotSpot \(number)"
  }
}
