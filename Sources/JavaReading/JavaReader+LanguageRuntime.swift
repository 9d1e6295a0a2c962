package import LinuxProcess
package import RuntimeReading

extension JavaReader: LanguageRuntime {
  package static var language: String { "Java" }

  /// Those that are read: all whose own tables have what is needed.
  static let versions = "HotSpot of OpenJDK 17 and later"

  package static func find(
    in memory: ProcessMemory, maps: MemoryMaps, process: Int32
  ) -> RuntimeSearch {
    switch HotSpotSearch.run(memory: memory, maps: maps) {
    case .none: .none
    case .notReady: .notReady
    case .found(let runtime):
      JavaReader(runtime, memory: memory, process: process).map { .found($0) } ?? .notReady
    case .unknown(let title):
      .unknown(.unknownBuild(RuntimeBuild(title: title), known: versions))
    case .unreadable(let title):
      .unreadable(.unreadable(.memoryUnreadable, language: language, title: title))
    }
  }

  package var nativeCode: any RuntimeNativeCode {
    JavaNativeCode(path: runtime.path, codeRanges: code.heaps.heaps.map(\.range))
  }

  package func refuted(from memory: some TargetMemory) -> Set<UInt32> {
    code.refuted(memory: JavaMemory(memory))
  }
}
