internal import LinuxProcess
internal import ProfileModel

/// One thread that is looked at while all is well: one read a look where it rests, two elsewhere, of a few
/// microseconds each.
final class WatchedThread {
  /// What the thread owes.
  enum Duty {
    /// To come back to its event loop.
    case loop
    /// To run, or to leave its one wait.
    case progress
  }

  enum Look {
    case atRest, away, gone
  }

  let tid: Int32
  let isMain: Bool
  var duty = Duty.progress
  /// The freeze that it is in, once that has reached the threshold.
  var freeze: WatchedFreeze?
  /// Whether that freeze has outlasted its capture.
  var outlastsCapture = false

  private let files: ThreadFiles
  private var roles: [SleepSpot: SleeperRole] = [:]
  private var sightings: [SleepSpot: Int] = [:]
  private var switches: UInt64 = 0
  private var spot: SleepSpot?
  private var isSameSleep = false
  /// When it was last seen at rest, or where it owes progress, to have made some.
  private(set) var lastRest: MonotonicClock.Instant
  /// Whether it was at rest, or had made progress, at `lastRest` by what is known of it.
  private(set) var isRestKnown = false
  /// The looks since then.
  private var looks = 0

  /// So many looks that find a thread away show that it does not rest in between: of one that rests a
  /// twentieth of the time, one in 28,000 series would.
  private static let proof = 200
  private static let spotLimit = 512

  init(_ tid: Int32, of folder: TaskFolder, at now: MonotonicClock.Instant) throws(SystemError) {
    files = try ThreadFiles(folder: folder, thread: tid)
    self.tid = tid
    isMain = tid == folder.process
    lastRest = now
  }

  /// Whether anything is known of where it rests.
  var isKnown: Bool { !roles.isEmpty }

  /// Whether it is known what to think of where it is.
  private var isJudged: Bool { spot.map { roles[$0] != nil } ?? true }

  /// Whether it is shown not to have rested since `lastRest`.
  var isProven: Bool {
    guard isJudged else { return false }
    // It has not run since: one wait.
    return duty == .progress || isSameSleep || looks >= Self.proof
  }

  /// Whether it sleeps, and not just for a moment, where nobody knows whether it rests.
  var wantsRole: Bool {
    guard let spot, !isJudged else { return false }
    return isSameSleep || sightings[spot, default: 0] >= 3
  }

  /// Notes why it sleeps at a spot.
  func learn(_ spot: SleepSpot, _ role: SleeperRole) {
    if roles.count >= Self.spotLimit { roles = [:] }
    roles[spot] = role
    guard role == .loop || role == .handler, duty == .progress else { return }
    duty = .loop
    // That it ran is no rest in its loop.
    isRestKnown = false
  }

  /// Looks where the thread is.
  func look(at now: MonotonicClock.Instant) -> Look {
    looks += 1
    switch files.systemCall() {
    case .running:
      spot = nil
      isSameSleep = false
      return duty == .progress ? rest(at: now, isKnown: true) : .away
    case .asleep(let number, let arguments, let stackPointer, let pc):
      return look(
        at: now,
        asleepAt: SleepSpot(
          number: number, firstArgument: arguments[0], stackPointer: stackPointer, pc: pc))
    case .unavailable:
      spot = nil
      isSameSleep = false
      return files.state().map(\.hasEnded) ?? files.isGone ? .gone : .away
    }
  }

  private func look(at now: MonotonicClock.Instant, asleepAt spot: SleepSpot) -> Look {
    let wasSeen = self.spot != nil || isRestKnown
    let role = roles[spot]
    if role == .loop || role == .idle || role == .asleep && duty == .progress {
      // Whether it has run since the last look does not matter.
      (self.spot, switches, isSameSleep) = (spot, 0, false)
      return rest(at: now, isKnown: true)
    }
    let switches = files.counters()?.switches ?? 0
    isSameSleep = spot == self.spot && switches == self.switches && switches != 0
    self.spot = spot
    self.switches = switches
    if role == nil {
      if sightings.count >= Self.spotLimit { sightings = [:] }
      sightings[spot, default: 0] += 1
    }
    guard duty == .progress, !isSameSleep else { return .away }
    // The first look tells nothing of before.
    return rest(at: now, isKnown: wasSeen)
  }

  private func rest(at now: MonotonicClock.Instant, isKnown: Bool) -> Look {
    lastRest = now
    isRestKnown = isKnown
    looks = 0
    return .atRest
  }
}
