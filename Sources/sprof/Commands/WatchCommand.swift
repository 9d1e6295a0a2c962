import ArgumentParser
import CaptureFile
import Glibc
import LinuxProcess
import ProfileAnalysis
import ProfileExport
import ProfileModel
import Sampling

struct WatchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Waits for a program to freeze, for days if need be, and captures each freeze.",
    discussion: """
      A freeze is a stretch in which the main thread, or another that runs an event loop, does not \
      come back to its loop; of a program without one, in which the main thread does not leave one \
      wait. While all is well the program is never stopped. From half of --hang on all threads are \
      sampled at --rate, until the loop rests again and --after has passed.

        sprof watch firefox
        sprof watch --window
        sprof watch mousepad --hang 500ms --wait
        sprof watch 4242 --for 24h --json > freezes.jsonl
        sprof watch 4242 --exec 'notify-send Frozen'
        sprof watch --hang 2s -- ./server --port 8080

      Prints a line when a freeze has lasted for --hang, one with its length and its file when it is \
      over, and at the end, at Ctrl-C or SIGTERM, a summary by cause. sprof report opens the files.
      """)

  @Argument(
    help: "The process: its PID, or a name (of several processes, the one that started the others)."
  )
  var target: TargetArgument?

  @OptionGroup var window: WindowArguments

  @Option(
    help: ArgumentHelp(
      "How long a thread must be away to count as frozen; 1s by default.", valueName: "time"),
    transform: TimeArgument.init)
  var hang: TimeArgument?

  @Option(
    help: ArgumentHelp(
      "How much of the time before a freeze to keep; 10s by default.", valueName: "time"),
    transform: TimeArgument.moment)
  var before: TimeArgument?

  @Option(
    help: ArgumentHelp(
      "How much of the time after a freeze to keep; 1s by default.", valueName: "time"),
    transform: TimeArgument.moment)
  var after: TimeArgument?

  @Option(
    help: ArgumentHelp(
      "Ticks per second in a freeze, 1 to 20000; 100 by default.", valueName: "hz"),
    transform: RateArgument.parse)
  var rate = 100.0

  @Option(
    help: ArgumentHelp(
      "Also watch the threads whose name matches, or the one with this tid.", valueName: "glob"),
    transform: GlobArgument.parse)
  var thread: String?

  @Option(
    help: ArgumentHelp(
      "The folder for captures; ./sprof-NAME-PID by default.", valueName: "dir"),
    completion: .directory)
  var dir: String?

  @Option(
    help: ArgumentHelp(
      "Keep at most this many captures; 100 by default.",
      discussion: "The shortest of the older half is deleted first, the longest never."))
  var keep = 100

  @Option(
    name: .customLong("max-size"),
    help: ArgumentHelp(
      "Keep at most this many bytes, such as 500M or 2G; 500M by default.", valueName: "size"),
    transform: SizeArgument.parse)
  var maxSize: Int64 = 500_000_000

  @Option(
    name: .customLong("for"),
    help: ArgumentHelp("How long to watch; until the program ends by default.", valueName: "time"),
    transform: TimeArgument.init)
  var length: TimeArgument?

  @Option(
    name: .customLong("exec"),
    help: ArgumentHelp(
      "Run this for each capture, with the freeze as JSON on its stdin.",
      discussion: """
        SPROF_CAPTURE has the path of the capture. There is no shell: words are split at spaces, \
        quotes and backslashes keep them together. Its output goes to stderr.
        """, valueName: "command"),
    transform: HookCommand.init)
  var hook: HookCommand?

  @Flag(help: "Wait for a program of this name, and again after it has ended.")
  var wait = false

  @Flag(help: "Write the log as JSON, one object a line.")
  var json = false

  @Argument(
    parsing: .postTerminator,
    help: ArgumentHelp("A program to start and watch, after --.", valueName: "command"),
    completion: CommandCompletion.kind)
  var command: [String] = []

  func validate() throws {
    guard target == nil || command.isEmpty else {
      throw ValidationError("Name a process or a program to start, not both.")
    }
    let isNamed = target != nil || !command.isEmpty
    guard !window.isWanted || !isNamed else { throw WindowArguments.isTwice }
    guard window.isWanted || isNamed else {
      throw ValidationError("Name the process to watch: sprof watch firefox")
    }
    guard command.first?.isEmpty != true else {
      throw ValidationError("Name the program to start: sprof watch -- ./server")
    }
    if wait {
      guard case .name = target else {
        throw ValidationError("--wait needs the name of a program.")
      }
    }
    guard keep >= 1 else { throw ValidationError("--keep must be at least 1.") }
    guard dir?.isEmpty != true else { throw ValidationError("--dir needs a name.") }
    if let hang, hang.length < .milliseconds(50) {
      throw ValidationError("--hang must be at least 50ms.")
    }
  }

  func run() throws {
    useOneHeap()
    try Diagnostic.guarding(command: "watch") {
      guard command.isEmpty else { return try watchCommand() }
      let target = window.isWanted ? try window.pick(for: "watch") : target
      let control = CaptureControl()
      try Interrupts.end(control)
      try JobControl.begin()
      let log = WatchLog(to: STDOUT_FILENO, json: json)
      let deadline = deadline
      repeat {
        guard let process = try find(target, control, log, until: deadline) else { return }
        let end = try Diagnostic.guarding(command: "watch", pid: process.pid) {
          try watch(process, control, log, until: deadline)
        }
        try log.check()
        guard wait, end == .programEnded else { return }
      } while true
    }
  }

  private var deadline: MonotonicClock.Instant {
    length.map { MonotonicClock.now() + $0.length } ?? .distantFuture
  }

  /// The process, for which `--wait` waits; nil when the watch is over before.
  private func find(
    _ target: TargetArgument?, _ control: CaptureControl, _ log: WatchLog,
    until deadline: MonotonicClock.Instant
  ) throws -> ProcessIdentity? {
    guard wait, case .name(let name) = target else { return try target?.resolve(for: "watch") }
    var isTold = false
    while !control.shouldStop, MonotonicClock.now() < deadline {
      if !ProcessSearch.processes(named: name).isEmpty { return try target?.resolve(for: "watch") }
      if !isTold { log.write(.waiting(name: name)) }
      isTold = true
      MonotonicClock.sleep(for: .milliseconds(250))
    }
    return nil
  }

  private func watch(
    _ process: ProcessIdentity, _ control: CaptureControl, _ log: WatchLog,
    until deadline: MonotonicClock.Instant
  ) throws -> FlightRecorder.End {
    let name = ProcessSearch.processName(process.pid) ?? "\(process.pid)"
    let folder = FreezeFolder(
      path: dir ?? "sprof-\(Self.fileName(name))-\(process.pid)", countLimit: keep,
      sizeLimit: maxSize)
    try folder.create()
    let plan = plan
    let keeper = FreezeKeeper(
      plan, folder: folder, log: log, hook: hook, process: (name, process.pid))
    let recorder = try FlightRecorder(process, plan: plan, receiver: keeper)
    let begin = MonotonicClock.now()
    log.write(
      .watching(
        process: name, pid: process.pid, threshold: plan.threshold.rawValue, folder: folder.path))
    let end = try recorder.run(control: control, until: deadline)
    log.write(
      .ended(
        keeper.summary, process: recorder.programName ?? name, pid: process.pid,
        watched: (MonotonicClock.now() - begin).rawValue, isProgramOver: end == .programEnded))
    return end
  }

  /// Starts the program, and exits as it does; the log goes to stderr, apart from its output.
  private func watchCommand() throws {
    let signals = try ForwardedSignals()
    try JobControl.begin()
    let held: HeldProgram
    do {
      held = try HeldProgram.start(command, mask: signals.originalMask)
    } catch {
      throw Diagnostic.cannotStart(command[0], error)
    }
    signals.forward(to: held)
    held.release()
    let log = WatchLog(to: STDERR_FILENO, json: json)
    var failure: Diagnostic?
    do {
      _ = try watch(held.process, CaptureControl(), log, until: deadline)
    } catch let failed as Capture.Failure {
      failure = .cannotSample(command[0], failed)
    } catch let failed as Diagnostic {
      failure = failed
    }
    failure?.report()
    let ending: CaptureInfo.ProgramEnd
    do {
      ending = try held.waitForEnd()
    } catch {
      throw Diagnostic.unknownEnd(command[0], error)
    }
    switch ending {
    case .exited(0): if let failure { throw ExitCode(failure.exitCode) }
    case .exited(let code): throw ExitCode(code)
    case .killed(let signal): throw ExitCode(128 + signal)
    }
  }

  private var plan: WatchPlan {
    let sampling = SamplingPlan(
      rate: rate, maxPause: 0.25, maxCPU: 0.5, options: SampleOptions(frames: .mixed))
    let filter = thread.map { ThreadFilter(glob: $0) }
    return WatchPlan(
      threshold: hang?.length ?? .seconds(1), before: before?.length ?? .seconds(10),
      after: after?.length ?? .seconds(1), sampling: sampling,
      choosesThread: filter.map { filter in { @Sendable in filter.matches($0) } })
  }

  /// A process's name as a part of a file's.
  private static func fileName(_ name: String) -> String {
    let parts = name.unicodeScalars.map { scalar in
      let isLetter = scalar.isASCII && scalar.properties.isAlphabetic
      let isPlain = isLetter || ("0"..."9").contains(scalar) || scalar == "-" || scalar == "+"
      return isPlain ? Character(scalar) : "_"
    }
    return String(parts)
  }
}

/// A number of bytes as the user writes it: `500M`.
enum SizeArgument {
  static func parse(_ text: String) throws -> Int64 {
    let units: [(suffix: String, bytes: Double)] = [
      ("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12),
    ]
    guard let unit = units.first(where: { text.hasSuffix($0.suffix) }),
      let number = Double(text.dropLast()), number.isFinite
    else {
      throw ValidationError(
        Double(text) != nil
          ? "it has no unit; did you mean \(text)M?" : "use a form like 500M or 2G.")
    }
    let bytes = number * unit.bytes
    guard bytes >= 1_000_000, bytes <= 1e15 else {
      throw ValidationError("it must be at least 1M and at most 1000T.")
    }
    return Int64(bytes)
  }
}
