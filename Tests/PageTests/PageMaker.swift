import ProfileAnalysis
import ProfileExport
import ProfileModel
import TestSupport

/// Numbers that look like chance, the same for the same seed.
struct SeededNumbers: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}

/// Makes profiles by hand.
struct PageMaker {
  private(set) var builder = ProfileBuilder()
  private(set) var symbols: [ResolvedFrame] = []
  private(set) var modules: [Module] = []
  private var frames: [String: FrameID] = [:]

  mutating func thread(_ tid: Int32, _ name: String, isMain: Bool = false) -> Int {
    builder.add(
      ThreadInfo(tid: tid, name: name, isMain: isMain, lastSeen: 10_000_000_000, state: "S"))
  }

  mutating func module(_ path: String) -> ModuleID {
    modules.append(Module(path: path))
    return ModuleID(Int32(modules.count - 1))
  }

  /// A stack of functions, outermost first; each name is one frame.
  mutating func stack(_ names: [String], file: String? = nil, in module: ModuleID) -> StackID {
    names.reduce(.empty) { caller, name in
      let known = frames[name]
      let address = FileAddress(UInt64(0x1000 + frames.count * 16))
      let frame =
        known ?? builder.stacks.id(of: .code(CodeAddress(module: module, address: address)))
      if known == nil {
        frames[name] = frame
        let line = SourceLine(function: name, file: file, line: frames.count)
        symbols.append(ResolvedFrame(lines: [line], module: module))
      }
      return builder.stacks.stack(of: frame, calledBy: caller)
    }
  }

  /// A look of 10 ms; whoever looks twice at the same adds up.
  mutating func sample(
    _ thread: Int, _ stack: StackID, _ activity: Activity = .running, at time: Int64,
    wall: Int64 = 10_000_000, end: StackEnd = .complete
  ) {
    let isRunning = activity == .running
    builder.sample(
      thread: thread, stack: stack, end: end, activity: activity, time: time,
      weight: Weight(samples: 1, ticks: 1, cpu: isRunning ? wall : 0, wall: wall))
  }

  /// CPU time of a thread that was asleep whenever it was sampled.
  mutating func ranUnseen(_ thread: Int, cpu: Int64) {
    builder.spread(thread: thread, Weight(cpu: cpu))
  }

  consuming func profile(named name: String = "orderd", blockings: [Blocking] = []) -> Profile {
    let capture = CaptureInfo(
      kind: .attach, pid: 4242, processName: name, commandLine: [name], hostName: name,
      startTime: 1_700_000_000, duration: 10_000_000_000, rate: 100, notes: [.plain(name)])
    // The builder numbers frames anew, in the order of their first use, as symbols are asked for.
    let names = Dictionary(
      zip(builder.stacks.frames, symbols).map { ($0, $1) }, uniquingKeysWith: { first, _ in first })
    var profile = builder.finish(capture: capture, modules: modules)
    profile.symbols = profile.stacks.frames.map { names[$0] ?? ResolvedFrame(unknown: $0) }
    profile.blockings = blockings
    return profile
  }
}

/// The scripts that drive a browser.
enum Driver {
  static let isThere =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    .contains { Tool.isInstalled($0) } && Tool.isInstalled("python3")

  /// Runs a script to its end, and gives what it printed; its failures are those of the test.
  static func run(_ script: String, _ arguments: [String]) throws -> CommandOutcome {
    let path = Repository.path("Tests/PageTests/Browser/\(script).py")
    let python = Tool.path("python3") ?? "python3"
    return try TestSupport.run(
      [python, path] + arguments, timeout: .seconds(120),
      environment: ["PYTHONDONTWRITEBYTECODE": "1"])
  }
}
