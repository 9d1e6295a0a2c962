import Glibc
import LinuxProcess
import ProfileModel
import TestSupport
import Testing

extension Waits {
  @Suite struct `Threads that wait in calls` {
    private static let kinds: [(String, WaitKind)] = [
      ("sleep", .sleep), ("sleep_until", .sleep), ("sleep_select", .sleep), ("sleep_poll", .sleep),
      ("read", .read), ("write", .write),
      ("poll", .poll), ("select", .select), ("epoll", .epoll), ("eventfd", .read),
      ("timerfd", .read), ("inotify", .read), ("signalfd", .read), ("terminal", .read),
      ("accept", .accept), ("receive", .receive), ("connect", .connect), ("unix", .receive),
      ("open", .open), ("child", .childProcess), ("signal", .signal), ("pause", .signal),
      ("flock", .fileLock), ("fcntl", .fileLock), ("semop", .systemVSemaphore),
      ("message", .messageQueue), ("aio", .asynchronousIO), ("waits", .signal),
      ("semtimedop", .systemVSemaphore), ("message_room", .messageQueue), ("mail", .messageQueue),
      ("mail_timed", .messageQueue), ("mail_room", .messageQueue), ("file_lock", .fileLock),
      ("unknown_lock", .fileLock), ("lockf", .fileLock), ("pidfd", .poll),
      ("child_file", .childProcess), ("send", .send), ("vmsplice", .write), ("splice", .otherCall),
    ]

    private static let descriptors: [(String, WaitDescriptor.Kind)] = [
      ("read", .pipe), ("write", .pipe), ("poll", .pipe), ("eventfd", .eventfd),
      ("timerfd", .timerfd), ("inotify", .inotify), ("signalfd", .signalfd), ("terminal", .tty),
      ("accept", .tcpSocket), ("receive", .tcpSocket), ("connect", .tcpSocket),
      ("unix", .unixSocket), ("open", .fifo), ("flock", .file), ("fcntl", .file),
      ("file_lock", .file), ("unknown_lock", .file), ("lockf", .file), ("pidfd", .pidfd),
      ("child_file", .pidfd), ("send", .unixSocket), ("vmsplice", .pipe),
    ]

    private func compilers() -> [String] {
      Tool.isInstalled("musl-gcc") ? ["cc", "musl-gcc"] : ["cc"]
    }

    @Test func `are told with what is behind their descriptors, for both C libraries`() throws {
      for compiler in compilers() {
        let program = try RunningProgram(fixture: "waits.c", ["calls"], compiler: compiler)
        defer { unlink("/tmp/sprof-waits-fifo.\(program.pid)") }
        // The main thread says that it is ready before it waits for a signal.
        try waitUntil("all wait") { ProcessStatus(pid: program.pid)?.state == "S" }
        let waiters = try Waiters(dumping: program.pid)
        for (name, kind) in Self.kinds {
          let wait = try waiters.wait(name)
          #expect(wait.kind == kind, "\(compiler) \(name): \(wait)")
        }
        for (name, kind) in Self.descriptors {
          let wait = try waiters.wait(name)
          #expect(wait.descriptors.map(\.kind) == [kind], "\(compiler) \(name): \(wait)")
        }
        try expectDescriptors(waiters)
        try expectOwners(waiters, pid: program.pid)
        try program.assertUntouched()
      }
    }

