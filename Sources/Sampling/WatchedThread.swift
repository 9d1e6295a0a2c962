internal import LinuxProcess
internal import ProfileModel
internal import PythonReading

/// What the resolver keeps of one thread.
struct WatchedThread {
  /// Index in `Profile.threads`.
  let index: Int
  let tid: Int32
  /// The call that it slept in at the last look.
  var call: SleepingCall?
  /// Where it slept when more was asked for: once for each sleep.
  var lastAsked: Sleep?
  var lastWanted: UInt32 = 0
  var kept: KeptRegisters?
  var pending: ResolvedLook?
  /// When the last record of it was made whose sleep was told as a long one.
  var toldSleep: Int64 = -1
  /// How often it was stopped since the capture began; only while all its looks were of one sleep.
  private(set) var stops = 0
  /// What it had of its interpreter's lock at the last look; nil when that is not known.
  private(set) var lock: (isHeld: Bool, isAwaited: Bool)?
  private(set) var lockUse = InterpreterLockUse()
  /// When its name is to be read again, and how long to wait after that, in nanoseconds.
  var nextNaming: Int64 = 0
  var namingPause: Int64 = 5_000_000

  init(index: Int, tid: Int32) {
    self.index = index
    self.tid = tid
  }

  /// Notes whether it holds its interpreter's lock, or waits for it.
  mutating func follow(_ runtime: RuntimeStack?, _ record: LookRecord) {
    lock = runtime?.holdsLock.map { (isHeld: $0, isAwaited: record.awaitsLock && !$0) }
    countLock(record.weight.ticks)
  }

  /// Counts ticks at which it was as at the last look.
  mutating func countLock(_ ticks: Int64) {
    guard let lock else { return }
    lockUse.ticks += ticks
    if lock.isHeld { lockUse.held += ticks }
    if lock.isAwaited { lockUse.awaited += ticks }
  }

  /// Notes where it sleeps now.
  mutating func follow(_ record: LookRecord) {
    call = call?.continued(by: record) ?? SleepingCall(record)
    // A sleeping thread's registers are all known only from a stop.
    if !record.isRunning, record.registers.areComplete { stops += 1 }
  }
}
