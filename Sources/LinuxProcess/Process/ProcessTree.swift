internal import CLinux
internal import Glibc

/// Which processes there are, and which have started which; reading it costs them nothing.
package enum ProcessTree {
  /// All processes of `/proc`, in the order of their numbers; this one left out.
  package static func all() -> [Int32] {
    let own = getpid()
    return NumberedEntries.list("/proc").filter { $0 != own }.sorted()
  }

  /// The processes that `roots` have started, and those that these have started, without the roots
  /// and without this process and what it started.
  ///
  /// About 4 µs a thread and 8 µs a process. A process whose parent has ended belongs to another by
  /// then.
  package static func descendants(of roots: Set<ProcessIdentity>) -> Set<ProcessIdentity> {
    let table = isListedByKernel ? nil : childrenByParent()
    let own = getpid()
    var seen = roots.filter { $0.pid != own }
    var queue = seen
    while let process = queue.popFirst() {
      let children = table.map { $0[process.pid] ?? [] } ?? children(of: process) ?? []
      // What has the number by now may be another process, with children of its own.
      guard children.isEmpty || process.isStillThere else { continue }
      for child in children where child.pid != own && seen.insert(child).inserted {
        queue.insert(child)
      }
    }
    return seen.subtracting(roots)
  }

  /// Whether the kernel has the lists (CONFIG_PROC_CHILDREN).
  static var isListedByKernel: Bool {
    access("/proc/self/task/\(getpid())/children", R_OK) == 0
  }

  /// The children of all threads of a process, zombies included; nil where the kernel does not list
  /// them (CONFIG_PROC_CHILDREN), and for a process that is gone.
  package static func children(of process: ProcessIdentity) -> [ProcessIdentity]? {
    guard isListedByKernel, let folder = try? TaskFolder(process) else { return nil }
    let numbers = folder.threads().flatMap { thread in
      folder.text(of: "children", of: thread)?.split { $0 == " " || $0 == "\n" }
        .compactMap { Int32($0) } ?? []
    }
    return numbers.compactMap { number in
      // One that was collected meanwhile may have left its number to a stranger.
      birth(of: number).flatMap { birth in
        birth.parent == process.pid
          ? ProcessIdentity(pid: number, startTicks: birth.startTicks) : nil
      }
    }
  }

  /// The children of all processes, by a read of every process: some 7 µs each.
  static func childrenByParent() -> [Int32: [ProcessIdentity]] {
    var children: [Int32: [ProcessIdentity]] = [:]
    for number in NumberedEntries.list("/proc") {
      guard let birth = birth(of: number) else { continue }
      children[birth.parent, default: []].append(
        ProcessIdentity(pid: number, startTicks: birth.startTicks))
    }
    return children
  }

  private static func birth(of process: Int32) -> TaskBirth? {
    let bytes = try? ProcFile.bytes(of: "/proc/\(process)/task/\(process)/stat")
    return bytes?.withUnsafeBytes { TaskBirth(parsing: $0) }
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
