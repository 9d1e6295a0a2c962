internal import ELFReading
internal import Foundation
internal import LinuxProcess
internal import NativeUnwinding
internal import ProfileModel
internal import TestSupport
internal import Testing

@Suite(.serialized, .enabled(if: isInstalled("gcc") && isInstalled(Tool.clang), "needs compilers"))
struct `Native unwinder` {
  @Test(arguments: Build.all)
  func `follows every snapshot to main`(_ build: Build) throws {
    let program = try Program(
      build.source, compiler: build.compiler, libraries: build.libraries, strip: build.strip)
    let child = try program.start()
    let watch = try Watch(child)
    let taker = SnapshotTaker(tid: child.pid)
    let main = build.strip ? nil : try program.range(of: "main")
    for _ in 0..<150 {
      let seen = try taker.withSnapshot { watch.unwind($0) }
      #expect(seen.result.end == .complete, "\(seen)")
      #expect(seen.result.depth >= build.depth, "\(seen)")
      if let main {
        #expect(seen.reaches(main, of: watch.module(of: program)), "\(seen)")
      }
    }
    try child.expectUnharmed()
  }

  @Test(arguments: [
    ["gcc", "-O1", "-fno-asynchronous-unwind-tables", "-fno-unwind-tables"],
    [
      "gcc", "-O1", "-fno-asynchronous-unwind-tables", "-fno-unwind-tables",
      "-fno-omit-frame-pointer",
    ],
  ])
  func `calls no stack complete that lacks main, whatever the code`(_ compiler: [String]) throws {
    let program = try Program(Source.callback, compiler: compiler)
    let child = try program.start()
    let watch = try Watch(child)
    let taker = SnapshotTaker(tid: child.pid)
    let main = try program.range(of: "main")
    for _ in 0..<150 {
      let seen = try taker.withSnapshot { watch.unwind($0) }
      if seen.result.end == .complete {
        #expect(seen.reaches(main, of: watch.module(of: program)), "\(seen)")
      } else {
        #expect(seen.result.end == .truncated(.noUnwindRule))
      }
    }
    try child.expectUnharmed()
  }

  @Test(.enabled(if: isInstalled("musl-gcc"), "needs musl"))
  func `says so where musl's code has no unwind data`() throws {
    let program = try Program(Source.calls, compiler: ["musl-gcc", "-O2"])
    let child = try program.start()
    let watch = try Watch(child)
    let taker = SnapshotTaker(tid: child.pid)
    let main = try program.range(of: "main")
    var ends: [StackEnd: Int] = [:]
    for _ in 0..<150 {
      let seen = try taker.withSnapshot { watch.unwind($0) }
      ends[seen.result.end, default: 0] += 1
      let hasMain = seen.reaches(main, of: watch.module(of: program))
      #expect(hasMain || seen.result.end != .complete, "\(seen)")
    }
    #expect(Set(ends.keys).isSubset(of: [.complete, .truncated(.noUnwindRule)]), "\(ends)")
    try child.expectUnharmed()
  }

  @Test(.enabled(if: isInstalled("go"), "needs go"))
  func `follows the frame pointers of Go`() throws {
    let program = try Program(Source.go, compiler: ["go", "build"], suffix: "go")
    let child = try program.start()
    let watch = try Watch(child)
    let main = try program.range(of: "main.main")
    let taker = try SnapshotTaker(tid: busiestThread(of: child))
    var reached = 0
    for _ in 0..<150 {
      let seen = try taker.withSnapshot { watch.unwind($0) }
      // Every ten milliseconds Go's scheduler has its turn, on a stack of its own.
      guard seen.reaches(main, of: watch.module(of: program)) else { continue }
      reached += 1
      #expect(seen.result.end == .complete, "\(seen)")
    }
    #expect(reached >= 120)
    try child.expectUnharmed()
  }

  private func busiestThread(of child: Child) throws -> pid_t {
    let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(child.pid)/task")
      .compactMap { pid_t($0) }
    let times = try threads.map { thread in
      let text = try ProcFile.read("/proc/\(child.pid)/task/\(thread)/schedstat")
      return (thread, text.split(separator: " ").first.flatMap { Int($0) } ?? 0)
    }
    return try #require(times.max { $0.1 < $1.1 }).0
  }

