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
      The program gets sprof's own standard files, environment and folder, and the signals that sprof \
      gets. The report goes to stderr, to keep out of the program's output. When sprof is killed, the \
      program runs on.

        sprof run -- python3 -m pybench
        sprof run --rate 1000 -o build.pb.gz --children -- make -j4
        sprof run --report profile.json --json -- ./server --port 8080

      Ends with the program's exit code, with 128 and the number of the signal that killed it, with \
      127 when there is no such program, and with 126 when it cannot be executed; with sprof's own \
      codes only for what keeps the program from being started, or a report of a program that ended \
      with 0 from being written.
      """)

  @OptionGroup var rates: RateArguments

  @Option(
    name: .customLong("report"),
    help: ArgumentHelp("Write the report to this file in place of stderr.", valueName: "file"))
  var reportFile: String?

  @OptionGroup var views: ViewArguments
  @OptionGroup var report: ReportArguments
  @OptionGroup var filter: FilterArguments
  @OptionGroup var page: PageArguments

  @OptionGroup var frames: FrameArguments

  @OptionGroup var capture: CaptureArguments
  @OptionGroup var family: FamilyArguments

  @Argument(
    parsing: .captureForPassthrough,
    help: ArgumentHelp("The program and its arguments.", valueName: "command"))
  var command: [String]

  /// The command without the `--` that may part it from sprof's own options.
  private var program: [String] {
    Array(command.first == "--" ? command.dropFirst() : command[...])
  }

  func validate() throws {
    // What cannot be an option of the program, which has not been named yet.
    switch command.first {
    case "-h", "--help": throw CleanExit.helpRequest(self)
    case "--version": throw CleanExit.message(SprofVersion.current)
    default: break
    }
    guard let name = program.first, !name.isEmpty else {
      throw ValidationError("Give the program to start: sprof run -- make test")
    }
    guard !name.hasPrefix("-") else {
      throw ValidationError("\(name) is no option of run. Write -- in front of the program.")
    }
    try frames.check(report)
    guard reportFile?.isEmpty != true else { throw ValidationError("--report wants a file name.") }
  }

  func run() throws {
    let (ending, failure) = try Diagnostic.guarding(command: "run") { try start() }
    switch ending {
    case .exited(0): if let failure { throw ExitCode(failure.exitCode) }
    case .exited(let code): throw ExitCode(code)
    case .killed(let signal): throw ExitCode(128 + signal)
    }
  }

  /// Returns how the program ended, and what kept sprof from reporting, which it has told.
  private func start() throws -> (CaptureInfo.ProgramEnd, Diagnostic?) {
    // Before the program, which must not run in vain.
    if let reportFile { try OutputFile.check(reportFile) }
    try page.check()
    let name = program[0].split(separator: "/").last.map(String.init) ?? program[0]
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
        held.process,
        plan: SamplingPlan(
          kind: .run, rate: rates.rate, maxPause: rates.maxPause,
          options: SampleOptions(frames: frames.choice, followsTasks: frames.followsTasks)),
        control: CaptureControl(),
        ready: { held.release() }, recorder: recorder)
    } catch {
      // The program is not to suffer for what sprof cannot do.
      recorder?.cancel()
      let diagnostic = Diagnostic.cannotSample(program[0], error)
      diagnostic.tell()
      held.release()
      return (held.waitForEnd(), diagnostic)
    }
    let ending = held.waitForEnd(collected: captured.collectedEnd)
    signals.stopForwarding()
    var profile = captured.named().limitingBlockings()
    profile.capture.programEnd = ending
    do {
      try keep(profile, with: recorder) { try show(profile) }
      return (ending, nil)
    } catch let diagnostic as Diagnostic {
      diagnostic.tell()
      return (ending, diagnostic)
    }
  }

  private func show(_ profile: Profile) throws {
    try report.checkFilter(profile)
    let shown = try filter.apply(to: profile)
    try page.write(shown, report, isPart: !filter.isEmpty)
    if let reportFile {
      // As with a redirection, an older report gives way.
      try OutputFile.write(reportFile, force: true) {
        views.write(shown, report, color: false, to: &$0)
      }
    } else {
      try FileOutput.write(to: STDERR_FILENO) {
        views.write(shown, report, color: Terminal.wantsColor(on: STDERR_FILENO), to: &$0)
      }
    }
  }
}
