import ArgumentParser
import CaptureFile
import LinuxProcess
import ProfileAnalysis
import ProfileExport
import ProfileModel
import Sampling

struct AttachCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "attach",
    abstract: "Samples all threads of a running program and shows where its time goes.",
    discussion: """
      The first line is the verdict: a deadlock, a hang (and what it waits for), freezes and their \
      causes, a busy loop, or a program that is starved, busy, waiting or idle. Sampling stops after \
      --duration, at Ctrl-C (a second Ctrl-C quits without a report), or when the program ends. \
      Running threads are stopped for about 0.1 ms per tick, sleeping ones almost never.

        sprof attach 4242 --duration 10s
        sprof attach firefox --rate 1000 --duration 500ms --thread 'DOM*'
        sprof attach --window --duration 5s
        sprof attach 4242 --duration 5s --json > profile.json
        sprof attach 4242 --duration 10s --html why.html
        sprof attach gunicorn --children --duration 10s
        sprof attach 4242 --duration 5s --redact > for-a-bug-report.txt
      """)

  @OptionGroup var target: TargetArguments

  @Option(
    name: [.long, .customShort("d")], parsing: .unconditional,
    help: ArgumentHelp(
      "How long to sample, such as 10s, 500ms or 1m30s; without it, until Ctrl-C.",
      valueName: "time"),
    transform: TimeArgument.init)
  var duration: TimeArgument?

  @OptionGroup var rates: RateArguments

  @OptionGroup var views: ViewArguments
  @OptionGroup var report: ReportArguments
  @OptionGroup var filter: FilterArguments
  @OptionGroup var page: PageArguments

  @OptionGroup var frames: FrameArguments
  @OptionGroup var symbols: SymbolArguments

  @OptionGroup var capture: CaptureArguments
  @OptionGroup var family: FamilyArguments
  @OptionGroup var peers: PeerArguments
  @OptionGroup var ping: PingArguments

  @Flag(
    help: ArgumentHelp(
      "Stop all threads at once at every tick, sleeping ones too.",
      discussion: """
        Gives one consistent picture of a changing program, as other tools do. Costs much more, and \
        system calls such as epoll_wait with a timeout fail with EINTR in the program.
        """))
  var stopAll = false

  func validate() throws {
    try frames.check(report)
    try views.check(report)
    try page.check(report, views)
    try filter.check(report)
  }

  func run() throws {
    try Diagnostic.guarding(command: "attach") {
      try page.file?.check()
      try OutputFile.checkDistinct(capture.files + [page.file].compactMap { $0 })
      let target = try target.chosen(for: "attach")
      let control = CaptureControl()
      try Interrupts.end(control)
      try JobControl.begin()
      let process = try target.resolve(for: "attach")
      try Diagnostic.guarding(command: "attach", pid: process.pid) {
        try sample(process, control)
      }
    }
  }

  /// Says before a long capture that its report may have no thread to show.
  ///
  /// It goes on: the thread may come yet, or have a name that only its runtime knows.
  private func checkThread(of pid: Int32) {
    guard let glob = report.thread, !family.children,
      let folder = try? TaskFolder(process: pid)
    else { return }
    let filter = ThreadFilter(glob: glob)
    let threads = folder.threads().map { (tid: $0, name: folder.name(of: $0) ?? "") }
    guard
      !threads.contains(where: { filter.matches(tid: $0.tid, name: $0.name, isMain: $0.tid == pid) }
      )
    else { return }
    let names = Set(threads.map(\.name)).sorted().prefix(40)
    Terminal.writeMessage(
      "No thread matches \"\(glob)\" yet; the threads are: "
        + "\(names.map(\.printable).joined(separator: ", ")). Sampling all the same.")
  }

  private func sample(_ process: ProcessIdentity, _ control: CaptureControl) throws {
    checkThread(of: process.pid)
    let plan = SamplingPlan(
      rate: rates.rate, maxPause: rates.maxPause, maxCPU: rates.maxCPU,
      duration: duration?.length,
      options: SampleOptions(
        stopAll: stopAll, frames: frames.choice, followsTasks: frames.followsTasks,
        maxDepth: frames.depth, symbolsTimeout: symbols.captureLimit),
      seed: rates.seed, peers: peers.requests)
    let display = ProgressDisplay(control: control, duration: duration?.length)
    let recorder = try capture.recorder(kind: .attach, pid: process.pid, rate: rates.rate)
    let profile: Profile
    do {
      profile = try ping.during(process, command: "attach") {
        try display.show {
          try family.record(process, plan: plan, control: control, recorder: recorder).named()
            .limitingBlockings()
        }
      }
    } catch {
      recorder?.cancel()
      throw error
    }
    try keep(profile, with: recorder) {
      try ReportedPart(of: profile, report, filter).show { part in
        try page.write(part, freezeThreshold: views.freeze?.length.rawValue)
        try views.show(part, file: capture.output, withSource: page.source)
      }
    }
  }
}
