internal import CLinux
internal import Glibc

/// Which processes there are, and which have started which; reading it costs them nothing.
package enum ProcessTree {
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

  /// The processes that `roots` have started, and those that these have started, without the roots
  /// and without this process and what it started.
  ///
  /// About 4 µs a thread. A process whose parent has ended belongs to another by then.
  package static func descendants(of roots: Set<Int32>) -> Set<Int32> {
    let parents = isListedByKernel ? nil : childrenByParent()
    var seen = roots
    seen.insert(getpid())
    var queue = roots.subtracting([getpid()])
    while let process = queue.popFirst() {
      for child in parents.map({ $0[process] ?? [] }) ?? children(of: process) ?? []
      where seen.insert(child).inserted {
        queue.insert(child)
      }
    }
    seen.remove(getpid())
    return seen.subtracting(roots)
  }

  /// Whether the kernel has the lists (CONFIG_PROC_CHILDREN).
  static var isListedByKernel: Bool {
    access("/proc/self/task/\(getpid())/children", R_OK) == 0
  }

  /// The children of all threads of a process, zombies included; nil where the kernel does not list
  /// them (CONFIG_PROC_CHILDREN).
  package static func children(of process: Int32) -> [Int32]? {
    guard isListedByKernel, let threads = try? ThreadList(process: process).read() else {
      return nil
    }
    return threads.flatMap { thread in
      let text = try? ProcFile.read("/proc/\(process)/task/\(thread)/children")
      return text?.split { $0 == " " || $0 == "\n" }.compactMap { Int32($0) } ?? []
    }
  }

  /// The children of all processes, by a sample of every process: some 7 µs each.
  static func childrenByParent() -> [Int32: [Int32]] {
    guard let stream = opendir("/proc") else { return [:] }
    defer { closedir(stream) }
    var children: [Int32: [Int32]] = [:]
    while let entry = readdir(stream) {
      guard let process = entry.number, let fields = statFields(of: process), fields.count > 1,
        let parent = Int32(fields[1])
      else { continue }
      children[parent, default: []].append(process)
    }
    return children
  }

  /// Whether two processes share their memory, as the parent and child of `vfork` do; nil when the
  /// kernel does not say.
  package static func shareMemory(_ first: Int32, _ second: Int32) -> Bool? {
    let answer = sprof_compare_memory(first, second)
    return answer < 0 ? nil : answer == 0
  }

  /// The session of a process, 0 when it is gone: what `fork` hands down together with descriptors.
  package static func session(of pid: Int32) -> Int32 { max(0, getsid(pid)) }

  /// When a process was born, by `MonotonicClock`, to 10 ms; nil when it is gone.
  package static func birth(of process: Int32) -> Int64? {
    // Field 22 of proc_pid_stat(5), in clock ticks since the machine started.
    guard let fields = statFields(of: process), fields.count > 19, let ticks = Int64(fields[19])
    else { return nil }
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    let now = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    let tick = Int64(1_000_000_000 / max(1, sysconf(Int32(_SC_CLK_TCK))))
    return MonotonicClock.now() - (now - ticks &* tick)
  }

  /// The fields of `/proc/PID/stat` from the state letter on.
  private static func statFields(of process: Int32) -> [Substring]? {
    guard let text = try? ProcFile.read("/proc/\(process)/stat"),
      let end = text.lastIndex(of: ")")
    else { return nil }
    return text[text.index(after: end)...].split(separator: " ")
  }
}

/// Tells in about 2 µs whether any process or thread was born on this machine.
package struct BirthCounter: ~Copyable {
  private let file: CInt
  private var last: Int32?

  package init() { file = sprof_open("/proc/loadavg", O_RDONLY) }

  deinit { if file >= 0 { close(file) } }

  /// Whether any may have been born since the last call.
  package mutating func hasChanged() -> Bool {
    // `0.00 0.01 0.05 1/123 4567`: the last is the number that was given out last (proc(5)).
    var bytes = [UInt8](repeating: 0, count: 128)
    let count = file >= 0 ? pread(file, &bytes, bytes.count, 0) : -1
    let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    guard let newest = text.split(whereSeparator: \.isWhitespace).last.flatMap({ Int32($0) }) else {
      return true
    }
    defer { last = newest }
    return newest != last
  }
}
