import ArgumentParser
import CaptureFile
import LinuxProcess
import ProfileModel
import Sampling

/// The option that also captures the processes that a program starts.
struct FamilyArguments: ParsableArguments {
  @Flag(
    help: ArgumentHelp(
      "Also sample the program's child processes and all their descendants.",
      discussion: """
        Threads are shown as process[pid]/thread. Processes that live for less than about 10 ms are \
        missed; at most 200 are sampled at once. The growing file of --output lacks at most the \
        last second.
        """))
  var children = false

  /// Samples the program, with `children` what it starts, and what it waits for where the plan wants that.
  func record(
    _ process: ProcessIdentity, plan: SamplingPlan, control: CaptureControl,
    ready: (@Sendable () -> Void)? = nil, recorder: CaptureRecorder?
  ) throws(Capture.Failure) -> CapturedProfile {
    let append = recorder.map { recorder in
      { @Sendable (growth: ProfileGrowth) in recorder.append(growth) }
    }
    return children || plan.peers != nil
      ? try Capture.recordFamily(
        process, plan: plan, children: children, control: control, ready: ready, recorder: append)
      : try Capture.record(
        process, plan: plan, control: control, ready: ready, recorder: append)
  }

  /// Dumps the program, and with `children` what it has started.
  func dump(
    _ process: ProcessIdentity, options: SampleOptions
  ) throws(Capture.Failure) -> CapturedProfile {
    children
      ? try Capture.dumpFamily(process, options: options)
      : try Capture.dump(process, options: options)
  }
}
