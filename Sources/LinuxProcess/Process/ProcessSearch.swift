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

  private static func match(_ pid: Int32, _ name: String) -> Match? {
    guard let process = try? ProcessIdentity(of: pid), let status = try? ProcessStatus(of: pid),
      !status.state.hasEnded
    else { return nil }
    let arguments = commandLine(of: pid)
    // The kernel cuts a name at 15 bytes, so the program's own file name counts too.
    let program = arguments.first?.split(separator: "/").last.map(String.init)
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
