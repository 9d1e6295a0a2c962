package import LinuxProcess
package import ProfileModel
internal import Synchronization

/// A capture that is looked at while it goes on: on threads of its own.
package final class LiveSession: Sendable {
  private struct State: ~Copyable {
    var handle: OSThread.Handle?
    var end: Result<CaptureInfo.Ending, Capture.Failure>?
  }

  package let process: ProcessIdentity
  private let control = CaptureControl()
  private let state = Mutex(State())

  /// How long the sampler takes to follow an order to stop nothing.
  private static let quietTime = Nanoseconds.milliseconds(80)

  /// Begins to sample; `receive` gets what is new twice a second, on a thread of the capture.
  ///
  /// A slow `receive` delays nothing, and gets more at its next turn. `ready` is called when everything is
  /// open and the clock is about to start.
  package init(
    _ process: ProcessIdentity, plan: SamplingPlan, ready: (@Sendable () -> Void)? = nil,
    receive: @escaping @Sendable (LiveGrowth) -> Void
  ) throws(SystemError) {
    self.process = process
    var handle: OSThread.Handle? = try OSThread.start { [self] in sample(plan, ready, receive) }
    state.withLock { $0.handle = handle.take() }
  }

  private func sample(
    _ plan: SamplingPlan, _ ready: (@Sendable () -> Void)?,
    _ receive: @escaping @Sendable (LiveGrowth) -> Void
  ) {
    prepareOpenFiles(forThreadsOf: process.pid)
    let names = FrameNames(process, plan.options)
    let result: Result<CaptureInfo.Ending, Capture.Failure>
    do throws(Capture.Failure) {
      let finished = try Capture.sample(
        process, plan: plan, origin: ProgramOrigin(plan.kind), membership: .alone,
        control: control, names: names, ready: ready,
        recording: LiveRecording(names: names, receive: receive))
      result = .success(finished.profile.unnamed.capture.ending)
    } catch {
      result = .failure(error)
    }
    state.withLock { $0.end = result }
  }

  /// How it ended; nil while it goes on.
  package var end: Result<CaptureInfo.Ending, Capture.Failure>? { state.withLock { $0.end } }

  /// How far it is.
  package var progress: CaptureProgress { control.progress }

  /// Ends it, and waits until nothing is held any more and all was received.
  @available(*, noasync, message: "blocks until the capture has ended")
  package func stop() {
    control.stop()
    let handle = state.withLock { $0.handle.take() }
    handle?.join()
  }

  /// Samples each thread once, with names; the sampler stops nothing meanwhile, as two tracers cannot hold
  /// one thread.
  @available(*, noasync, message: "blocks until all threads were sampled")
  package func dump() throws(Capture.Failure) -> Profile {
    control.isQuiet = true
    defer { control.isQuiet = false }
    MonotonicClock.sleep(for: Self.quietTime)
    return try Capture.dump(process, options: SampleOptions(symbolsTimeout: .seconds(2))).named()
  }
}
