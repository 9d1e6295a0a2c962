internal import LinuxProcess
internal import NativeUnwinding
internal import ProfileModel
internal import RuntimeReading

/// What the resolver keeps of one thread.
struct ResolvedThread {
  /// Index in `Profile.threads`.
  let index: Int
  let tid: Int32
  /// Since the start of the capture.
  let firstSeen: Nanoseconds
  /// The call that it slept in at the last sample.
  var call: SleepingCall?
  /// Where it slept when more was asked for: once for each sleep.
  var lastAsked: Sleep?
  var lastWanted: UInt32 = 0
  var kept: KeptRegisters?
  private var cpuTime: TimeDivision
  private var delay: TimeDivision
  /// CPU time since its last run began, that no sample of it shows.
  private var hiddenCPU: Int64 = 0
  var pending: ResolvedSample?
  /// When it was last sampled because it had run, since the start.
  private(set) var lastSample: Nanoseconds = 0
  /// The same of the last sample whose sleep was reported as a long one.
  var reportedSleep: Nanoseconds = -1
  /// How often it was stopped since the capture began; only while all its samples were of one sleep.
  private(set) var stops = 0
  /// What it had of its interpreter's lock at the last sample; nil when that is not known.
  private(set) var lock: (isHeld: Bool, isAwaited: Bool)?
  private(set) var lockUse = InterpreterLockUse()
  /// How it was last found asleep, in either state; nil where it never was.
  private(set) var lastSleeps: (blocked: Activity?, uninterruptible: Activity?)
  /// When its name is to be read again, and how long to wait after that.
  var nextNaming: Nanoseconds = 0
  var namingPause = Nanoseconds.milliseconds(5)

  init(index: Int, tid: Int32, firstSeen: Nanoseconds) {
    self.index = index
    self.tid = tid
    self.firstSeen = firstSeen
    cpuTime = TimeDivision(since: firstSeen)
    delay = TimeDivision(since: firstSeen)
  }

  /// The CPU time and delay of no sample.
  var unplaced: Weight { Weight(cpu: cpuTime.unplaced, delay: delay.unplaced) }

  /// Gives a sample its part of the CPU time and delay since the last, and returns what samples before
  /// have of them.
  mutating func divide(_ sample: inout ResolvedSample) -> Weight {
    let (activity, used) = (sample.activity, sample.weight)
    let cpu = cpuTime.divide(
      Nanoseconds(used.cpu), at: sample.time, isFound: activity == .running)
    let delay = delay.divide(
      Nanoseconds(used.delay), at: sample.time, isFound: activity == .waitingForCPU)
    hiddenCPU = activity.isRunnable ? 0 : hiddenCPU &+ used.cpu
    sample.hasRun = hiddenCPU >= Self.noticedCPU
    if sample.hasRun { hiddenCPU = 0 }
    sample.weight.cpu = cpu.own.rawValue
    sample.weight.delay = delay.own.rawValue
    return Weight(cpu: cpu.former, delay: delay.former)
  }

  /// What samples before have of the last that the thread used.
  mutating func divideLast(_ used: Weight) -> Weight {
    Weight(cpu: cpuTime.finish(Nanoseconds(used.cpu)), delay: delay.finish(Nanoseconds(used.delay)))
  }

  /// So much CPU time between samples of one sleep shows that it was not one sleep.
  private static let noticedCPU: Int64 = 250_000

  /// Notes whether it holds its interpreter's lock, or waits for it.
  mutating func follow(_ runtime: RuntimeStack?, _ record: SampleRecord) {
    lock = runtime?.holdsLock.map { (isHeld: $0, isAwaited: record.awaitsLock && !$0) }
    countLock(record.weight.ticks)
  }

  /// Counts ticks at which it was as at the last sample.
  mutating func countLock(_ ticks: Int64) {
    guard let lock else { return }
    lockUse.ticks += ticks
    if lock.isHeld { lockUse.held += ticks }
    if lock.isAwaited { lockUse.awaited += ticks }
  }

