internal import CLinux
internal import Glibc

/// Processes by their kinship and their names.
package enum ProcessFamily {
  /// All processes of `/proc`, in the order of their numbers; this one left out.
  package static func all() -> [Int32] {
    guard let stream = opendir("/proc") else { return [] }
    defer { closedir(stream) }
    var result: [Int32] = []
    let own = getpid()
    while let entry = readdir(stream) {
      if let pid = entry.number, pid != own { result.append(pid) }
    }
    return result.sorted()
  }

  /// The name of a process; nil when it is gone.
  package static func name(of pid: Int32) -> String? {
    ProcessSearch.threadName(process: pid, thread: pid)
  }

  /// The children of all threads of a process; nil where the kernel does not list them
  /// (CONFIG_PROC_CHILDREN).
  package static func children(of pid: Int32) -> [Int32]? {
    guard let threads = try? ThreadList(process: pid).read() else { return nil }
    var result: [Int32] = []
    for tid in threads.prefix(4096) {
      guard let text = try? ProcFile.read("/proc/\(pid)/task/\(tid)/children") else { continue }
      result += text.split { $0 == " " || $0 == "\n" }.compactMap { Int32($0) }
      if tid == threads.first, result.isEmpty,
        access("/proc/\(pid)/task/\(tid)/children", F_OK) != 0
      {
        return nil
      }
    }
    return result
  }

  /// Whether two processes share their memory, as the parent and child of `vfork` do; nil when the
  /// kernel does not say.
  package static func shareMemory(_ first: Int32, _ second: Int32) -> Bool? {
    let answer = sprof_compare_memory(first, second)
    return answer < 0 ? nil : answer == 0
  }

  /// The session of a process, 0 when it is gone: what `fork` hands down together with descriptors.
  package static func session(of pid: Int32) -> Int32 { max(0, getsid(pid)) }
}
