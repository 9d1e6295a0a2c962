package import LinuxProcess
package import RuntimeReading

extension PythonReader: LanguageRuntime {
  package static var language: String { "Python" }

  /// Those that are read: `3.7 to 3.15`.
  package static var versions: String {
    "3.\(PythonOffsets.minors.first ?? 0) to 3.\(PythonOffsets.minors.last ?? 0)"
  }

  /// A build that is not read.
  static func build(
    _ version: String, _ peculiarity: RuntimeBuild.Peculiarity? = nil
  ) -> RuntimeBuild {
    RuntimeBuild(language: language, version: version, peculiarity: peculiarity)
  }

  package static func find(
    in memory: ProcessMemory, maps: MemoryMaps, process: Int32
  ) -> RuntimeSearch {
    switch PythonSearch(memory: memory, maps: maps).run() {
    case .none: .none
    case .notReady: .notReady
    case .found(let runtime), .finalising(let runtime):
      .found(PythonReader(runtime, process: process))
    case .unknown(let build): .unknown(.unknownBuild(build, known: versions))
    case .unreadable(let fault, let title):
      .unreadable(.unreadable(fault, language: language, title: title))
    }
  }

  package var nativeCode: any RuntimeNativeCode { PythonNativeCode(path: runtime.path) }

  package func refuted(from memory: some TargetMemory) -> Set<UInt32> {
    codes.refuted(in: memory)
  }
}