  /// Notes what a sample shows of it.
  mutating func note(_ activity: Activity) {
    switch activity {
    case .blocked: lastSleeps.blocked = activity
    case .uninterruptible: lastSleeps.uninterruptible = activity
    case .running, .waitingForCPU, .stopped, .unknown: break
    }
  }

  /// Notes where it sleeps now.
  mutating func follow(_ record: SampleRecord) {
    lastSample = record.time
    call = call?.continued(by: record) ?? SleepingCall(record)
    // A sleeping thread's registers are all known only from a stop.
    if !record.isRunning, record.registers.areComplete { stops += 1 }
  }
}

extension Weight {
  fileprivate init(cpu: Nanoseconds, delay: Nanoseconds) {
    self.init(cpu: cpu.rawValue, delay: delay.rawValue)
  }
}

/// Where a thread sleeps: it sleeps the same sleep while this and its stack bytes stay the same.
struct SleepingCall: Equatable {
  let number: Int32
  let arguments: InlineArray<6, UInt64>
  let stackPointer: RemoteAddress
  let pc: RemoteAddress

  init?(_ record: SampleRecord) {
    guard !record.isRunning else { return nil }
    number = record.systemCall
    arguments = record.arguments
    stackPointer = record.registers.stackPointer
    pc = record.registers.instructionPointer
  }

  /// The same call when the record shows that it goes on: a call that a stop interrupted goes on as
  /// `restart_syscall`, with its own arguments in the registers.
  func continued(by record: SampleRecord) -> SleepingCall? {
    guard !record.isRunning, record.systemCall == SystemCallNames.restart,
      record.registers.stackPointer == stackPointer,
      record.registers.instructionPointer == pc
    else { return nil }
    return self
  }

  static func == (left: Self, right: Self) -> Bool {
    left.number == right.number && left.stackPointer == right.stackPointer && left.pc == right.pc
      && (0..<6).allSatisfy { left.arguments[$0] == right.arguments[$0] }
  }
}

/// One sleep of a thread: the same for as long as it has not run anything but the way into a stop
/// and back.
struct Sleep: Equatable {
  /// Stack bytes above the stack pointer that must stay the same: fewer than any copy has, so that
  /// copies of different lengths compare.
  private static let extent = 32 << 10

  let call: SleepingCall
  private let digest: UInt64

  init?(_ call: SleepingCall?, _ record: SampleRecord, _ bytes: UnsafeRawBufferPointer) {
    guard let call else { return nil }
    self.call = call
    let first = Int(clamping: call.stackPointer.distance(from: record.stackStart))
    var digest: UInt64 = 0xcbf2_9ce4_8422_2325
    var offset = min(first, bytes.count)
    let end = min(bytes.count, offset &+ Self.extent) - 7
    while offset < end {
      // FNV-1a over words in place of bytes.
      digest = (digest ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      digest = digest &* 0x100_0000_01b3
      offset += 8
    }
    self.digest = digest
  }
}

/// The registers that a stop of a sleeping thread gave.
struct KeptRegisters {
  let sleep: Sleep
  let registers: Registers
}

/// A sample whose stack was unwound.
struct ResolvedSample {
  let slot: Int
  /// When it was taken, and the end of the last period that it stands for.
  let time: Nanoseconds
  var end: Nanoseconds
  var activity: Activity
  var weight: Weight
  /// Whether the thread ran since the sample before, although both found it asleep.
  var hasRun = false
  /// Whether it slept since the sample before, in a sleep that neither of them saw.
  let hasSlept: Bool
  /// Whether it sleeps in another sleep than that of the sample before.
  let isNewSleep: Bool
  var result: UnwoundStack
  /// What to ask the tracer for (`ThreadRequests`); 0 when the stack is as good as it gets.
  var wants: UInt32 = 0
  /// The sleep that it saw, if more is wanted or was.
  var sleep: Sleep?

  init(_ record: SampleRecord, activity: Activity) {
    slot = record.slot
    time = record.time
    end = record.end
    self.activity = activity
    weight = record.weight
    hasSlept = record.sleptUnseen
    isNewSleep = record.isNewSleep
    result = UnwoundStack.none
  }
}