  @Test func `reads the maps by itself when it meets code that is new`() throws {
    let program = try Program(Source.generatedCode, compiler: ["gcc", "-O2"])
    let child = try program.start()
    let modules = ModuleMap(memory: ProcessMemory(tid: child.pid))
    let unwinder = NativeUnwinder(modules: modules)
    var stacks = StackTable()
    let result = try SnapshotTaker(tid: child.pid).withSnapshot {
      unwinder.unwind($0, thread: 0, into: &stacks)
    }
    #expect(result.end == .complete)
    #expect(modules.modules.contains { $0.path == program.path && $0.buildID?.count == 40 })
  }

  @Test func `keeps the ID of a file, and what it knows while nothing has changed`() throws {
    let program = try Program(
      Source.linkage, compiler: ["gcc", "-O2"], libraries: ["one": Source.sharedLibrary])
    let child = try program.start()
    let watch = try Watch(child)
    let before = watch.modules.modules.map(\.path)
    #expect(before.contains(program.path))
    #expect(before.contains("[vdso]"))
    #expect(try watch.modules.refresh() == false)
    let taker = SnapshotTaker(tid: child.pid)
    let first = try taker.withSnapshot { watch.unwind($0) }
    watch.unwinder.invalidate()
    let misses = watch.unwinder.statistics.misses
    _ = try taker.withSnapshot { watch.unwind($0) }
    #expect(first.result.end == .complete)
    // Nothing changed, so the outer frames are known still.
    #expect(watch.unwinder.statistics.misses < misses * 2)
    #expect(watch.modules.modules.map(\.path) == before)
    let vdso = try #require(before.firstIndex(of: "[vdso]"))
    let file = try #require(watch.modules.file(of: ModuleID(Int32(vdso))))
    #expect(file.count >= 4096)
    #expect(watch.modules.modules[vdso].problem == nil)
  }

  @Test func `forgets code that was replaced by exec`() throws {
    let program = try Program(Source.exec, compiler: ["gcc", "-O2"])
    let child = try program.start()
    try waitUntilAsleep(child)
    let watch = try Watch(child)
    let taker = SnapshotTaker(tid: child.pid)
    let main = try program.range(of: "main")
    let before = try taker.withSnapshot { watch.unwind($0) }
    #expect(before.result.end == .complete)
    let misses = watch.unwinder.statistics.misses
    kill(child.pid, SIGUSR1)
    try child.waitUntilReady()
    let after = try taker.withSnapshot { watch.unwind($0) }
    #expect(after.result.end == .complete)
    #expect(after.reaches(main, of: watch.module(of: program)), "\(after)")
    #expect(watch.unwinder.statistics.misses > misses)
    try child.expectUnharmed()
  }

