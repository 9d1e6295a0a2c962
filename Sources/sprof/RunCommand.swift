import ArgumentParser
import CaptureFile
import Glibc
import LinuxProcess
import ProfileExport
import ProfileModel
import Sampling

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Starts a program and samples it from its first instruction to its end.",
    discussion: """
      The program gets sprof's own standard files, and its signals; sprof ends with the program's \
      exit code (128 and the number of the signal that killed it; 126 or 127 when it cannot be \
      started). The report goes to stderr, to keep out of the program's output.

        sprof run -- python3 -m pybench
        sprof run --rate 1000 -o build.pb.gz -- make -j4
        sprof run --report profile.json --json -- ./server --port 8080
      """)

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Ticks per second, 1 to 20000.", valueName: "hz"),
    transform: RateArgument.parse)
  var rate = 100.0

  @Option(
    name: .customLong("report"),
    help: ArgumentHelp("Write the report to this file in place of stderr.", valueName: "file"))
  var reportFile: String?

  @OptionGroup var views: ViewArguments
  @OptionGroup var report: ReportArguments
  @OptionGroup var filter: FilterArguments

  @OptionGroup var capture: CaptureArguments

  @Argument(
    parsing: .captureForPassthrough,
    help: ArgumentHelp("The program and its arguments.", valueName: "command"))
  var command: [String]

  /// The command without the `--` that may part it from sprof's own options.
  private var program: [String] {
    Array(command.first == "--" ? command.dropFirst() : command[...])
  }

  func validate() throws {
    guard let name = program.first, !name.isEmpty else {
      throw ValidationError("Give the program to start: sprof run -- make test")
    }
    guard !name.hasPrefix("-") else {
      throw ValidationError("\(name) is no option of run. Write -- in front of the program.")
    }
  }

  func run() throws {
    let ending = try Diagnostic.guarding(command: "run") { try start() }
    switch ending {
    case .exited(let code): throw ExitCode(code)
    case .killed(let signal): throw ExitCode(128 + signal)
    }
  }

  private func start() throws -> HeldProgram.Ending {
    // Before the program, which must not run in vain.
    let recorder = try capture.recorder(kind: .attach, pid: getpid(), rate: rate)
    let control = CaptureControl()
    let signals = try ForwardedSignals()
    let held: HeldProgram
    do {
      held = try HeldProgram.start(program, mask: signals.originalMask)
    } catch {
      recorder?.cancel()
      throw Diagnostic.cannotStart(program[0], error)
    }
    signals.forward(to: held.pid)
    let captured: CapturedProfile
    do {
      captured = try Diagnostic.guarding(command: "attach", pid: held.pid) {
        try Capture.record(
          pid: held.pid, plan: SamplingPlan(rate: rate), control: control,
          ready: { held.release() },
          recorder: recorder.map { recorder in { @Sendable in recorder.append($0) } })
      }
    } catch {
      // The program is not to suffer for what sprof cannot do.
      recorder?.cancel()
      held.release()
      return held.waitForEnd()
    }
    let ending = held.waitForEnd(collected: captured.collectedEnd)
    signals.stopForwarding()
    let profile = captured.named()
    try keep(profile, with: recorder) { try show(profile) }
    return ending
  }

  private func show(_ profile: Profile) throws {
    try report.checkFilter(profile)
    let shown = try filter.apply(to: profile)
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
