internal import LinuxProcess
internal import ProfileModel

/// When to look at the locks of runtimes: often while threads take turns at a lock whose owners are found, and
/// rarely where they only wait for work.
struct RuntimeLockPace {
  /// While owners are found that change, looks may take 3 % of a core, else a quarter of a percent.
  private static let (heldShare, quietShare) = (Int64(33), Int64(400))
  private static let heldPeriod = Nanoseconds.milliseconds(10)
  /// For how long looks are often after one that found another owner, and at first: a lock is free now and then.
  private static let heldTime = Nanoseconds.seconds(1)
  /// What may be used at once after some quiet time: it is soon known whether something new lasts.
  private static let limit = Nanoseconds.milliseconds(50)
  /// Between two looks where threads have fallen asleep, at the least; a part of the time for each look.
  private static let (newPeriod, newShare) = (Nanoseconds.milliseconds(20), Int64(10))
  /// Between two where they sleep on: where no owner is found, twice as far apart each time.
  private static let sleepPeriod = Nanoseconds.milliseconds(250)
  private static let longestPeriod = Nanoseconds.seconds(4)

  /// Nil before the first look.
  private var heldUntil: MonotonicClock.Instant?
  private var last = MonotonicClock.Instant.distantPast
  private var cost = Nanoseconds(0)
  /// The time that looks may take now; below 0 where they have taken too much.
  private var balance = limit
  private var sleepPause = sleepPeriod

  /// Notes a look that began at `start` and took `cost` of CPU time.
  ///
  /// `findsOwner` is whether any owner of a lock was found, and `isNew` whether that or anything else is not
  /// as it was.
  mutating func note(
    findsOwner: Bool, isNew: Bool, at start: MonotonicClock.Instant, cost: Nanoseconds
  ) {
    let isHeld = heldUntil.map { start <= $0 } ?? true
    if let before = heldUntil {
      let passed = max(0, (start - last).rawValue)
      balance = min(Self.limit, balance + Nanoseconds(passed / Self.quietShare))
      if isNew, findsOwner { heldUntil = max(before, start + Self.heldTime) }
    } else {
      heldUntil = start + Self.heldTime
    }
    if !isHeld { balance = max(balance - cost, .milliseconds(-100)) }
    sleepPause =
      isNew || findsOwner ? Self.sleepPeriod : min(sleepPause * 2, Self.longestPeriod)
    (last, self.cost) = (start, cost)
  }

  /// When to look again, where threads have fallen asleep since the last look, or else sleep on.
  func next(hasNewSleeps: Bool) -> MonotonicClock.Instant {
    guard let heldUntil else { return last }
    let held = last + max(Self.heldPeriod, cost * Self.heldShare)
    if held <= heldUntil { return held }
    let refilled = balance > 0 ? last : last + (Nanoseconds(0) - balance) * Self.quietShare
    let pause = hasNewSleeps ? max(Self.newPeriod, cost * Self.newShare) : sleepPause
    return max(refilled, last + pause)
  }
}