    private func expectDescriptors(_ waiters: Waiters) throws {
      let select = try waiters.wait("select")
      #expect(Set(select.descriptors.map(\.kind)) == [.unixSocket, .eventfd])
      let epoll = try waiters.wait("epoll")
      #expect(Set(epoll.descriptors.map(\.kind)) == [.eventfd, .timerfd, .pipe, .inotify])
      #expect(epoll.descriptors.allSatisfy { $0.events == "readable" } && !epoll.isTimed)
      #expect(try waiters.wait("write").descriptors.first?.events == "writable")
      #expect(try waiters.wait("vmsplice").descriptors.first?.events == "writable")
      let splice = try waiters.wait("splice").descriptors
      #expect(splice.map(\.kind) == [.pipe, .pipe])
      #expect(splice.map(\.events) == ["readable", "writable"])
      #expect(try waiters.wait("accept").descriptors.first?.state == .listening)
      #expect(try waiters.wait("accept").descriptors.first?.name.hasPrefix("127.0.0.1:") == true)
      let connect = try #require(try waiters.wait("connect").descriptors.first)
      #expect(connect.state == .other("connecting"))
      #expect(connect.peerAddress?.hasPrefix("127.0.0.1:") == true)
      let receive = try #require(try waiters.wait("receive").descriptors.first)
      #expect(receive.state == .other("connected, not accepted") && receive.peerAddress != nil)
      #expect(try waiters.wait("open").descriptors.first?.events == "a writer")
      let hour: ClosedRange<Int64> = 3_000_000_000_000...3_600_000_000_000
      for name in [
        "sleep", "sleep_until", "sleep_select", "sleep_poll", "poll", "semtimedop", "mail_timed",
      ] {
        let wait = try waiters.wait(name)
        #expect(wait.isTimed)
        // The time of a relative sleep is told where the kernel says when it began.
        if let left = wait.timeLeft { #expect(hour.contains(left), "\(name) \(wait)") }
      }
      #expect(try waiters.wait("sleep_until").timeLeft != nil)
      #expect(try waiters.wait("mail_timed").timeLeft != nil && !waiters.wait("mail").isTimed)
      #expect(try waiters.wait("mail").descriptors.first?.events == "readable")
      #expect(try waiters.wait("mail_room").descriptors.first?.events == "writable")
    }

    private func expectOwners(_ waiters: Waiters, pid: Int32) throws {
      let child = try #require(TestSupport.children(of: pid).first)
      let locker = WaitOwner.process(pid: child, tid: nil, name: "locker")
      for name in ["child", "flock", "fcntl", "file_lock", "lockf", "pidfd", "child_file"] {
        #expect(try waiters.wait(name).owners == [locker], "\(name)")
      }
      // Nobody but the program itself has the other ends.
      let own = WaitOwner.process(pid: pid, tid: nil, name: "waits")
      for name in ["read", "write", "poll", "receive", "connect", "unix", "send", "vmsplice"] {
        let wait = try waiters.wait(name)
        #expect(wait.owners == [own], "\(name): \(wait)")
      }
      let known: Set = [
        "child", "flock", "fcntl", "read", "write", "poll", "receive", "connect", "unix",
        "file_lock", "lockf", "pidfd", "child_file", "send", "vmsplice",
      ]
      #expect(waiters.claims(besides: known) == [])
      // The child is looked at, too.
      let peer = try #require(waiters.profile.blockings.first { $0.waiter.pid == child })
      #expect(peer.wait.kind == .signal && peer.waiter.processName == "locker")
    }

    private static let mayUseRings: Bool = {
      let program = try? Fixture.compile(source: "waits.c")
      // It ends with 77 where it may not.
      return program.flatMap { try? RunningProgram([$0, "ring"]) } != nil
    }()

    @Test(.enabled(if: mayUseRings, "needs a kernel that allows io_uring"))
    func `for a completion of io_uring name the ring`() throws {
      let program = try RunningProgram(fixture: "waits.c", ["ring"])
      try program.awaitSleep()
      let waiters = try Waiters(dumping: program.pid)
      let wait = try waiters.wait("ring")
      #expect(wait.kind == .asynchronousIO && wait.systemCall == "io_uring_enter", "\(wait)")
      #expect(wait.descriptors.map(\.kind) == [.ioUring], "\(wait)")
      #expect(waiters.profile.capture.cost.stops == 0 && waiters.claims(besides: []) == [])
      try program.assertUntouched()
    }

    @Test(.enabled(if: mayUseRings, "needs a kernel that allows io_uring"))
    func `of a worker of io_uring are for work, or for what its work waits for`() throws {
      for (what, kind) in [("rest", WaitKind.kernelWork), ("open", .open)] {
        let program = try RunningProgram(fixture: "iouring.c", [what])
        try program.awaitSleep()
        let waiters = [
          try Waiters(dumping: program.pid), try Waiters(attaching: program.pid, for: .seconds(1)),
        ]
        for waiters in waiters {
          let wait = try waiters.wait("iou-wrk-\(program.pid)")
          // Without the right to read the kernel's stack it is only known to be at work.
          let isKnown = wait.kind == kind || !Repository.isRoot && wait.kind == .asynchronousIO
          #expect(isKnown && wait.kernelFunction != nil, "\(what): \(wait)")
          let worker = try #require(waiters.profile.threads.firstIndex { !$0.isMain })
          let ends = waiters.profile.runs.filter { $0.thread == worker }.map(\.end)
          #expect(Set(ends) == [.truncated(.kernelWorker)])
        }
        try program.assertUntouched()
      }
    }

    @Test(.enabled(if: mayUseRings, "needs a kernel that allows io_uring"))
    func `of a kernel thread that computes need no stop`() throws {
      let program = try RunningProgram(fixture: "iouring.c", ["poll"])
      let profile = try Waiters(attaching: program.pid, for: .milliseconds(500)).profile
      let poller = profile.threads.firstIndex { $0.name == "iou-sqp-\(program.pid)" }
      let runs = profile.runs.filter { $0.thread == poller }
      #expect(
        runs.contains { $0.activity == .running || $0.activity == .waitingForCPU }, "\(Array(runs))"
      )
      #expect(Set(runs.map(\.end)) == [.truncated(.kernelWorker)])
      #expect(profile.capture.cost.stops == 0 && profile.capture.notes.isEmpty)
      try program.assertUntouched()
    }

