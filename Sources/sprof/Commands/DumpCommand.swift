import ArgumentParser
import CaptureFile
import LinuxProcess
import ProfileAnalysis
import ProfileExport
import ProfileModel
import Sampling

struct DumpCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dump",
    abstract: "Samples every thread of a program once and shows its stack.",
    discussion: """
      The first line is the verdict; then come the threads, each with what it waits for and who \
      holds it up, idle ones last. Running threads are stopped for about 0.1 ms, sleeping \
      ones almost never.

        sprof dump 4242
        sprof dump --window
        sprof dump nginx --json
        sprof dump 4242 --children
        sprof dump 4242 --watch 5s
        sprof dump 4242 --redact > for-a-bug-report.txt
      """)

  @OptionGroup var target: TargetArguments

  @OptionGroup var report: ReportArguments

  @OptionGroup var frames: FrameArguments
  @OptionGroup var symbols: SymbolArguments

  @OptionGroup var capture: CaptureArguments
  @OptionGroup var family: FamilyArguments
  @OptionGroup var ping: PingArguments

  @Flag(help: "Stop all threads at once, for one consistent picture of a changing program.")
  var stopAll = false

  @Flag(help: "Show the whole stack of every thread, also of those at rest.")
  var all = false

  @Option(
    defaultAsFlag: WatchInterval.standard, parsing: .next,
    help: ArgumentHelp(
      "Sample repeatedly at this interval and print what changed, until Ctrl-C.",
      valueName: "time"))
  var watch: WatchInterval?

  func validate() throws {
    try frames.check(report)
    guard watch == nil || capture.output == nil else {
      throw ValidationError("--watch cannot be combined with --output.")
    }
    guard watch == nil || !report.brief || report.json else {
      throw ValidationError(
        "--watch shows what changed; it cannot be combined with --brief, unless with --json.")
    }
    guard !all || !report.brief else {
      throw ValidationError("--brief cannot be combined with --all.")
    }
    guard !all || !report.json else {
      throw ValidationError("--json writes everything; it cannot be combined with --all.")
    }
    guard watch == nil || !ping.isWanted else {
      throw ValidationError("--watch cannot be combined with --ping.")
    }
    // The parser takes a value that it cannot read for none.
    let given = CommandLine.arguments.last { $0.hasPrefix("--watch=") }
    if watch != nil, let given {
      do {
        _ = try TimeArgument(String(given.dropFirst("--watch=".count)))
      } catch let error as ValidationError {
        throw ValidationError("The interval of '\(given)' is wrong: \(error.message)")
      }
    }
  }

  func run() throws {
    try Diagnostic.guarding(command: "dump") {
      try OutputFile.checkDistinct(capture.files)
      let process = try target.chosen(for: "dump").resolve(for: "dump")
      prepareOpenFiles(forThreadsOf: process.pid)
      try JobControl.begin()
      try Diagnostic.guarding(command: "dump", pid: process.pid) {
        guard let watch else { return try sample(process) }
        try DumpWatch(process, family, interval: watch.length, options: options, report, all: all)
          .run()
      }
    }
  }

  private var options: SampleOptions {
    SampleOptions(
      stopAll: stopAll, frames: frames.choice, followsTasks: frames.followsTasks,
      maxDepth: frames.depth, symbolsTimeout: symbols.dumpLimit)
  }

  private func sample(_ process: ProcessIdentity) throws {
    growHeapInLargeSteps()
    let recorder = try capture.recorder(kind: .dump, pid: process.pid, rate: 0)
    let profile: Profile
    do {
      profile = try ping.during(process, command: "dump") {
        try family.dump(process, options: options).named().limitingBlockings()
      }
    } catch {
      recorder?.cancel()
      throw error
    }
    try keep(profile, with: recorder) {
      try ReportedPart(of: profile, report).show { try $0.showDump(all: all) }
    }
  }
}
