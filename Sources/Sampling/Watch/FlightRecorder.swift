internal import BlockingAnalysis
package import LinuxProcess
internal import ProfileModel

/// Watches a program for freezes: quietly, and without a stop, until a thread has not come back for half
/// of the threshold.
///
/// Belongs to the thread that calls `run`.
package final class FlightRecorder {
  /// Why it has ended.
  package enum End: Sendable {
    /// It was asked to.
    case stopped
    /// The program has ended.
    case programEnded
  }

  private let process: ProcessIdentity
  let plan: WatchPlan
  let receiver: any FreezeReceiver
  private let folder: TaskFolder
  private let survey: RestSurvey
  private var surveyTime = MonotonicClock.Instant.distantPast
  private var surveyCost: Nanoseconds = 0
  private var surveyedThreads = 0
  private var surveyPause = FlightRecorder.shortestSurveyPause
  private(set) var threads: [WatchedThread] = []
  private var history: QuietHistory
  private var alert: Alert?
  private let writer: FreezeWriter
  /// The name of the program that the process runs, or ran last.
  package private(set) var programName: String?
  private var namingTime = MonotonicClock.Instant.distantPast

  /// While nothing is wrong.
  private static let pause = Nanoseconds.milliseconds(50)
  /// While a thread is away from its loop.
  private static let awayPause = Nanoseconds.milliseconds(20)
  /// While it has been away for long.
  private static let alertPause = Nanoseconds.milliseconds(1)
  private static let shortestSurveyPause = Nanoseconds.seconds(5)
  private static let longestSurveyPause = Nanoseconds.seconds(600)

  /// A recorder of a process that may be traced.
  package init(
    _ process: ProcessIdentity, plan: WatchPlan, receiver: any FreezeReceiver
  ) throws(Capture.Failure) {
    self.process = process
    self.plan = plan
    self.receiver = receiver
    folder = try CaptureTarget(process).folder
    survey = RestSurvey(process)
    history = QuietHistory(process, plan: plan.sampling, length: plan.before)
    writer = FreezeWriter(receiver)
  }

  /// Watches until the control says stop, the program ends, or it is `deadline`; no capture is lost.
  @available(*, noasync, message: "blocks until it has ended")
  package func run(
    control: CaptureControl, until deadline: MonotonicClock.Instant = .distantFuture
  ) throws(Capture.Failure) -> End {
    prepareOpenFiles(forThreadsOf: process.pid)
    if let main = try? WatchedThread(process.pid, of: folder, at: MonotonicClock.now()) {
      threads.append(main)
    }
    var end = End.stopped
    defer {
      close(at: MonotonicClock.now())
      history.dropAll()
      writer.finish()
    }
    while !control.shouldStop, MonotonicClock.now() < deadline {
      let now = MonotonicClock.now()
      guard look(at: now) else {
        end = .programEnded
        break
      }
      followName(at: now)
      takeFindings()
      beginSurvey(at: now)
      do throws(Capture.Failure) {
        try history.turn(at: now)
      } catch {
        guard process.isStillThere else { continue }
        throw error
      }
      step(at: now)
      MonotonicClock.sleep(for: nextPause(at: now))
    }
    return end
  }

  /// Looks at each thread; false when the program has ended.
  private func look(at now: MonotonicClock.Instant) -> Bool {
    var gone: [Int32] = []
    for thread in threads {
      switch thread.look(at: now) {
      case .atRest: comeBack(thread, at: now)
      case .away: break
      case .gone: gone.append(thread.tid)
      }
    }
    guard !gone.isEmpty || threads.isEmpty else { return true }
    for thread in threads where gone.contains(thread.tid) { comeBack(thread, at: now) }
    threads.removeAll { gone.contains($0.tid) }
    // The main thread may have ended before others.
    return process.isStillThere
      && folder.threads().contains { folder.status(of: $0).map { !$0.state.hasEnded } ?? false }
  }

  /// It may execute another program.
  private func followName(at now: MonotonicClock.Instant) {
    guard now - namingTime >= .seconds(1) else { return }
    namingTime = now
    programName = folder.name(of: process.pid) ?? programName
  }

  private func nextPause(at now: MonotonicClock.Instant) -> Nanoseconds {
    let longest = min(Self.pause, plan.threshold / 10)
    if alert != nil {
      let isLong = threads.contains { isAway($0, at: now) }
      return isLong ? Self.alertPause : min(longest, .milliseconds(10))
    }
    let isOut = threads.contains { $0.duty == .loop && now - $0.lastRest > 0 }
    return isOut ? min(Self.awayPause, longest) : longest
  }

  // MARK: - Where threads rest

  private func takeFindings() {
    guard let findings = survey.take() else { return }
    surveyTime = MonotonicClock.now()
    surveyCost = findings.cost
    let roles = receiver.roles(in: findings.profile)
    for (index, thread) in findings.profile.threads.enumerated() {
      guard let place = findings.places[thread.tid] else { continue }
      let role = roles[thread.tid] ?? .needed
      if let known = threads.first(where: { $0.tid == thread.tid }) {
        known.learn(SleepSpot(place), role)
      } else if isWanted(findings.profile.threads[index], role) {
        watch(thread.tid, at: place, role)
      }
    }
  }

  private func isWanted(_ thread: ThreadInfo, _ role: SleeperRole) -> Bool {
    plan.choosesThread?(thread) ?? (role == .loop || role == .handler)
  }

  private func watch(_ tid: Int32, at place: SleepPlace, _ role: SleeperRole) {
    guard let thread = try? WatchedThread(tid, of: folder, at: MonotonicClock.now()) else { return }
    thread.learn(SleepSpot(place), role)
    threads.append(thread)
  }

  private func beginSurvey(at now: MonotonicClock.Instant) {
    guard !survey.isUnderWay, now - surveyTime >= leastSurveyPause else { return }
    let count = folder.count() ?? 0
    // New threads may have loops, too; of a program that starts many, fewer are looked at.
    let hasNew = count != surveyedThreads && alert == nil && now - surveyTime >= surveyPause
    if hasNew { surveyPause = min(surveyPause * 2, Self.longestSurveyPause) }
    guard hasNew || surveyedThreads == 0 || threads.contains(where: \.wantsRole) else { return }
    surveyedThreads = count
    survey.begin()
  }

  /// Until it is known where threads rest, surveys are worth a twentieth of a core, then far less.
  private var leastSurveyPause: Nanoseconds {
    // What a thread may be frozen in has to be known by the time that it is.
    if alert != nil { return min(max(.milliseconds(50), surveyCost * 3), .seconds(1)) }
    return threads.contains { !$0.isKnown }
      ? min(max(.milliseconds(200), surveyCost * 20), .seconds(2))
      : min(max(.seconds(1), surveyCost * 200), .seconds(60))
  }

  // MARK: - Freezes

  /// Whether a thread has been away for so long that it is sampled.
  private func isAway(_ thread: WatchedThread, at now: MonotonicClock.Instant) -> Bool {
    now - thread.lastRest >= plan.threshold / 2 && !thread.outlastsCapture
  }

  private func step(at now: MonotonicClock.Instant) {
    let isAway = threads.contains { self.isAway($0, at: now) }
    if alert == nil {
      guard isAway, let capture = history.takeOldest() else { return }
      capture.control.isQuiet = false
      alert = Alert(capture: capture, began: now)
    }
    warmNames(at: now)
    for thread in threads where thread.freeze == nil {
      if now - thread.lastRest >= plan.threshold, thread.isProven { announce(thread, at: now) }
    }
    if isAway {
      alert?.calmSince = nil
      if let began = alert?.began, now - began >= WatchPlan.longest { close(at: now) }
      return
    }
    let calmSince = alert?.calmSince ?? now
    alert?.calmSince = calmSince
    if alert?.freezes.isEmpty ?? true {
      // It has come back in time.
      if let capture = alert.take()?.capture { history.putBack(capture) }
    } else if now - calmSince >= plan.after {
      close(at: now)
    }
  }

  /// Looks up the names before they are needed in a hurry.
  private func warmNames(at now: MonotonicClock.Instant) {
    let time = plan.threshold * 3 / 4
    guard let capture = alert?.capture, alert?.hasNames == false,
      threads.contains(where: { now - $0.lastRest >= time })
    else { return }
    alert?.hasNames = true
    capture.control.requestSnapshot { _, _ in }
  }

  private func announce(_ thread: WatchedThread, at now: MonotonicClock.Instant) {
    guard let capture = alert?.capture else { return }
    let freeze = WatchedFreeze(
      tid: thread.tid, start: thread.lastRest, beganBefore: !thread.isRestKnown,
      isMain: thread.isMain, announced: now)
    thread.freeze = freeze
    let isFirst = alert?.freezes.isEmpty ?? false
    alert?.freezes.append(freeze)
    if isFirst, let take = receiver.begin(freeze) { capture.record(take) }
    capture.control.requestSnapshot { [receiver] profile, start in
      receiver.announce(freeze, in: profile, since: start)
    }
  }

  /// Ends the freeze of a thread that was seen at rest, if it was in one.
  private func comeBack(_ thread: WatchedThread, at now: MonotonicClock.Instant) {
    guard var freeze = thread.freeze.take() else { return }
    freeze.end = now
    if thread.outlastsCapture {
      thread.outlastsCapture = false
    } else {
      alert?.note(freeze)
    }
    receiver.end(freeze)
  }

  /// Ends the capture under way, and keeps it if it has a freeze.
  private func close(at now: MonotonicClock.Instant) {
    guard let alert = alert.take() else { return }
    for thread in threads where thread.freeze != nil { thread.outlastsCapture = true }
    guard !alert.freezes.isEmpty else { return alert.capture.drop() }
    writer.write(alert.capture, of: alert.freezes)
  }
}

/// A capture at the full rate, and the freezes that it has.
private struct Alert {
  let capture: QuietCapture
  let began: MonotonicClock.Instant
  /// Since when all threads have been back.
  var calmSince: MonotonicClock.Instant?
  var freezes: [WatchedFreeze] = []
  /// Whether the names of what was sampled were asked for.
  var hasNames = false

  init(capture: QuietCapture, began: MonotonicClock.Instant) {
    self.capture = capture
    self.began = began
  }

  /// Notes the end of a freeze.
  mutating func note(_ freeze: WatchedFreeze) {
    guard let index = freezes.firstIndex(where: { $0.tid == freeze.tid && $0.end == nil }) else {
      return
    }
    freezes[index] = freeze
  }
}
