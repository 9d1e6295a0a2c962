import ProfileModel
import Testing

@testable import LinuxProcess

@Suite struct `Memory maps` {
  static let text = """
    55d0c8a00000-55d0c8a02000 r--p 00000000 fe:00 1835 /usr/bin/some program
    55d0c8a02000-55d0c8a06000 r-xp 00002000 fe:00 1835 /usr/bin/some program
    7ffc1a2b3000-7ffc1a2d4000 rw-p 00000000 00:00 0 [stack]
    7f0000000000-7f0000001000 ---p 00000000 00:00 0

    """

  @Test func `keep paths with spaces, offsets and files`() throws {
    let maps = try MemoryMaps(parsing: Self.text)
    #expect(maps.mappings.count == 4)
    let code = maps.mappings[1]
    #expect(code.path == "/usr/bin/some program")
    #expect(code.isExecutable && code.isReadable && !code.isWritable)
    #expect(code.fileOffset == 0x2000 && code.inode == 1835 && code.device == 0xfe << 32)
    #expect(maps.mappings[3].path.isEmpty && !maps.mappings[3].isFile)
  }

  @Test func `find the mapping of an address and nothing beside it`() throws {
    let sorted = Self.text.split(separator: "\n").sorted().joined(separator: "\n")
    let maps = try MemoryMaps(parsing: sorted)
    #expect(maps.mapping(containing: RemoteAddress(0x55d0_c8a0_2000))?.fileOffset == 0x2000)
    #expect(maps.mapping(containing: RemoteAddress(0x55d0_c8a0_6000)) == nil)
    #expect(maps.mapping(containing: RemoteAddress(0)) == nil)
    #expect(maps.mapping(containing: RemoteAddress(.max)) == nil)
  }

  @Test(arguments: [
    "zz-1 r--p 0 0:0 0", "2000-1000 r--p 0 0:0 0", "1000-2000", "1000-2000 r-- 0 0:0 0",
    "10000000000000000-2 r--p 0 0:0 0", "1000-2000 r--p 0 0 0",
  ])
  func `say which line makes no sense`(line: String) {
    #expect(throws: MemoryMaps.Problem.badLine(2)) {
      try MemoryMaps(parsing: "1000-2000 r--p 00000000 00:00 0\n" + line)
    }
  }
}

@Suite struct `Kernel lines about a thread` {
  private func parse<Value>(_ text: String, _ body: (UnsafeRawBufferPointer) -> Value) -> Value {
    Array(text.utf8).withUnsafeBytes(body)
  }

  @Test func `give the scheduler's counters`() {
    let counters = parse("661834 62977 12\n") { ThreadCounters(parsing: $0) }
    #expect(counters == ThreadCounters(cpu: 661_834, delay: 62_977, switches: 12))
  }

  @Test(arguments: ["", "1 2", "a b c", "-1 2 3", "123456789012345678901 1 1"])
  func `give no counters when they are torn`(text: String) {
    #expect(parse(text) { ThreadCounters(parsing: $0) } == nil)
  }

  @Test func `tell a thread that sleeps in a system call`() {
    let line = "202 0x7f01 0x80 0x2 0x0 0x0 0xffffffffffffffff 0x7ffe10 0x7f9a\n"
    let state = parse(line) { SystemCallState(parsing: $0) }
    #expect(
      state
        == .asleep(
          number: 202, arguments: [0x7f01, 0x80, 2, 0, 0, .max],
          stackPointer: RemoteAddress(0x7ffe10),
          pc: RemoteAddress(0x7f9a))
    )
  }

  @Test func `tell a thread that sleeps outside of any system call`() {
    let state = parse("-1 0x7ffe10 0x401000\n") { SystemCallState(parsing: $0) }
    #expect(
      state
        == .asleep(
          number: -1, arguments: [0, 0, 0, 0, 0, 0], stackPointer: RemoteAddress(0x7ffe10),
          pc: RemoteAddress(0x401000)))
  }

  @Test func `tell a running thread and one without a user stack`() {
    #expect(parse("running\n") { SystemCallState(parsing: $0) } == .running)
    #expect(parse("-1 0x0 0x0\n") { SystemCallState(parsing: $0) } == .unavailable)
    #expect(parse("") { SystemCallState(parsing: $0) } == .unavailable)
    #expect(parse("202 0x1 0x2") { SystemCallState(parsing: $0) } == .unavailable)
    #expect(parse("99999999999 0x1") { SystemCallState(parsing: $0) } == .unavailable)
  }

  @Test func `read status with odd names`() {
    let text = """
      Name:\tweird: name)
      State:\tS (sleeping)
      Tgid:\t77
      TracerPid:\t99
      Uid:\t1000\t1001\t1000\t1000
      Threads:\t3
      VmSize:\t  100 kB
      CapEff:\t0000000000080000
      Seccomp:\t2
      SigCgt:\t0000000000002000
      """
    let status = ProcessStatus(parsing: text)
    #expect(status.name == "weird: name)")
    #expect(status.state == .sleeping && status.tracer == 99 && status.threadGroup == 77)
    #expect(status.userID == 1000 && status.effectiveUserID == 1001)
    #expect(status.threadCount == 3 && status.hasMemory && status.hasSeccompFilter)
    #expect(status.capabilities == 1 << 19 && status.handledSignals == 1 << 13)
  }
}

