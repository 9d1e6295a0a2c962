internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// What the tracer keeps of one thread between ticks.
final class SampledThread {
  /// Whether there is anything left to sample.
  enum Life {
    case alive
    /// A main thread that has ended: its entry in `/proc` stays until its process is collected, which
    /// may go on without it.
    case zombie(ThreadAccount.LastFigures?)
    /// Has ended; `isListed` while the kernel keeps its entry for a tracer that has not collected it.
    case ended(ThreadAccount.LastFigures?, isListed: Bool)
  }

  enum LastSample {
    case none
    /// Unchanged counters mean an unchanged stack.
    case asleep
    /// It ran, or may have run since.
    case awake
  }

  /// What is known of a thread that was asked to stop.
  struct BeforeStop {
    let call: SystemCallState
    let state: ThreadState
    /// Read before the stop, which it would make longer.
    let counters: ThreadCounters?
    /// When they were read.
    let time: MonotonicClock.Instant
    /// The sleep that the tick has met it in; it may have woken up since.
    var met: MetSleep?
  }

  enum StopRequest {
    case none
    case made(BeforeStop)
    /// Another tracer holds the thread, or the kernel keeps it from us.
    case refused
  }

  /// Whether a stop finds the thread's interpreted frames whole: while a call begins or ends they are being
  /// linked, for nanoseconds.
  enum Linking {
    case whole
    /// They were being linked when it had been put on a CPU so often; it is stopped again in this tick.
    case inTransit(switches: UInt64)
    /// They were being linked in each stop of a tick, and not whole since: one stop a tick will do.
    case always
  }

  /// The part of memory that the stack is in.
  struct Stack {
    /// The mapping that the stack pointer was last found in.
    var range = RemoteAddress(0)..<RemoteAddress(0)
    /// Whether `range` has changed since a sample was handed over.
    var hasMoved = false
    /// How many bytes `range` has.
    var size: Int { Int(clamping: range.upperBound.distance(from: range.lowerBound)) }
    /// How many bytes the last stop had to copy.
    var copySize = 0
  }

  /// What the thread was last seen to read from or write to.
  struct Descriptor {
    let number: UInt64
    let isSocket: Bool
  }

  let files: ThreadFiles
  let slot: Int
  let isMain: Bool
  /// Whether it does the kernel's work: a stop would show nothing of it.
  let isKernelWorker: Bool
  var tid: Int32 { files.tid }

  private(set) var life = Life.alive
  private(set) var lastSample = LastSample.none
  var account: ThreadAccount
  var stopRequest = StopRequest.none
  /// The sample of its interpreted frames, from before its stop until they are copied.
  var preparedFrames: PreparedRuntimeSample?
  var linking = Linking.whole
  var stack = Stack()
  var descriptor: Descriptor?
  /// What tells whether it sleeps between its samples.
  var gap = SampleGap()
  /// When the stop under way, or the last one, began to take its time.
  var stopStart = StopStart()
  /// What the resolver has asked for while nothing might be stopped.
  var postponedRequest: UInt32 = 0
  /// Its name, until that is handed over.
  var name: String?

  init(files: consuming ThreadFiles, slot: Int, isMain: Bool, account: ThreadAccount) {
    isKernelWorker = files.details()?.isKernelWorker(isMain: isMain) ?? false
    self.files = files
    self.slot = slot
    self.isMain = isMain
    self.account = account
  }

  /// The counters at the last sample.
  var counters: ThreadCounters { account.counters }
}

// MARK: - Life

extension SampledThread {
  var isAlive: Bool { if case .alive = life { true } else { false } }
  var isZombie: Bool { if case .zombie = life { true } else { false } }
  var hasEnded: Bool { if case .ended = life { true } else { false } }

  /// What it did after its last sample, where that could still be read.
  var lastFigures: ThreadAccount.LastFigures? {
    switch life {
    case .alive: nil
    case .zombie(let figures), .ended(let figures, _): figures
    }
  }

