internal import BlockingAnalysis
internal import LinuxProcess
internal import ProfileModel
internal import Synchronization

/// Finds out where threads rest, from their stacks, which are copied without a stop; on a thread of its own.
final class RestSurvey: Sendable {
  struct Findings: Sendable {
    let profile: Profile
    let places: [Int32: SleepPlace]
    /// What it took of sprof's CPU time.
    let cost: Nanoseconds
  }

  private enum State: Sendable {
    case none
    case underWay
    case done(Findings?)
  }

  private let process: ProcessIdentity
  private let state = Mutex(State.none)

  init(_ process: ProcessIdentity) { self.process = process }

  var isUnderWay: Bool {
    state.withLock { if case .underWay = $0 { true } else { false } }
  }

  /// Begins to look, unless that goes on already.
  func begin() {
    guard !isUnderWay else { return }
    state.withLock { $0 = .underWay }
    do {
      try OSThread.start { [self] in
        let findings = look()
        state.withLock { $0 = .done(findings) }
      }.detach()
    } catch {
      state.withLock { $0 = .none }
    }
  }

  /// What was found, once; nil while there is nothing new.
  func take() -> Findings? {
    state.withLock { state in
      guard case .done(let findings) = state else { return nil }
      state = .none
      return findings
    }
  }

  private func look() -> Findings? {
    let before = OwnUsage.cpu()
    var options = SampleOptions()
    options.stopsNothing = true
    // Where a thread rests is told by names; the C library's debug file alone would take longer.
    options.symbolsTimeout = .milliseconds(20)
    guard let (captured, places) = try? Capture.survey(process, options: options) else {
      return nil
    }
    return Findings(
      profile: captured.named(), places: places, cost: OwnUsage.cpu() - before)
  }
}

extension Capture {
  /// A dump with the places where the threads slept whose stacks it has.
  fileprivate static func survey(
    _ process: ProcessIdentity, options: SampleOptions
  ) throws(Failure) -> (CapturedProfile, [Int32: SleepPlace]) {
    let target = try CaptureTarget(process)
    let pipeline = SamplePipeline(
      target, options: options, series: .single, origin: .running, membership: .alone,
      names: FrameNames(process, options))
    let session = DumpSession(pipeline)
    do {
      return (try session.run().profile, session.places)
    } catch {
      throw error.meansGone ? .access(.noSuchProcess) : .system(error)
    }
  }
}
