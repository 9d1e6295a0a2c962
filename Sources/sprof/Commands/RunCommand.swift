import ArgumentParser
import CaptureFile
import Glibc
import LinuxProcess
import ProfileAnalysis
import ProfileExport
import ProfileModel
import Sampling

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Starts a program and samples it from its first instruction to its end.",
    discussion: """
      The program inherits stdin, stdout, stderr, environment and working directory; sprof passes \
      signals on to it. The report goes to stderr, apart from the program's output. If sprof is \
      killed, the program continues.

        sprof run -- python3 -m pybench
        sprof run --rate 1000 -o build.pb.gz --children -- make -j4
        sprof run --report profile.json --json -- ./server --port 8080

      Exits with the program's exit code; with 128 plus the number of the signal that killed it; \
      with 127 if there is no such program, and 126 if it cannot be executed. sprof's own exit codes \
      occur only if the program cannot be started, or if it exits with 0 and the report cannot be \
      written.
      """)

  @OptionGroup var rates: RateArguments

  @Option(
    name: .customLong("report"),
    help: ArgumentHelp(
      "Write the report to this file instead of stderr; overwrites an older report.",
      valueName: "file"), completion: .file())
  var reportPath: String?

  @OptionGroup var views: ViewArguments
  @OptionGroup var report: ReportArguments
  @OptionGroup var filter: FilterArguments
  @OptionGroup var page: PageArguments

  @OptionGroup var frames: FrameArguments
  @OptionGroup var symbols: SymbolArguments

  @OptionGroup var capture: CaptureArguments
  @OptionGroup var family: FamilyArguments
  @OptionGroup var peers: PeerArguments

  @Argument(
    parsing: .captureForPassthrough,
    help: ArgumentHelp("The program and its arguments.", valueName: "command"),
    completion: CommandCompletion.kind)
  var command: [String] = []

  /// The command without the `--` that may separate it from sprof's own options.
  private var program: [String] {
    Array(command.first == "--" ? command.dropFirst() : command[...])
  }

  func validate() throws {
    // These cannot be options of the program, which has not been named yet.
    switch command.first {
    case "-h", "--help": throw CleanExit.helpRequest(self)
    case "--version": throw CleanExit.message(VersionWords.text)
    default: break
    }
    guard let name = program.first, !name.isEmpty else {
      throw ValidationError("Name the program to start: sprof run -- make test")
    }
    guard !name.hasPrefix("-") || command.first == "--" else {
      throw ValidationError(Misuse.words(forOptionOfRun: name, before: command.dropFirst()))
    }
    try frames.check(report)
    try views.check(report)
    try page.check(report, views)
    try filter.check(report)
    guard reportPath?.isEmpty != true else { throw ValidationError("--report needs a file name.") }
  }

  func run() throws {
    let (ending, failure) = try Diagnostic.guarding(command: "run") { try start() }
    switch ending {
    case .exited(0): if let failure { throw ExitCode(failure.exitCode) }
    case .exited(let code): throw ExitCode(code)
    case .killed(let signal): throw ExitCode(128 + signal)
    case nil: throw ExitCode(failure?.exitCode ?? EXIT_FAILURE)
    }
  }

  /// Returns how the program ended, and what kept sprof from reporting, which it has reported.
  private func start() throws -> (CaptureInfo.ProgramEnd?, Diagnostic?) {
    // Checked first: the program must not run in vain.
    let files = [reportFile, page.file].compactMap { $0 }
    for file in files { try file.check() }
    try OutputFile.checkDistinct(capture.files + files)
    let name = program[0].lastPathPart
    let recorder = try capture.recorder(kind: .run, pid: 0, name: name, rate: rates.rate)
    let signals = try ForwardedSignals()
    try JobControl.begin()
    let held: HeldProgram
    do {
      held = try HeldProgram.start(program, mask: signals.originalMask)
    } catch {
      recorder?.cancel()
      throw Diagnostic.cannotStart(program[0], error)
    }
    signals.forward(to: held)
    let captured: CapturedProfile
    do {
      captured = try family.record(
        held.process, plan: plan, control: CaptureControl(), ready: { held.release() },
        recorder: recorder)
    } catch {
      // The program runs on, whatever keeps sprof from sampling it.
      recorder?.cancel()
      let diagnostic = Diagnostic.cannotSample(program[0], error)
      diagnostic.report()
      held.release()
      return (ending(of: held).end, diagnostic)
    }
    let (ending, unknown) = ending(of: held, collected: captured.collectedEnd)
    signals.stopForwarding()
    var profile = captured.named().limitingBlockings()
    profile.capture.programEnd = ending
    do {
      try keep(profile, with: recorder) { try show(profile) }
      return (ending, unknown)
    } catch let diagnostic as Diagnostic {
      diagnostic.report()
      return (ending, diagnostic)
    }
  }

  /// How the program ended; without that, what kept the system from saying so, which is reported.
  private func ending(
    of held: HeldProgram, collected: CInt? = nil
  ) -> (end: CaptureInfo.ProgramEnd?, Diagnostic?) {
    do throws(SystemError) {
      return (try held.waitForEnd(collected: collected), nil)
    } catch {
      let diagnostic = Diagnostic.unknownEnd(program[0], error)
      diagnostic.report()
      return (nil, diagnostic)
    }
  }

  private var reportFile: OutputFile? {
    reportPath.map { OutputFile(path: $0, option: "--report", replaceable: .report) }
  }

  private var plan: SamplingPlan {
    SamplingPlan(
      kind: .run, rate: rates.rate, maxPause: rates.maxPause, maxCPU: rates.maxCPU,
      options: SampleOptions(
        frames: frames.choice, followsTasks: frames.followsTasks,
        maxDepth: frames.depth, symbolsTimeout: symbols.captureLimit),
      seed: rates.seed, peers: peers.requests)
  }

  private func show(_ profile: Profile) throws {
    try ReportedPart(of: profile, report, filter).show { part in
      try page.write(part, freezeThreshold: views.freeze?.length.rawValue)
      if let reportFile {
        try reportFile.write {
          views.write(
            part, color: false, file: capture.output, withSource: page.source, to: &$0)
        }
      } else {
        try FileOutput.write(to: STDERR_FILENO) {
          views.write(
            part, color: Terminal.wantsColor(on: STDERR_FILENO), file: capture.output,
            withSource: page.source, to: &$0)
        }
      }
    }
  }
}
