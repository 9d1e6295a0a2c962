import CaptureFile
import LinuxProcess
import ProfileAnalysis
import ProfileExport
import ProfileModel
import Sampling
import Synchronization

/// Keeps what a flight recorder finds: says so in the log, writes the captures, and runs the command of
/// `--exec`.
final class FreezeKeeper: FreezeReceiver {
  private let plan: WatchPlan
  private let folder: FreezeFolder
  private let log: WatchLog
  private let hook: HookCommand?
  private let process: (name: String, pid: Int32)
  private let state = Mutex(State())

  private struct State {
    /// The file of the capture under way, and the time in its name.
    var recorder: CaptureRecorder?
    var time = 0.0
    var summary = WatchSummary()
  }

  init(
    _ plan: WatchPlan, folder: FreezeFolder, log: WatchLog, hook: HookCommand?,
    process: (name: String, pid: Int32)
  ) {
    self.plan = plan
    self.folder = folder
    self.log = log
    self.hook = hook
    self.process = process
  }

  /// All freezes so far.
  var summary: WatchSummary { state.withLock { $0.summary } }

  // MARK: - Where threads rest

  func roles(in profile: Profile) -> [Int32: SleeperRole] {
    defer { giveMemoryBack() }
    let diagnosis = Diagnosis(profile)
    var roles: [Int32: SleeperRole] = [:]
    for (thread, info) in profile.threads.enumerated() {
      guard let situation = diagnosis.situations[thread], situation.isAsleep else { continue }
      roles[info.tid] = SleeperRole(situation)
    }
    return roles
  }

  // MARK: - Freezes

  func begin(_ freeze: WatchedFreeze) -> (@Sendable (ProfileGrowth) -> Void)? {
    let now = Host.wallClock()
    var capture = CaptureInfo(
      kind: .watch, pid: process.pid, processName: process.name, startTime: now,
      rate: plan.sampling.rate)
    capture.ending = .unfinished
    do {
      let recorder = try CaptureRecorder(
        path: folder.path(at: now), replacing: false, capture: capture)
      state.withLock { state in
        state.recorder = recorder
        state.time = now
      }
      return { recorder.append($0) }
    } catch {
      state.withLock { $0.time = now }
      log.write(.failed(reason: Diagnostic.cannotCreate(error).message))
      return nil
    }
  }

  func announce(_ freeze: WatchedFreeze, in profile: Profile, since start: MonotonicClock.Instant) {
    let begin = (freeze.start - start).rawValue
    // By now it may be over.
    let length = (freeze.announced - freeze.start).rawValue
    let part = profile.window(from: begin, to: profile.capture.duration)
    log.write(.frozen(AbsenceReport(part, tid: freeze.tid), tid: freeze.tid, length: length))
  }

  func end(_ freeze: WatchedFreeze) {
    guard let end = freeze.end else { return }
    let length = (end - freeze.start).rawValue
    log.write(
      .thawed(
        tid: freeze.tid, isMain: freeze.isMain, length: length, isAtLeast: freeze.beganBefore))
  }

  func lose(_ freezes: [WatchedFreeze], _ failure: Capture.Failure) {
    let (recorder, _) = takeRecorder()
    recorder?.cancel()
    log.write(.failed(reason: Diagnostic.cannotSample(process.name, failure).message))
  }

  func take(
    _ captured: CapturedProfile, of freezes: [WatchedFreeze], since start: MonotonicClock.Instant
  ) {
    let (recorder, time) = takeRecorder()
    let (profile, recorded) = profile(captured, of: freezes, since: start)
    let path = write(profile, recorded, recorder, at: time)
    for freeze in recorded {
      let part = profile.window(from: freeze.start, to: freeze.end)
      let report = AbsenceReport(part, tid: freeze.tid)
      state.withLock { $0.summary.add(report.summary, length: freeze.length) }
      let event = WatchEvent.captured(report, freeze, path: path)
      log.write(event)
      run(for: event, path)
    }
    folder.prune()
    // What names took is not needed before the next freeze.
    giveMemoryBack()
  }

  private func takeRecorder() -> (CaptureRecorder?, Double) {
    state.withLock { state in (state.recorder.take(), state.time) }
  }

  /// The part of the capture that is kept, with its freezes in its head.
  private func profile(
    _ captured: CapturedProfile, of freezes: [WatchedFreeze], since start: MonotonicClock.Instant
  ) -> (Profile, [RecordedFreeze]) {
    var whole = captured.named().limitingBlockings()
    let times = freezes.map { ($0, begin: ($0.start - start).rawValue) }
    let first = times.map(\.begin).min() ?? 0
    let from = max(0, first - plan.before.rawValue)
    let duration = whole.capture.duration
    whole.capture.kind = .watch
    if whole.capture.ending != .targetEnded { whole.capture.ending = .duration }
    var profile = whole.window(from: from, to: duration)
    profile.capture.freezes = times.map { freeze, begin in
      RecordedFreeze(
        tid: freeze.tid, start: max(0, begin - from),
        end: min(duration, freeze.end.map { ($0 - start).rawValue } ?? duration) - from,
        isOver: freeze.end != nil, beganBefore: freeze.beganBefore,
        threshold: plan.threshold.rawValue)
    }
    profile.capture.notes.append(
      "Before the freeze the program was not stopped: what ran then has no stacks.")
    return (profile, profile.capture.freezes)
  }

  /// Writes the capture; returns its path, nil where that failed.
  private func write(
    _ profile: Profile, _ freezes: [RecordedFreeze], _ recorder: CaptureRecorder?, at time: Double
  ) -> String? {
    let path = folder.path(at: time, length: freezes.map(\.length).max() ?? 0)
    do {
      try CaptureWriter(path: path, replacing: false).finish(profile)
      recorder?.cancel()
      return path
    } catch {
      let failure = Diagnostic.cannotKeep(error, partial: recorder?.remainingPath)
      log.write(.failed(reason: failure.message))
      return nil
    }
  }

  private func run(for event: WatchEvent, _ path: String?) {
    guard let hook, let path else { return }
    var text = ""
    event.writeJSON(to: &text, time: Host.wallClock())
    if let reason = hook.run(input: text, capture: path) {
      log.write(.failed(reason: "--exec failed: \(reason)"))
    }
  }
}

extension SleeperRole {
  /// Why a thread sleeps, by its situation.
  init(_ situation: ThreadSituation) {
    switch situation.idleness {
    case .eventLoop(.postgreSQL), .eventLoop(.nginxMaster):
      // Their processes serve one client each, or wait for others.
      self = .idle
    case .eventLoop: self = .loop
    case .sleep: self = .asleep
    case .acceptLoop, .workerPool, .runtime, .signals, .terminal: self = .idle
    case nil:
      let isOutside = situation.handlerOf == nil
      self = !isOutside ? .handler : Self.waitsForItsOwn(situation) ? .idle : .needed
    }
  }

  /// Whether a thread outside any loop waits for threads or processes that it has started.
  private static func waitsForItsOwn(_ situation: ThreadSituation) -> Bool {
    situation.wait?.kind == .join || situation.wait?.kind == .childProcess
  }
}
