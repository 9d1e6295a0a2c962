internal import Foundation
internal import Glibc

/// What `/proc` tells of one thread or process.
package struct ProcessStatus: Sendable {
  package let name: String
  /// `R`, `S`, `D`, `T`, `t`, `Z` and so on: proc_pid_stat(5).
  package let state: Character
  package let parent: Int32
  package let tracer: Int32
  package let voluntarySwitches: Int

  /// Nil when there is no such thread, or none any more.
  package init?(pid: Int32, tid: Int32? = nil) {
    guard let text = procText("/proc/\(pid)/task/\(tid ?? pid)/status") else { return nil }
    var fields: [Substring: Substring] = [:]
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2 { fields[parts[0]] = parts[1].drop { $0 == "\t" || $0 == " " } }
    }
    guard let state = fields["State"]?.first else { return nil }
    name = String(fields["Name"] ?? "")
    self.state = state
    parent = Int32(fields["PPid"] ?? "") ?? 0
    tracer = Int32(fields["TracerPid"] ?? "") ?? 0
    voluntarySwitches = Int(fields["voluntary_ctxt_switches"] ?? "") ?? 0
  }

  /// The threads of a process, the main thread first; empty when it is gone.
  package static func threads(of pid: Int32) -> [Int32] {
    let entries = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")
    return (entries ?? []).compactMap { Int32($0) }.sorted()
  }
}

/// For how long the threads of a process were ready to run and waited for a CPU, all together:
/// schedstat's second number, in Documentation/scheduler/sched-stats.rst of the kernel.
package func runDelay(of pid: Int32) -> Duration {
  ProcessStatus.threads(of: pid).reduce(.zero) { sum, tid in
    let fields = procText("/proc/\(pid)/task/\(tid)/schedstat")?.split(separator: " ") ?? []
    return sum + .nanoseconds(fields.count > 1 ? Int64(fields[1]) ?? 0 : 0)
  }
}

/// The CPU time that the kernel has counted for a process, all threads together, those that have ended
/// included, in nanoseconds: `utime` and `stime` of proc(5), in hundredths of a second.
package func cpuTime(of pid: Int32) -> Int64 {
  let fields =
    procText("/proc/\(pid)/stat")?.split(separator: ")").last?.split(separator: " ") ?? []
  guard fields.count > 12 else { return 0 }
  return ((Int64(fields[11]) ?? 0) + (Int64(fields[12]) ?? 0)) * 10_000_000
}

/// The whole text of a file of `/proc`; nil when there is none.
///
/// Such a file has no size, and each read gives a part of it: Foundation stops after the first.
package func procText(_ path: String) -> String? {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return nil }
  defer { close(descriptor) }
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 65_536)
  while true {
    let count = read(descriptor, &chunk, chunk.count)
    guard count > 0 else { return count == 0 ? String(decoding: bytes, as: UTF8.self) : nil }
    bytes += chunk[..<count]
  }
}