  /// Notes that it was found to have stopped.
  func noteStop(at time: MonotonicClock.Instant) {
    gap.end(at: time)
    stopStart = StopStart(noticed: time)
  }

  /// Notes that its entry in `/proc` is gone.
  func end() { life = .ended(lastFigures, isListed: false) }

  /// Notes that it was found at `now` to have ended and that its entry stays (state Z or X); `final` are
  /// its last counters.
  ///
  /// The kernel keeps the entry of a main thread until its process is collected, and that of another
  /// only for its tracer (exit_notify).
  func endWithEntry(interval: Weight, counters final: ThreadCounters?, at now: Nanoseconds) {
    let figures = final.map {
      account.takeEnd(interval: interval, counters: $0, wasAsleep: wasAsleep, at: now)
    }
    life = isMain ? .zombie(figures) : .ended(figures, isListed: true)
  }
}

// MARK: - Samples

extension SampledThread {
  var wasAsleep: Bool { lastSample == .asleep }
  /// Whether a sample of it was handed over.
  var wasSampled: Bool { lastSample != .none }
  /// Whether it lives and was asked to stop, and no sample of it was handed over.
  var awaitsFirstSample: Bool {
    guard isAlive, !wasSampled, case .made = stopRequest else { return false }
    return true
  }
  var isRefused: Bool { if case .refused = stopRequest { true } else { false } }

  /// Notes that it may run from here on.
  func wake() { if lastSample == .asleep { lastSample = .awake } }

  /// Notes what tells whether it slept since the last sample, just before it is sampled; `counters` were
  /// read just now.
  ///
  /// Only of the thread that most programs' event loops run in: to ask the kernel takes time, and where it
  /// was put on a CPU no more often than it must, there is no need to.
  func noteSwitches(_ counters: ThreadCounters, isAsleep: Bool) {
    guard isMain else { return }
    let known = gap.switches(
      from: account.counters, to: counters, wasAsleep: wasAsleep, isAsleep: isAsleep)
    gap.note(switches: known ?? files.voluntarySwitches())
  }

  /// Whether it fell asleep since its last sample, by counters that were read in its sleep.
  func beganSleep(until counters: ThreadCounters) -> Bool {
    wasSampled && gap.beganSleep(from: account.counters, to: counters, wasAsleep: wasAsleep)
  }

  /// Leaves an interval to the next sample: this one came to nothing.
  func skip(_ interval: Weight) {
    account.carry(interval)
    wake()
  }

  /// Writes what a sample of the thread stands for, and starts the next interval.
  ///
  /// `mapsSerial` is the latest reading of the maps.
  func fill(
    _ record: UnsafeMutablePointer<SampleRecord>, interval: Weight, counters: ThreadCounters,
    isAsleep: Bool, mapsSerial: Int
  ) {
    // A stack that no reading has belongs to the next one.
    record.pointee.mapsSerial = stack.range.isEmpty ? mapsSerial + 1 : mapsSerial
    record.pointee.slot = slot
    record.pointee.tid = tid
    record.pointee.repeated = account.repeated
    record.pointee.sleptUnseen =
      wasSampled
      && gap.hidesSleep(
        from: account.counters, to: counters, wasAsleep: wasAsleep, isAsleep: isAsleep)
    record.pointee.isNewSleep = isAsleep && beganSleep(until: counters)
    gap.restart()
    if isMain, wasSampled, !account.mayReach(counters, after: interval) {
      account.begin(at: counters)
    }
    let weight = account.takeSample(interval: interval, counters: counters)
    record.pointee.weight = weight
    record.pointee.end = account.lastTime
    record.pointee.counters = counters
    record.pointee.hasMovedStack = stack.hasMoved
    stack.hasMoved = false
    record.pointee.isWaitingForCPU = weight.delay > weight.cpu
    lastSample = isAsleep ? .asleep : .awake
  }
}
