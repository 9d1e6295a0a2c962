package import LinuxProcess
package import ProfileModel
package import RuntimeReading

extension JavaReader: LanguageRuntime {
  package static var language: String { "Java" }

  /// Those that are read: all whose own tables have what is needed.
  static let versions = "HotSpot of OpenJDK 10 and later"

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

  package func refreshThreadsIfChanged(from memory: some TargetMemory) -> RuntimeThreadChanges {
    refreshThreads(from: memory)
  }

  package var problem: RuntimeProblem? { nil }

  package func refuted(from memory: some TargetMemory) -> Set<UInt32> {
    code.refuted(memory: JavaMemory(memory))
  }

  // A VM has no lock that all of its threads take turns with.
  package var lockRanges: [Range<RemoteAddress>] { [] }

  package func isLock(_ address: RemoteAddress) -> Bool { false }

  package func lockHolders(from memory: some TargetMemory) -> [Int32: Int32] { [:] }

  package func followTasks(in memory: ProcessMemory) -> RuntimeTaskFollowing { .complete }

  package func findTasks(in memory: ProcessMemory) -> Bool { false }

  package func tasks(from memory: some TargetMemory) -> RuntimeTaskList { RuntimeTaskList() }
}
