import ArgumentParser
import CaptureFile
import Glibc
import LinuxProcess
import ProfileAnalysis
import ProfileExport
import ProfileModel
import Sampling
import TerminalUI

struct TopCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "top",
    abstract:
      "Shows live where a program's time goes, what its threads wait for, and who holds them up.",
    discussion: """
      A full-screen view of a running program, of one that it starts, or of a capture. The first line \
      is the verdict on the last seconds. Five panes: functions, threads, blockers (who holds up \
      whom), call tree, and one thread's stack. h shows the keys. Into a pipe it prints a block of \
      text every 2 s.

        sprof top 4242
        sprof top gunicorn --pane threads
        sprof top slow.pb.gz
        sprof top 4242 --once --pane blockers
        sprof top -- ./server --port 8080

      A program that it starts reads from /dev/null and writes to it, and runs on when you quit.
      """)

  @Argument(
    help: ArgumentHelp(
      "The process, by PID or name; or a capture file.", valueName: "target"),
    completion: TargetArgument.defaultCompletionKind)
  var target: String?

  @OptionGroup var rates: RateArguments

  @Option(help: "The pane to begin with: functions, threads, blockers, tree or stack.")
  var pane = LivePane.functions

  @Option(help: "The order of rows: own, total, all (since the beginning) or name.")
  var sort = LiveSort.own

  @Option(help: ArgumentHelp("Show only rows that contain this text.", valueName: "text"))
  var filter = ""

  @Option(
    help: ArgumentHelp(
      "Show only the threads whose name matches, the one with this tid, or main.",
      valueName: "glob"),
    transform: GlobArgument.parse)
  var thread: String?

  @Flag(help: "Count CPU time, not wall time.")
  var cpu = false

  @Option(
    help: ArgumentHelp("How far back the view goes; 10s by default.", valueName: "time"),
    transform: TimeArgument.init)
  var window: TimeArgument?

  @Flag(help: "Print one block of text and exit.")
  var once = false

  @OptionGroup var frames: FrameArguments

  @Argument(
    parsing: .postTerminator,
    help: ArgumentHelp("A program to start and show, after --.", valueName: "command"))
  var command: [String] = []

  func validate() throws {
    guard target == nil || command.isEmpty else {
      throw ValidationError("Name a process or a program to start, not both.")
    }
    guard target != nil || !command.isEmpty else {
      throw ValidationError("Name the process to show: sprof top firefox")
    }
    guard command.first?.isEmpty != true, target?.isEmpty != true else {
      throw ValidationError("The name is empty.")
    }
    if let window, window.length < .seconds(1) || window.length > .seconds(300) {
      throw ValidationError("--window must be between 1s and 5m.")
    }
  }

  func run() throws {
    try Diagnostic.guarding(command: "top") {
      if let path = capturePath { return try show(replay(path)) }
      if !command.isEmpty { return try show(started()) }
      let process = try TargetArgument(argument: target ?? "")?.resolve(for: "top")
      guard let process else { throw Diagnostic.noProcess }
      try Diagnostic.guarding(command: "top", pid: process.pid) {
        do throws(AccessProblem) {
          _ = try AccessCheck.check(process)
        } catch {
          throw Capture.Failure.access(error)
        }
        try begin()
        try show(TopCapture(process, plan: plan(.attach), request))
      }
    }
    if let code = TopSignals.exitCode { throw ExitCode(code) }
  }

  /// The capture that is meant: a file of that name, where no process has it.
  private var capturePath: String? {
    guard let target, Int64(target) == nil, access(target, F_OK) == 0 else { return nil }
    if !target.contains("/"), !ProcessSearch.processes(named: target).isEmpty { return nil }
    return target
  }

  private var request: LivePicture.Request {
    var request = LivePicture.Request()
    request.thread = thread
    if let window { request.window = window.length.rawValue }
    return request
  }

  private func plan(_ kind: SamplingPlan.Kind) -> SamplingPlan {
    SamplingPlan(
      kind: kind, rate: rates.rate, maxPause: rates.maxPause, maxCPU: rates.maxCPU,
      options: SampleOptions(
        frames: frames.choice, followsTasks: frames.followsTasks, maxDepth: frames.depth,
        symbolsTimeout: .seconds(20)),
      seed: rates.seed)
  }

  private func begin() throws {
    try TopSignals.begin()
    try JobControl.begin(
      before: { TopSignals.leaveScreen() }, after: { TopSignals.returnToScreen() })
  }

  private func replay(_ path: String) throws -> TopCapture {
    guard rates.areStandard, frames.areStandard else {
      throw Diagnostic.isMisused(
        "\(path) is a capture: it cannot be combined with --rate, --max-pause, --max-cpu, --no-jitter, "
          + "--internals, --async, --no-callers or --max-depth, which say how to sample.")
    }
    let profile = try loadProfile(path, ReadingBudget(.standard))
    try begin()
    return TopCapture(replaying: profile, request)
  }

  /// A capture of the program of the command line, which is held until sampling begins.
  private func started() throws -> TopCapture {
    let mask = SignalMask.block([])
    try begin()
    let held = try Self.withoutTerminal {
      do throws(HeldProgram.Failure) {
        return try HeldProgram.start(command, mask: mask)
      } catch {
        throw Diagnostic.cannotStart(command[0], error)
      }
    }
    do {
      return try TopCapture(held.process, plan: plan(.run), request, ready: { held.release() })
    } catch {
      held.release()
      throw error
    }
  }

  /// Calls `body` with standard files that lead nowhere: the screen is sprof's.
  private static func withoutTerminal<Value>(_ body: () throws -> Value) throws -> Value {
    let standard = [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO]
    let saved = standard.map { fcntl($0, F_DUPFD_CLOEXEC, 3) }
    let nowhere = open("/dev/null", O_RDWR | O_CLOEXEC)
    for descriptor in standard where nowhere >= 0 { dup2(nowhere, descriptor) }
    defer {
      for (copy, descriptor) in zip(saved, standard) where copy >= 0 {
        dup2(copy, descriptor)
        close(copy)
      }
      if nowhere >= 0 { close(nowhere) }
    }
    return try body()
  }

  // MARK: - Showing

  /// Stops a job in the background, as a terminal does, until it is in the foreground.
  private static func waitForTerminal() {
    while !Terminal.isForeground, !TopSignals.wantsEnd {
      kill(getpid(), SIGTTOU)
      usleep(300_000)
    }
    _ = TopSignals.takeContinued()
  }

  private func show(_ capture: TopCapture) throws {
    defer { capture.stop() }
    var view = LiveView()
    (view.pane, view.sort, view.filter) = (pane, sort, filter)
    view.unit = cpu ? .cpu : .wall
    view.request = request
    if !once, isatty(STDOUT_FILENO) == 1 { Self.waitForTerminal() }
    guard !once, isatty(STDOUT_FILENO) == 1, isatty(STDIN_FILENO) == 1,
      let screen = CursesScreen(wantsColor: Terminal.wantsColor)
    else { return try TopBlocks(capture, view, isSingle: once).run() }
    var top = TopScreen(capture, screen, view)
    defer { top.close() }
    try top.run()
  }
}

extension LivePane: ExpressibleByArgument {}
extension LiveSort: ExpressibleByArgument {}
