import ArgumentParser
import LinuxProcess

/// The processes that a shell offers at Tab: numbers, with their names where the shell shows such.
enum ProcessCompletion {
  static let kind = CompletionKind.custom { _, _, prefix in
    candidates(shell: CompletionShell.requesting, prefix: prefix)
  }

  /// What `shell` is given: zsh takes `number:name`, fish `number` tab `name`; bash shows the words alone,
  /// and gets the names as words of their own, which sprof takes, too.
  private static func candidates(shell: CompletionShell?, prefix: String) -> [String] {
    let processes = ProcessTree.all().sorted().compactMap { pid -> (pid: Int32, name: String)? in
      guard let status = try? ProcessStatus(of: pid), status.hasMemory, !status.state.hasEnded
      else { return nil }
      return (pid, status.name.filter { $0 != "\n" && $0 != "\t" })
    }
    switch shell {
    case .zsh: return processes.map { "\($0.pid):\($0.name)" }
    case .fish: return processes.map { "\($0.pid)\t\($0.name)" }
    default:
      let names = Set(processes.map(\.name)).filter { !$0.contains(" ") }
      return (processes.map { "\($0.pid)" } + names.sorted()).filter { $0.hasPrefix(prefix) }
    }
  }
}
