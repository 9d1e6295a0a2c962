package import LinuxProcess
package import ProfileModel

extension Capture {
  /// Samples the process and those that it has and starts, with the arguments of `record`; where the plan
  /// wants peers also those that it waits for.
  ///
  /// It ends when the capture of the process itself does; processes that outlive it are left alone.
  @available(*, noasync, message: "blocks for the whole capture")
  package static func recordFamily(
    _ process: ProcessIdentity, plan: SamplingPlan, children hasChildren: Bool = true,
    control: CaptureControl, ready: (@Sendable () -> Void)? = nil,
    recorder: (@Sendable (ProfileGrowth) -> Void)? = nil
  ) throws(Failure) -> CapturedProfile {
    prepareOpenFiles(forThreadsOf: process.pid)
    let modules = SharedModules()
    let names = FrameNames(process, plan.options, isForMany: true)
    let recording = recorder.map { FamilyRecording(modules: modules, names: names, recorder: $0) }
    do {
      try recording?.start()
    } catch {
      throw .system(error)
    }
    defer { recording?.finish() }
    let family = ProcessFamily(
      process, plan: plan, hasChildren: hasChildren, modules: modules, recording: recording)
    defer { family.stop() }
    // Its names are its own, as those of each process: the numbers of its modules mean others among
    // those of all.
    let own = try sample(
      process, plan: plan, origin: ProgramOrigin(plan.kind), membership: .alone, control: control,
      names: FrameNames(process, plan.options),
      ready: {
        ready?()
        family.watch()
      }, recording: recording?.part(of: process.pid, shift: 0, showsProgress: true))
    let profile = family.finish(with: own)
    // The names are the recording's until it has worked off the last.
    recording?.finish()
    return CapturedProfile(profile, names: names, collectedEnd: own.profile.collectedEnd) { _ in
      modules.files
    }
  }

  /// Samples each thread of the process and of those that it has once, one process after the other.
  @available(*, noasync, message: "blocks until all threads were sampled")
  package static func dumpFamily(
    _ process: ProcessIdentity, options: SampleOptions = SampleOptions()
  ) throws(Failure) -> CapturedProfile {
    prepareOpenFiles(forThreadsOf: process.pid)
    let modules = SharedModules()
    let names = FrameNames(process, options, isForMany: true)
    let members = FamilyMembers(of: process, modules: modules)
    let own = try dump(
      process, options: options, membership: .alone, names: FrameNames(process, options))
    let start = MonotonicClock.now()
    let found = ProcessTree.descendants(of: [process])
    for member in found.sorted(by: { $0.pid < $1.pid }) {
      do throws(Failure) {
        let capture = try dump(
          member, options: options, membership: .ofFamily, names: FrameNames(member, options))
        members.add(capture, start: start)
      } catch {
        members.note(error, member)
      }
    }
    let profile = members.finish(with: own) { count in
      "\(FamilyMembers.counted(count)), sampled one after another."
    }
    return CapturedProfile(profile, names: names, collectedEnd: own.profile.collectedEnd) { _ in
      modules.files
    }
  }
}