    @Test func `that a signal has stopped say so`() throws {
      let program = try RunningProgram(fixture: "deadlock.c", ["2"])
      program.send(signal: SIGSTOP)
      try waitUntil("it is stopped") {
        TestSupport.ProcessStatus.threads(of: program.pid).allSatisfy {
          TestSupport.ProcessStatus(pid: program.pid, tid: $0)?.state == "T"
        }
      }
      let waiters = try Waiters(dumping: program.pid)
      #expect(waiters.profile.blockings.count == 3)
      #expect(waiters.profile.blockings.allSatisfy { $0.wait.kind == .stoppedBySignal })
      #expect(waiters.claims(besides: []) == [])
      program.send(signal: SIGCONT)
    }

    @Test(.enabled(if: Tool.isInstalled("gdb"), "needs gdb"))
    func `that a debugger has stopped name it`() throws {
      let program = try RunningProgram(fixture: "deadlock.c", ["2"])
      let debugger = try StartedCommand([
        "gdb", "-nx", "-q", "-iex", "set debuginfod enabled off", "-p", "\(program.pid)", "-ex",
        "python import signal; signal.pause()",
      ])
      try waitUntil("gdb has stopped it") {
        TestSupport.ProcessStatus.threads(of: program.pid).allSatisfy {
          TestSupport.ProcessStatus(pid: program.pid, tid: $0)?.state == "t"
        }
      }
      let waiters = try Waiters(dumping: program.pid)
      let gdb = WaitOwner.process(pid: debugger.pid, tid: nil, name: "gdb")
      let own = waiters.profile.blockings.filter { $0.waiter.pid == program.pid }
      #expect(own.count == 3)
      for blocking in own {
        #expect(blocking.wait.kind == .stoppedByDebugger && blocking.wait.owners == [gdb])
      }
      debugger.send(SIGKILL)
      _ = try debugger.finish()
    }

    @Test(.enabled(if: Repository.isRoot, "needs to be root"))
    func `that touch a page which is not there say so, with the kernel's function`() throws {
      let program = try RunningProgram(fixture: "pagefault.c")
      let wait = try Waiters(dumping: program.pid).wait("toucher")
      #expect(wait.kind == .pageFault && wait.kernelFunction == "handle_userfault", "\(wait)")
      try program.assertUntouched()
    }

    @Test func `until a vfork child ends name the child`() throws {
      let program = try RunningProgram(fixture: "vforkparent.c")
      let waiters = try Waiters(dumping: program.pid)
      let child = try #require(TestSupport.children(of: program.pid).first)
      let wait = try #require(waiters.profile.blockings.first).wait
      #expect(wait.kind == .childProcess && wait.kernelFunction != nil, "\(wait)")
      guard case .process(child, _, _) = wait.owners.first else {
        Issue.record("\(wait)")
        return
      }
    }

    @Test(arguments: ["pipe", "unix"])
    func `for another process show both sides`(kind: String) throws {
      let program = try RunningProgram(fixture: "peers.c", [kind])
      let child = try #require(TestSupport.children(of: program.pid).first)
      let waiters = try Waiters(dumping: program.pid)
      let own = try waiters.wait("peers")
      let other = try waiters.wait("second")
      #expect(own.kind == .read && other.kind == .read)
      #expect(own.owners == [.process(pid: child, tid: nil, name: "second")], "\(own)")
      #expect(other.owners == [.process(pid: program.pid, tid: nil, name: "peers")], "\(other)")
      #expect(try waiters("second").waiter.pid == child && waiters("second").samples == 2)
      try program.assertUntouched()
    }

    @Test func `for a pipe whose other end the program has itself say so`() throws {
      let program = try RunningProgram(fixture: "peers.c", ["inherited"])
      let child = try #require(TestSupport.children(of: program.pid).first)
      let wait = try Waiters(dumping: program.pid).wait("peers")
      #expect(
        Set(wait.owners) == [
          .process(pid: child, tid: nil, name: "second"),
          .process(pid: program.pid, tid: nil, name: "peers"),
        ])
      try program.assertUntouched()
    }
  }
}
