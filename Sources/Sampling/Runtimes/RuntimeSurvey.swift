package import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// Which language runtimes a process has, and whether their frames can be read.
package enum RuntimeSurvey {
  package struct Entry: Equatable, Sendable {
    /// What users call the language: `Python`.
    package let language: String
    /// The file that the runtime is in; nil where it is not read.
    package let path: String?
    /// Why its frames are not shown, in a sentence; nil where they are.
    package let problem: String?
  }

  /// Looks for every runtime that sprof can read; what is not there has no entry.
  ///
  /// Stops nothing. A running program's structures change under the reader's hands, so a search that reads
  /// nonsense is tried again for some milliseconds.
  package static func entries(_ process: ProcessIdentity, through thread: ProcessIdentity)
    -> [Entry]
  {
    let memory = ProcessMemory(thread)
    guard let maps = try? memory.maps() else { return [] }
    return KnownRuntimes.all.compactMap { entry($0, memory, maps, process.pid) }
  }

  private static func entry(
    _ kind: any LanguageRuntime.Type, _ memory: ProcessMemory, _ maps: MemoryMaps, _ pid: Int32
  ) -> Entry? {
    var problem: RuntimeProblem?
    for _ in 0..<20 {
      switch kind.find(in: memory, maps: maps, process: pid) {
      case .none: return nil
      case .notReady:
        return Entry(
          language: kind.language, path: nil,
          problem: "The \(kind.language) runtime has not started yet.")
      case .found(let runtime):
        return Entry(language: kind.language, path: runtime.nativeCode.path, problem: nil)
      case .unknown(let found):
        return Entry(language: kind.language, path: nil, problem: found.note)
      case .unreadable(let found):
        problem = found
        MonotonicClock.sleep(for: .microseconds(300))
      }
    }
    return Entry(language: kind.language, path: nil, problem: problem?.note)
  }
}
