internal import Glibc

/// The processes of this machine.
package enum ProcessSearch {
  /// A process that a name matched.
  package struct Match: Equatable, Sendable {
    package let pid: Int32
    package let name: String
    package let commandLine: [String]
  }

  /// All processes whose name, or the file name of whose program, is `name`; this process and
  /// zombies excepted.
  package static func processes(named name: String) -> [Match] {
    guard let stream = opendir("/proc") else { return [] }
    defer { closedir(stream) }
    var matches: [Match] = []
    while let entry = readdir(stream) {
      guard let pid = entry.number, pid != getpid() else { continue }
      guard let status = try? ProcessStatus(of: pid), status.state != "Z" else { continue }
      let arguments = commandLine(of: pid)
      // The kernel cuts a name at 15 bytes, so the program's own file name is asked too.
      let program = arguments.first?.split(separator: "/").last.map(String.init)
      if status.name == name || program == name {
        matches.append(Match(pid: pid, name: status.name, commandLine: arguments))
      }
    }
    return matches.sorted { $0.pid < $1.pid }
  }

  /// The arguments that the process was started with; empty for a kernel thread or a zombie.
  package static func commandLine(of pid: Int32) -> [String] {
    guard var bytes = try? ProcFile.bytes(of: "/proc/\(pid)/cmdline") else { return [] }
    if bytes.last == 0 { bytes.removeLast() }
    guard !bytes.isEmpty else { return [] }
    return bytes.split(separator: 0, omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
  }

  /// The name of a process as it is now; nil when it is gone.
  package static func processName(_ pid: Int32) -> String? { threadName(process: pid, thread: pid) }

  /// The name of the thread as it is now; nil when it is gone.
  package static func threadName(process: Int32, thread: Int32) -> String? {
    let path = "/proc/\(process)/task/\(thread)/comm"
    guard var name = try? ProcFile.read(path) else { return nil }
    if name.last == "\n" { name.removeLast() }
    return name
  }
}
