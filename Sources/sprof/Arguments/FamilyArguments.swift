import ArgumentParser
import CaptureFile
import LinuxProcess
import ProfileModel
import Sampling

/// The option that captures the processes which a program starts, too.
struct FamilyArguments: ParsableArguments {
  @Flag(
    help: ArgumentHelp(
      "Follow the processes that the program has and starts, and those that these start.",
      discussion: """
        Threads are then shown as process[pid]/thread. What lives for less than some 10 ms is not \
        seen, and no more than 200 processes at once. A capture in a file that grows has all \
        processes, and all but the last second of them.
        """))
  var children = false

  /// Samples the program, and with `children` what it starts.
  func record(
    _ process: ProcessIdentity, plan: SamplingPlan, control: CaptureControl,
    ready: (@Sendable () -> Void)? = nil, recorder: CaptureRecorder?
  ) throws(Capture.Failure) -> CapturedProfile {
    let append = recorder.map { recorder in
      { @Sendable (growth: ProfileGrowth) in recorder.append(growth) }
    }
    return children
      ? try Capture.recordFamily(
        process, plan: plan, control: control, ready: ready, recorder: append)
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