@Suite struct `Signals that come by themselves` {
  @Test func `are those of timers and descriptors that the process handles`() {
    #expect(WakingSignal.handled(of: 1 << 13, timers: []) == 14)
    #expect(WakingSignal.handled(of: 1 << 28, timers: []) == 29)
    // SIGINT, SIGCHLD and those that the C library handles for itself.
    #expect(WakingSignal.handled(of: 0x3_8001_0002, timers: []) == nil)
    #expect(WakingSignal.handled(of: 1 << 39, timers: [10, 40]) == 40)
    #expect(WakingSignal.handled(of: 1 << 39, timers: [.min, 0, 65, .max]) == nil)
  }

  @Test func `are read of the timers that signal and whose clock goes on`() {
    let text = """
      ID: 0
      signal: 10/00007ffc0f1c2d30
      notify: signal/pid.77
      ClockID: 1
      ID: 1
      signal: 40/0
      notify: thread/tid.78
      ClockID: 0
      ID: 2
      signal: 41/0
      notify: signal/tid.78
      ClockID: 2
      ID: 3
      signal: 42/0
      notify: none/pid.77
      ClockID: 0
      ID: 4
      signal: 43/0
      notify: signal/pid.77
      ClockID: -6
      ID: 5
      signal: 44/0
      notify: signal/tid.77
      ClockID: -5
      """
    #expect(WakingSignal.signals(ofTimers: text) == [10, 44])
    #expect(WakingSignal.signals(ofTimers: "") == [])
    #expect(WakingSignal.signals(ofTimers: "signal: x\nnotify\nClockID:\nClockID: 1") == [])
  }
}

@Suite struct `System call names` {
  @Test func `agree with the numbers of this machine's headers`() {
    #expect(SystemCallNames.name(of: 0) == "read")
    #expect(SystemCallNames.name(of: 202) == "futex")
    #expect(SystemCallNames.name(of: 219) == "restart_syscall")
    #expect(SystemCallNames.name(of: 230) == "clock_nanosleep")
    #expect(SystemCallNames.name(of: 281) == "epoll_pwait")
    #expect(SystemCallNames.name(of: 9999) == "syscall_9999")
    #expect(SystemCallNames.name(of: -1) == nil)
  }

  @Test func `show as many arguments as the call takes`() {
    let call = SystemCallNames.call(0, arguments: [3, 0x1000, 64, 7, 7, 7])
    #expect(call == SystemCall(name: "read", arguments: [3, 0x1000, 64]))
    #expect(SystemCallNames.call(9999, arguments: [1, 2, 3, 4, 5, 6])?.arguments.count == 6)
  }

  @Test func `know which calls a stop would disturb`() {
    let forever = UInt64(bitPattern: -1)
    #expect(SystemCallNames.interruption(of: 7, [0, 0, 0, 0, 0, 0]) == .none)
    #expect(SystemCallNames.interruption(of: 232, [4, 0, 64, forever, 0, 0]) == .restartable)
    #expect(SystemCallNames.interruption(of: 232, [4, 0, 64, 1000, 0, 0]) == .visible)
    #expect(SystemCallNames.interruption(of: 0, [0, 0, 0, 0, 0, 0]) == .visibleOnSocket)
    #expect(SystemCallNames.interruption(of: 128, [0, 0, 0, 8, 0, 0]) == .restartable)
    #expect(SystemCallNames.interruption(of: 128, [0, 0, 0x7ff0, 8, 0, 0]) == .visible)
  }
}

@Suite struct `Allowed processors` {
  @Test(arguments: [
    ("Name:\tx\nCpus_allowed_list:\t0-1\nMems_allowed_list:\t0\n", 2),
    ("Cpus_allowed_list:\t0-63", 4),
    ("Cpus_allowed_list:\t3,9", 1), ("Cpus_allowed_list:\t9", nil), ("Name:\tx", nil), ("", nil),
  ])
  func `are the CPUs that a process may run on and that are online`(status: String, count: Int?) {
    #expect(AllowedProcessors.count(status: status, online: "0-3\n") == count)
  }
}
