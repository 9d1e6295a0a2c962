internal import ProfileModel

/// The processes of this machine.
package enum ProcessSearch {
  /// A process that a name matched.
  package struct Match: Equatable, Sendable {
    package let process: ProcessIdentity
    /// The kernel's name for it, cut at 15 bytes.
    package let name: String
    package let commandLine: [String]

    package var pid: Int32 { process.pid }
  }

  /// All processes whose name, or the file name of whose program, is `name`; this process and
  /// zombies excepted.
  package static func processes(named name: String) -> [Match] {
    ProcessTree.all().compactMap { match($0, name) }
  }

  /// The one of several from which all others descend, such as a browser among its content processes;
  /// nil where there is none.
  package static func ancestor(of matches: [Match]) -> Match? {
    ancestor(of: matches) { (try? ProcessStatus(of: $0))?.parent }
  }

  static func ancestor(of matches: [Match], parent: (Int32) -> Int32?) -> Match? {
    let pids = Set(matches.map(\.pid))
    // The topmost one of those above each, itself included.
    let tops = Set(
      matches.map { match in
        var (top, pid) = (match.pid, match.pid)
        var seen: Set<Int32> = [pid]
        while let next = parent(pid), next > 0, seen.insert(next).inserted {
          pid = next
          if pids.contains(pid) { top = pid }
        }
        return top
      })
    guard tops.count == 1, let top = tops.first else { return nil }
    return matches.first { $0.pid == top && $0.process.isStillThere }
  }

  private static func match(_ pid: Int32, _ name: String) -> Match? {
    guard let process = try? ProcessIdentity(of: pid), let status = try? ProcessStatus(of: pid),
      !status.state.hasEnded
    else { return nil }
    let arguments = commandLine(of: pid)
    // The kernel cuts a name at 15 bytes, so the program's own file name counts too.
    let program = arguments.first?.lastPathPart
    guard status.name == name || program == name, process.isStillThere else { return nil }
    return Match(process: process, name: status.name, commandLine: arguments)
  }

  /// The arguments that the process was started with; empty for a kernel thread or a zombie.
  package static func commandLine(of pid: Int32) -> [String] {
    arguments(in: (try? ProcFile.bytes(of: "/proc/\(pid)/cmdline")) ?? [])
  }

  static func arguments(in bytes: [UInt8]) -> [String] {
    var bytes = bytes[...]
    if bytes.last == 0 { bytes.removeLast() }
    guard !bytes.isEmpty else { return [] }
    return bytes.split(separator: 0, omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
  }

  /// The name of the process that has the number now; nil when there is none.
  package static func processName(_ pid: Int32) -> String? { threadName(process: pid, thread: pid) }

  /// The name of a thread of the process that has the number now; nil when there is none.
  ///
  /// `TaskFolder.name` is that of one and the same process for ever.
  package static func threadName(process: Int32, thread: Int32) -> String? {
    (try? TaskFolder(process: process))?.name(of: thread)
  }
}

extension TaskFolder {
  /// The arguments that the process was started with; empty for a kernel thread or a zombie.
  package func commandLine() -> [String] {
    ProcessSearch.arguments(in: bytes(of: "cmdline", of: process) ?? [])
  }
}
