import ArgumentParser
import CaptureFile
import LinuxProcess
import ProfileExport
import ProfileModel
import Sampling

struct DumpCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dump",
    abstract: "Looks at every thread of a program once and shows its stack.",
    discussion: """
      Sleeping threads are not stopped; a running one is, for about 0.1 ms.

        sprof dump 4242
        sprof dump nginx --json
        sprof dump 4242 --children
      """)

  @Argument(help: "The process: its PID, or a name that only one process has.")
  var target: TargetArgument

  @OptionGroup var report: ReportArguments

  @OptionGroup var frames: FrameArguments

  @OptionGroup var capture: CaptureArguments
  @OptionGroup var family: FamilyArguments

  @Flag(help: "Stop all threads at one instant, for one consistent picture of a changing program.")
  var stopAll = false

  func run() throws {
    try Diagnostic.guarding(command: "dump") {
      let pid = try target.resolve()
      try Diagnostic.guarding(command: "dump", pid: pid) { try look(at: pid) }
    }
  }

  private func look(at pid: Int32) throws {
    let plan = SamplingPlan(rate: nil, stopAll: stopAll, frames: frames.choice)
    let recorder = try capture.recorder(kind: .dump, pid: pid, rate: 0)
    let profile: Profile
    do {
      profile = try family.capture(pid: pid, plan: plan, control: CaptureControl(), recorder: nil)
        .named()
    } catch {
      recorder?.cancel()
      throw error
    }
    try keep(profile, with: recorder) { try report.showDump(profile) }
  }
}
