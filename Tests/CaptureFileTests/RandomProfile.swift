import ProfileModel

/// Random numbers that are the same in each run.
struct SeededNumbers: RandomNumberGenerator {
  // splitmix64 (Steele, Lea and Flood 2014).
  private var state: UInt64

  init(seed: Int) { state = UInt64(truncatingIfNeeded: seed) }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
    return value ^ (value >> 31)
  }
}

/// A capture with some of everything that a profile can hold.
struct RandomCapture {
  var numbers: SeededNumbers
  var builder = ProfileBuilder()
  private(set) var threads: [ThreadInfo] = []
  private var time: Int64 = 0
  private let frames: [Frame]

  static let modules = [
    Module(path: "/opt/app/bin/app", buildID: "00ff12"), Module(path: "/lib/libc.so.6"),
    Module(path: "/lib/lib\"odd ü.so", problem: .notELF), Module(path: "[vdso]"),
  ]

  init(seed: Int) {
    numbers = SeededNumbers(seed: seed)
    frames = (0..<60).map { number in
      switch number {
      case 7: return .elided(count: seed % 2 * 911)
      case 11: return .interpreted(SourceLine(function: "load", file: "/src/a.py", line: 3))
      case 12, 13:
        return .interpreted(
          SourceLine(
            function: "org.example.Bank.transfer",
            file: number == 12 ? "org/example/Bank.java" : nil, line: 17 * (13 - number),
            language: .java))
      default: break
      }
      let module = number % 5 == 4 ? ModuleID.anonymous : ModuleID(Int32(number % 4))
      return .code(CodeAddress(module: module, address: FileAddress(0x1000 + UInt64(number) * 16)))
    }
    let count = Int.random(in: 1...8, using: &numbers)
    for number in 0..<count {
      // The last two share a number: one ended, and the kernel gave its number to the other.
      let tid = Int32(number == count - 1 ? max(0, number - 1) : number) + 4242
      let thread = ThreadInfo(
        tid: tid, name: ["main", "worker-\(number)", "", "ü\u{1B}[31m"][number % 4],
        isMain: number == 0, firstSeen: Int64(number), lastSeen: 5_000_000_000 + Int64(number),
        cpu: .random(in: 0...4_000_000_000, using: &numbers), delay: 17,
        cpuSinceStart: .random(in: 0...(.max), using: &numbers),
        state: [nil, "R", "S"][number % 3],
        systemCall: number % 2 == 0
          ? SystemCall(name: "futex", arguments: [0x7fff_0000_1234, .max, 0]) : nil,
        hasEnded: number == count - 2)
      threads.append(thread)
      _ = builder.add(thread)
    }
  }

  /// Looks at every thread, a tick after the last time.
  mutating func tick() {
    time += 10_000_000
    for thread in threads.indices {
      guard !Bool.random(using: &numbers) else {
        builder.extend(thread: thread, by: Weight(samples: 1, ticks: 1, wall: 10_000_000))
        continue
      }
      var stack = StackID.empty
      for _ in 0..<Int.random(in: 0...12, using: &numbers) {
        let frame = builder.stacks.id(of: frames.randomElement(using: &numbers) ?? .elided())
        stack = builder.stacks.stack(of: frame, calledBy: stack)
      }
      builder.sample(
        thread: thread, stack: stack, end: end(of: stack), activity: activity(), time: time,
        weight: Weight(
          samples: 1, ticks: .random(in: 1...3, using: &numbers),
          cpu: .random(in: 0...10_000_000, using: &numbers), wall: 10_000_000, delay: 3))
    }
  }

  private mutating func end(of stack: StackID) -> StackEnd {
    if stack == .empty { return .truncated(.noStack) }
    return [.complete, .complete, .inferred, .truncated(.noUnwindRule)]
      .randomElement(using: &numbers) ?? .complete
  }

  private mutating func activity() -> Activity {
    let all: [Activity] = [
      .running, .waitingForCPU, .blocked(WaitReason(systemCall: "futex")),
      .blocked(WaitReason(systemCall: nil)), .uninterruptible(WaitReason(systemCall: "write")),
      .stopped, .unknown,
    ]
    return all.randomElement(using: &numbers) ?? .unknown
  }

  /// What is known of the capture.
  var info: CaptureInfo {
    var info = CaptureInfo(
      kind: .attach, pid: 4242, processName: "app \"1\"", executable: "/opt/app/bin/app",
      commandLine: ["app", "--with=a b", ""], hostName: "host", kernel: "6.1",
      startTime: 1_790_000_000.123456, duration: time, rate: 99.5, ending: .interrupted,
      notes: ["A note, with \"quotes\"."])
    info.cost.ticksPlanned = 500
    info.cost.stops = 12
    info.cost.pauseMax = 112_000
    info.cost.ownCPU = 181_000_001
    info.unsampled = CaptureInfo.Unsampled(threads: 664, processes: 2)
    return info
  }

  /// The names of frames: inlined calls, linkage names, and none at all.
  static func symbol(_ frame: Frame) -> ResolvedFrame {
    guard case .code(let code) = frame else { return ResolvedFrame(unknown: frame) }
    let number = Int(code.address.rawValue >> 4)
    switch number % 4 {
    case 0: return ResolvedFrame(unknown: frame)
    case 1:
      return ResolvedFrame(
        lines: [SourceLine(function: "plain_\(number % 8)", file: "/src/a.c", line: number)],
        module: code.module)
    case 2:
      return ResolvedFrame(
        lines: [
          SourceLine(
            function: "f(int)", linkageName: "_Z1fi", file: "/src/b ü.cpp", line: 3,
            isInlined: true),
          SourceLine(function: "outer_\(number)", file: "/src/b.cpp", line: 9),
        ], module: code.module)
    default:
      return ResolvedFrame(
        lines: [SourceLine(function: "no_file_\(number)")], module: code.module)
    }
  }

  /// The profile with names.
  consuming func finish() -> Profile {
    let info = info
    var profile = builder.finish(capture: info, modules: Self.modules)
    profile.symbols = profile.stacks.frames.map(Self.symbol)
    return profile
  }

  static func profile(seed: Int, ticks: Int = 40) -> Profile {
    var capture = RandomCapture(seed: seed)
    for _ in 0..<ticks { capture.tick() }
    return capture.finish()
  }
}
