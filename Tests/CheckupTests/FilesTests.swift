import Checkup
import Foundation
import TestSupport
import Testing

@Suite struct `Files of a machine` {
  /// The facts of a machine that has these files.
  private func facts(_ files: [String: String]) throws -> MachineFacts {
    let folder = try TemporaryFolder()
    for (path, text) in files {
      let url = URL(fileURLWithPath: folder.path + path)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
    return MachineFacts(SystemFiles(root: folder.path), debuginfod: nil)
  }

  @Test func `of a whole machine show all that is there`() throws {
    let facts = try facts([
      "/proc/sys/kernel/yama/ptrace_scope": "2\n",
      "/proc/self/schedstat": "1234 56 7\n",
      "/proc/self/syscall": "running\n",
      "/proc/thread-self/children": "",
      "/proc/self/maps": """
      7f0000000000-7f0000001000 r-xp 00000000 08:01 12 /usr/lib/x86_64-linux-gnu/libdw-0.188.so
      7f0000002000-7f0000003000 r-xp 00000000 08:01 13 /usr/lib/libunwind-x86_64.so.8.0.1
      7f0000004000-7f0000005000 r-xp 00000000 08:01 14 /usr/lib/libunwind.so.8.0.1
      """,
      "/etc/os-release": "ID=ubuntu\nPRETTY_NAME=\"Ubuntu 24.04\"\n",
      "/etc/debuginfod/a.urls": "https://debuginfod.example\n",
      "/usr/lib/debug/.build-id/ab/cdef.debug": "x",
      "/tmp/perf-1.map": "", "/tmp/other": "",
    ])
    #expect(facts.yamaScope == 2)
    #expect(facts.hasSchedstat && facts.showsSystemCalls && facts.listsChildren && facts.hasSysctl)
    #expect(facts.libraries == ["libdw-0.188.so", "libunwind.so.8.0.1"])
    #expect(facts.system.name == "Ubuntu 24.04")
    #expect(facts.system.packager == .apt)
    #expect(facts.debuginfodServers == "https://debuginfod.example")
    #expect(facts.debugFiles == 1)
    #expect(facts.perfMaps == 1)
    #expect(facts.container == nil)
  }

  @Test func `of an empty machine show that nothing is there`() throws {
    let facts = try facts(["/proc/self/schedstat": "0 0 0\n"])
    #expect(facts.yamaScope == nil)
    #expect(!facts.hasSchedstat && !facts.showsSystemCalls && !facts.hasSysctl)
    #expect(facts.debugFiles == nil && facts.perfMaps == nil && facts.libraries.isEmpty)
  }

  @Test(arguments: [
    (["/.dockerenv": ""], "Docker"), (["/run/.containerenv": ""], "Podman"),
    (["/proc/1/environ": "A=b\0container=lxc\0"], "lxc"),
    (["/proc/1/cgroup": "0::/kubepods/burstable/pod1\n"], "Kubernetes"),
  ])
  func `show the container`(files: [String: String], name: String) throws {
    #expect(try facts(files).container == name)
  }

  @Test func `that hold anything are read without harm`() throws {
    let noise = String(
      decoding: (0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 37) }, as: UTF8.self)
    let facts = try facts([
      "/proc/sys/kernel/yama/ptrace_scope": noise, "/proc/self/schedstat": noise,
      "/proc/self/maps": noise, "/etc/os-release": noise, "/proc/1/environ": noise,
      "/etc/debuginfod/a.urls": "",
    ])
    #expect(!MachineCheckup.findings(facts).isEmpty)
  }
}
