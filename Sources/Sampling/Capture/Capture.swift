package import LinuxProcess
package import ProfileModel

/// Captures a profile of a running process.
package enum Capture {
  /// Why a capture could not be made.
  package enum Failure: Error, Equatable {
    case access(AccessProblem)
    case system(SystemError)
  }

  /// Samples the process until the plan's duration is over, it ends, or `control` says stop.
  ///
  /// The target is stopped only while running threads are copied. The result has no names yet.
  ///
  /// `ready` is called once everything is open and the clock is about to start: the moment to resume a
  /// program that was held until then. While it samples, `recorder` gets twice a second what is
  /// new, with names, on a thread of its own; a slow one delays nothing, and gets more at its next
  /// turn.
  @available(*, noasync, message: "blocks for the whole capture")
  package static func record(
    _ process: ProcessIdentity, plan: SamplingPlan, control: CaptureControl,
    ready: (@Sendable () -> Void)? = nil, recorder: (@Sendable (ProfileGrowth) -> Void)? = nil
  ) throws(Failure) -> CapturedProfile {
    prepareOpenFiles(forThreadsOf: process.pid)
    let names = FrameNames(process, plan.options)
    return try sample(
      process, plan: plan, origin: ProgramOrigin(plan.kind), membership: .alone, control: control,
      names: names, ready: ready, recording: recorder.map { Recording(names: names, recorder: $0) }
    ).profile
  }

  /// Samples each thread of the process once.
  ///
  /// The target is stopped only while running threads are copied, about 0.1 ms each. The result has no
  /// names yet.
  @available(*, noasync, message: "blocks until all threads were sampled")
  package static func dump(
    _ process: ProcessIdentity, options: SampleOptions = SampleOptions()
  ) throws(Failure) -> CapturedProfile {
    prepareOpenFiles(forThreadsOf: process.pid)
    return try dump(
      process, options: options, membership: .alone, names: FrameNames(process, options)
    ).profile
  }
}

/// A capture of one process that has ended.
struct FinishedCapture {
  let profile: CapturedProfile
  let startTime: MonotonicClock.Instant
  /// The lengths of all stops.
  let pauses: PauseMeter
}

extension Capture {
  /// `record` of one process, alone or among others.
  static func sample(
    _ process: ProcessIdentity, plan: SamplingPlan, origin: ProgramOrigin, membership: Membership,
    control: CaptureControl, names: FrameNames, ready: (@Sendable () -> Void)? = nil,
    recording: (any GrowthReceiver)?
  ) throws(Failure) -> FinishedCapture {
    let target = try CaptureTarget(process)
    return try Failure.guarding { () throws(SystemError) -> FinishedCapture in
      let pipeline = SamplePipeline(
        target, options: plan.options, series: .ticks, origin: origin, membership: membership,
        names: names)
      return try SamplingSession(
        pipeline, plan: plan, control: control, ready: ready, recording: recording
      ).run()
    }
  }

  /// `dump` of one process, alone or among others.
  static func dump(
    _ process: ProcessIdentity, options: SampleOptions, membership: Membership, names: FrameNames
  ) throws(Failure) -> FinishedCapture {
    let target = try CaptureTarget(process)
    return try Failure.guarding { () throws(SystemError) -> FinishedCapture in
      let pipeline = SamplePipeline(
        target, options: options, series: .single, origin: .running, membership: membership,
        names: names)
      return try DumpSession(pipeline).run()
    }
  }
}

extension Capture.Failure {
  /// Calls `body`, whose error may mean that the process has ended.
  fileprivate static func guarding<Value>(
    _ body: () throws(SystemError) -> Value
  ) throws(Self) -> Value {
    do {
      return try body()
    } catch {
      throw error.meansGone ? .access(.noSuchProcess) : .system(error)
    }
  }
}

/// A process that may be captured.
struct CaptureTarget {
  let folder: TaskFolder
  /// A thread through which its memory can be read: the main thread may have ended.
  let liveThread: ProcessIdentity
  /// The process that traces it, of others than this one; 0 for none.
  let holder: Int32

  var pid: Int32 { folder.process }

  init(_ process: ProcessIdentity) throws(Capture.Failure) {
    let access: ProcessAccess
    do {
      access = try AccessCheck.check(process)
    } catch {
      throw .access(error)
    }
    liveThread = access.liveThread
    folder = try Capture.Failure.guarding { () throws(SystemError) in try TaskFolder(process) }
    // The thread that holds a program which sprof has started resumes it by the first tick.
    self.holder = OSThread.isOwn(access.tracer) ? 0 : access.tracer
  }
}