  @Test func `finds the first function of a thread that is not the main one`() throws {
    let program = try Program(Source.thread, compiler: ["gcc", "-O2"])
    let child = try program.start()
    let watch = try Watch(child)
    let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(child.pid)/task")
      .compactMap { pid_t($0) }.filter { $0 != child.pid }
    let taker = SnapshotTaker(tid: try #require(threads.first))
    let first = try program.range(of: "run")
    for _ in 0..<150 {
      let seen = try taker.withSnapshot { watch.unwind($0) }
      #expect(seen.result.end == .complete, "\(seen)")
      #expect(seen.reaches(first, of: watch.module(of: program)), "\(seen)")
    }
    try child.expectUnharmed()
  }

  @Test(arguments: ["-static", "-static-pie"])
  func `survives unwind data that lies`(_ linking: String) throws {
    let program = try Program(Source.timerSignal, compiler: ["gcc", "-O2", linking])
    let original = try Data(contentsOf: URL(fileURLWithPath: program.path))
    let elf = try original.withUnsafeBytes { try ELFFile(RawSpan(_unsafeBytes: $0)) }
    let ranges = [".eh_frame", ".eh_frame_hdr", ".eh_frame"]
      .compactMap { elf.section(named: $0) }
      .compactMap { elf.bytes(of: $0, fileSize: original.count) }
    #expect(!ranges.isEmpty)
    var generator = Generator(state: 1)
    var truncated = 0
    for _ in 0..<25 {
      var damaged = original
      for range in ranges {
        for _ in 0..<max(1, range.count / 12) {
          damaged[Int.random(in: range, using: &generator)] = .random(
            in: .min ... .max, using: &generator)
        }
      }
      let copy = try program.variant(damaged)
      let child = try Child([copy])
      try child.waitUntilReady()
      let watch = try Watch(child)
      let taker = SnapshotTaker(tid: child.pid)
      for _ in 0..<12 {
        let seen = try taker.withSnapshot { watch.unwind($0) }
        #expect(seen.result.depth > 0)
        if seen.result.end != .complete { truncated += 1 }
      }
      try child.expectUnharmed()
    }
    // Else nothing was damaged that matters.
    #expect(truncated > 100)
  }

  @Test func `unwinds a hundred thousand frames and reports both ends`() throws {
    let program = try Program(Source.deep, compiler: ["gcc", "-O1"])
    let child = try program.start()
    let watch = try Watch(child)
    let taker = SnapshotTaker(tid: child.pid)
    let main = try program.range(of: "main")
    for _ in 0..<5 {
      let seen = try taker.withSnapshot { watch.unwind($0) }
      #expect(seen.result.end == .complete)
      #expect(seen.result.depth > 100_000)
      #expect(seen.frames.count == 512)
      #expect(seen.frames.count { $0 == nil } == 1)
      #expect(seen.reaches(main, of: watch.module(of: program)))
    }
    try child.expectUnharmed()
  }

  @Test func `says that a copy was too short, and how much of the stack it needs`() throws {
    let program = try Program(Source.deep, compiler: ["gcc", "-O1"])
    let child = try program.start()
    let watch = try Watch(child)
    let short = SnapshotTaker(tid: child.pid, limit: 65536)
    let cut = try short.withSnapshot { watch.unwind($0) }
    #expect(cut.result.end == .truncated(.copyLimit))
    #expect(cut.result.depth > 512)
    let whole = SnapshotTaker(tid: child.pid)
    let size = try whole.withSnapshot { snapshot in
      Int(watch.unwind(snapshot).result.outermost.rawValue - snapshot.start.rawValue)
    }
    let enough = try SnapshotTaker(tid: child.pid, limit: size + 4096)
      .withSnapshot { watch.unwind($0) }
    #expect(enough.result.end == .complete)
  }

  @Test(arguments: [Source.tree, Source.calls, Source.timerSignal, Source.callback])
  func `finds the same stacks with and without the frames of the last one`(_ source: String)
    throws
  {
    let program = try Program(source, compiler: ["gcc", "-O2"])
    let child = try program.start()
    let watch = try Watch(child)
    let other = NativeUnwinder(modules: watch.modules)
    other.reusesFrames = false
    let taker = SnapshotTaker(tid: child.pid)
    for _ in 0..<300 {
      try taker.withSnapshot { snapshot in
        let quick = watch.unwinder.unwind(snapshot, thread: 0, into: &watch.stacks)
        let slow = other.unwind(snapshot, thread: 0, into: &watch.stacks)
        #expect(quick.stack == slow.stack)
        #expect(quick.end == slow.end)
        #expect(quick.depth == slow.depth)
        #expect(quick.outermost == slow.outermost)
      }
    }
    let (quick, slow) = (watch.unwinder.statistics.steps, other.statistics.steps)
    // Else the comparison proves nothing. A shallow stack may have no frame to compare at.
    #expect(source == Source.tree ? quick < slow : quick <= slow, "\(quick) of \(slow)")
    try child.expectUnharmed()
  }

  @Test(.enabled(if: isInstalled("gdb"), "needs gdb"))
  func `agrees with gdb on a sleeping thread`() throws {
    let program = try Program(Source.sleeper, compiler: ["gcc", "-O2"])
    let child = try program.start()
    try waitUntilAsleep(child)
    let watch = try Watch(child)
    let taker = SnapshotTaker(tid: child.pid)
    let stopped = try taker.withSnapshot { watch.unwind($0) }
    try waitUntilAsleep(child)
    let asleep = try taker.withSleepingSnapshot { watch.unwind($0) }
    let expected = try framesOfDebugger(child, watch)[child.pid] ?? []
    #expect(expected.count >= 5)
    // gdb stops at main.
    #expect(Array(stopped.frames.prefix(expected.count)) == expected)
    #expect(asleep.frames == stopped.frames)
    #expect(!asleep.result.needsRegisters)
    try child.expectUnharmed()
  }

  @Test(
    .enabled(
      if: isInstalled("gdb") && isInstalled("redis-server"), "needs gdb and redis-server"))
  func `agrees with gdb on every thread of redis-server`() throws {
    let socket = NSTemporaryDirectory() + "sprof-\(UUID().uuidString).sock"
    defer { try? FileManager.default.removeItem(atPath: socket) }
    let child = try Child(["redis-server", "--port", "0", "--unixsocket", socket, "--save", ""])
    try child.waitUntilReady("eady to accept connections")
    let watch = try Watch(child)
    let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(child.pid)/task")
      .compactMap { pid_t($0) }
    #expect(threads.count > 2)
    var different: [pid_t] = []
    // The server wakes up ten times a second, perhaps between the two samples.
    for _ in 0..<8 {
      let expected = try framesOfDebugger(child, watch)
      different = try threads.filter { thread in
        let seen = try SnapshotTaker(tid: thread).withSnapshot { watch.unwind($0) }
        let frames = try #require(expected[thread])
        return frames.count <= 2 || Array(seen.frames.prefix(frames.count)) != frames
          || seen.result.end != .complete
      }
      if different.isEmpty { break }
    }
    #expect(different == [])
    try child.expectUnharmed()
  }

  /// The frames of each thread as gdb sees them, without those of inlined functions.
  private func framesOfDebugger(_ child: Child, _ watch: Watch) throws -> [pid_t: [CodeAddress?]] {
    let script = """
      import gdb
      for thread in gdb.selected_inferior().threads():
        thread.switch()
        frame = gdb.newest_frame()
        while frame:
          kind = {gdb.NORMAL_FRAME: 'normal', gdb.SIGTRAMP_FRAME: 'signal'}.get(frame.type())
          if kind: print('FRAME', thread.ptid[1], kind, frame.pc())
          frame = frame.older()
      """
    let file = NSTemporaryDirectory() + "sprof-frames-\(UUID().uuidString).py"
    try script.write(toFile: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: file) }
    let text = try run(["gdb", "-nx", "-batch", "-p", "\(child.pid)", "-x", file])
    var frames: [pid_t: [CodeAddress?]] = [:]
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count == 4, fields[0] == "FRAME", let thread = pid_t(fields[1]),
        let pc = UInt64(fields[3])
      else { continue }
      let address = RemoteAddress(frames[thread] == nil ? pc : pc - 1)
      frames[thread, default: []].append(watch.modules.codeAddress(of: address))
    }
    return frames
  }

  @Test func `asks for registers rather than guess them`() throws {
    let program = try Program(Source.sleeper, compiler: ["gcc", "-O0"])
    let child = try program.start()
    try waitUntilAsleep(child)
    let watch = try Watch(child)
    let taker = SnapshotTaker(tid: child.pid)
    let asleep = try taker.withSleepingSnapshot { watch.unwind($0) }
    #expect(asleep.result.needsRegisters)
    #expect(asleep.result.end == .truncated(.unknownRegister))
    let stopped = try taker.withSnapshot { watch.unwind($0) }
    #expect(stopped.result.end == .complete)
    #expect(stopped.reaches(try program.range(of: "main"), of: watch.module(of: program)))
    try child.expectUnharmed()
  }

  /// Returns once the kernel says that the thread is in `pause`, system call 34.
  private func waitUntilAsleep(_ child: Child) throws {
    while !(try ProcFile.read("/proc/\(child.pid)/syscall")).hasPrefix("34 ") { sched_yield() }
  }
}
