internal import ProfileAnalysis
internal import ProfileModel

/// Builds profiles of programs that wait, with known answers.
struct WaitMaker {
  static let second: Int64 = 1_000_000_000

  var maker: ProfileMaker
  private let app: ModuleID
  private let library: ModuleID
  private var files: [Substring: ModuleID] = [:]
  private var frames: [String: FrameID] = [:]
  let kind: CaptureInfo.Kind
  /// The end of the capture.
  let end: Int64

  init(kind: CaptureInfo.Kind = .attach, seconds: Int64 = 10) {
    maker = ProfileMaker(kind: kind)
    self.kind = kind
    end = kind == .dump ? 2_000_000 : seconds * Self.second
    maker.profile.capture.duration = end
    app = maker.module("/opt/app/bin/app")
    library = maker.module("/usr/lib/x86_64-linux-gnu/libglib-2.0.so.0")
  }

  var profile: Profile { maker.profile }
  var diagnosis: Diagnosis { Diagnosis(maker.profile) }
  var verdict: Verdict { diagnosis.verdict }

  /// A stack of functions, innermost first; those of GLib, and those without a name, are in a
  /// library, and `libc.so.6/poll` and `app.py/serve` are in these files; `/src/a.cpp/save` is compiled
  /// from that one, and `java/App.run` is a method of Java's.
  mutating func stack(_ functions: [String]) -> StackID {
    maker.stack(
      outermostFirst: functions.reversed().map { name in
        if let known = frames[name] { return known }
        // The frame of a task is not code.
        if name.hasPrefix("<task") {
          let frame = maker.interpretedFrame(SourceLine(function: name))
          frames[name] = frame
          return frame
        }
        let frame = self.frame(name)
        frames[name] = frame
        return frame
      })
  }

  private mutating func frame(_ name: String) -> FrameID {
    let end = name.lastIndex(of: "/")
    let parts = end.map { [name[..<$0], name[name.index(after: $0)...]] } ?? [name[...]]
    if parts.count == 2, parts[0].hasSuffix(".py") {
      return maker.interpretedFrame(
        SourceLine(function: String(parts[1]), file: "/usr/lib/python3/\(parts[0])", line: 1))
    }
    if parts.count == 2, parts[0] == "java" {
      return maker.interpretedFrame(
        SourceLine(function: String(parts[1]), file: "App.java", line: 1, language: .java))
    }
    if name.hasPrefix("/") {
      let line = SourceLine(function: String(parts[1]), file: String(parts[0]), line: 7)
      return maker.frame(line, in: app)
    }
    let isKernel = parts[0] == "[vdso]"
    if parts.count == 2, isKernel || parts[0].contains(".so") || parts[0].hasPrefix("python") {
      let path = isKernel ? String(parts[0]) : "/usr/lib/\(parts[0])"
      let file = files[parts[0]] ?? maker.module(path)
      files[parts[0]] = file
      return maker.frame(SourceLine(function: String(parts[1])), in: file)
    }
    let isLibrary = name.hasPrefix("0x") || name.hasPrefix("g_")
    return maker.frame(SourceLine(function: name), in: isLibrary ? library : app)
  }

  /// A thread that does one thing all the time; its index.
  @discardableResult
  mutating func thread(
    _ tid: Int32, _ name: String = "", _ functions: String, _ activity: Activity,
    share: Double = 1
  ) -> Int {
    let runs = activity == .running
    let cpu = runs ? Int64(Double(end) * share) : 0
    let thread = maker.thread(
      tid, name.isEmpty ? "t\(tid)" : name, isMain: tid == 4242, cpu: cpu,
      lastSeen: kind == .dump ? 0 : end)
    run(thread, functions.split(separator: " ").map(String.init), activity)
    return thread
  }

  /// A run over the last part of the capture, or all of it.
  mutating func run(
    _ thread: Int, _ functions: [String], _ activity: Activity, from: Int64 = 0, to: Int64? = nil
  ) {
    let stack = stack(functions)
    let wall = kind == .dump ? 0 : (to ?? end) - from
    maker.profile.runs.append(
      Run(
        thread: thread, stack: stack, end: .complete, activity: activity, start: from,
        weight: Weight(
          samples: max(1, wall / 10_000_000), ticks: wall / 10_000_000,
          cpu: activity == .running ? wall : 0, wall: wall)))
  }

  mutating func setThread(_ thread: Int, cpu: Int64, delay: Int64 = 0) {
    maker.profile.threads[thread].cpu = cpu
    maker.profile.threads[thread].delay = delay
  }

  /// Lets a thread have ended, having lived for this part of the capture.
  mutating func end(_ thread: Int, lived share: Double, process: OwningProcess? = nil) {
    maker.profile.threads[thread].hasEnded = true
    maker.profile.threads[thread].lastSeen = Int64(Double(end) * share)
    maker.profile.threads[thread].process = process
  }

  /// What a thread waits for, sampled during all of the capture.
  mutating func wait(
    _ tid: Int32, _ wait: Wait, pid: Int32 = 4242, samples: Int = 5, since: Int64? = nil,
    from: Int64 = 0, to: Int64? = nil, threadCount: Int? = nil, signal: Int32? = nil
  ) {
    maker.profile.blockings.append(
      Blocking(
        waiter: WaitingThread(
          pid: pid, tid: tid, name: "t\(tid)", processName: pid == 4242 ? "orderd" : "p\(pid)",
          threadCount: threadCount, wakingSignal: signal),
        wait: wait, since: since, firstSeen: from, lastSeen: samples == 1 ? from : to ?? end,
        samples: samples))
  }

  /// A thread asleep in `pthread_mutex_lock`, and who holds the mutex.
  mutating func locked(
    _ tid: Int32, _ name: String = "", by owner: WaitOwner, in functions: String = "take_lock",
    timed: Bool = false, samples: Int = 5, since: Int64? = nil
  ) {
    thread(
      tid, name, "__lll_lock_wait pthread_mutex_lock \(functions) start_thread clone3",
      .asleep(in: "futex"))
    wait(tid, .mutex(by: owner, timed: timed), samples: samples, since: since)
  }
}

extension Wait {
  static func mutex(
    _ name: String = "audit_lock", by owner: WaitOwner, timed: Bool = false
  ) -> Wait {
    Wait(
      kind: .mutex, systemCall: "futex",
      object: WaitObject(address: RemoteAddress(0x4010), variable: name, file: "/src/bank.c"),
      owners: [owner], isTimed: timed)
  }

  static func join(_ tid: Int32) -> Wait {
    Wait(kind: .join, systemCall: "futex", owners: [.thread(tid: tid)])
  }

  static func pipe(_ kind: WaitKind = .read, peers: [WaitOwner], number: Int32 = 3) -> Wait {
    Wait(
      kind: kind, systemCall: kind.rawValue, owners: peers,
      descriptors: [
        WaitDescriptor(number: number, kind: .pipe, name: "pipe:[77]", peers: peers)
      ])
  }
}
