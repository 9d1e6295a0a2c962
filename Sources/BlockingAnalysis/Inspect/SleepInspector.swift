internal import ByteReading
package import LinuxProcess
internal import ProfileModel

/// Finds out, without a stop, what the sleeping threads of a process wait for.
///
/// Used by one thread at a time. What is read of a thread counts only if the thread has not run
/// meanwhile, by the kernel's count of its switches: so it was there all the time, and what was read
/// by its number is its own.
package final class SleepInspector {
  /// The process whose threads are inspected.
  package var pid: Int32 { folder.process }
  /// A thread whose files are read for the process as a whole: the main thread may have ended.
  let liveThread: ProcessIdentity
  private var processName: String
  let folder: TaskFolder
  /// Of another process than the one that is profiled: how many threads it has.
  private let threadCount: Int?
  /// A signal of the process's own timers that it handles, once that was read.
  private var knownSignal: Int32??
  private let hasSchedulerStatistics: Bool
  private var survey: DescriptorSurvey
  private var surveyTime = MonotonicClock.now()
  private var numbers: ThreadNumbers
  /// Whether the numbers and arguments of system calls mean something else: of a 32-bit program.
  private var isOf32Bits: Bool
  private let clock: SleepClock
  let peers: PeerIndex
  let processes: PeerProcesses
  var tracer: WaitOwner??
  /// The frozen cgroup that the process is in, once that was read.
  var frozenCgroup: FrozenCgroup??
  /// Nil until it is needed.
  private var returnAddresses: ReturnAddresses?

  /// For the threads of a process, of which `liveThread` has not ended.
  package convenience init(_ folder: TaskFolder, liveThread: ProcessIdentity) {
    let processes = PeerProcesses()
    self.init(
      folder, liveThread: liveThread, threadCount: nil, clock: SleepClock(),
      peers: PeerIndex(pid: folder.process, processes: processes), processes: processes)
  }

  /// For a process that threads of another one wait for; nil when it is gone.
  convenience init?(peer process: ProcessIdentity, of other: SleepInspector) {
    guard let folder = try? TaskFolder(process) else { return nil }
    self.init(
      folder, liveThread: process, threadCount: folder.status(of: process.pid)?.threadCount,
      clock: other.clock, peers: other.peers, processes: other.processes)
  }

  private init(
    _ folder: TaskFolder, liveThread: ProcessIdentity, threadCount: Int?, clock: SleepClock,
    peers: PeerIndex, processes: PeerProcesses
  ) {
    self.folder = folder
    self.liveThread = liveThread
    self.threadCount = threadCount
    self.clock = clock
    self.peers = peers
    self.processes = processes
    processName = folder.name(of: folder.process) ?? "?"
    hasSchedulerStatistics = ThreadCounters.areKeptByKernel()
    survey = DescriptorSurvey(folder, liveThread: liveThread.pid, processes: processes)
    numbers = ThreadNumbers(folder, processes: processes)
    isOf32Bits = ProcessMemory(liveThread).isOf32BitProgram
  }

  /// The threads of the process as they are now.
  func threads() -> [Int32] { folder.threads() }

  /// Forgets what was read of the process as a whole; call it before later samples.
  ///
  /// Sockets are forgotten only after a second: a machine may have a hundred thousand.
  package func refresh() {
    let now = MonotonicClock.now()
    if now - surveyTime > .seconds(1) {
      surveyTime = now
      survey = DescriptorSurvey(folder, liveThread: liveThread.pid, processes: processes)
      returnAddresses = nil
      knownSignal = nil
    }
    // It may have executed another program.
    processName = folder.name(of: folder.process) ?? processName
    isOf32Bits = ProcessMemory(liveThread).isOf32BitProgram
    numbers.forget()
    processes.forgetNames()
    tracer = nil
    frozenCgroup = nil
  }

  /// Forgets who holds pipes and sockets, and how the CPUs' clocks differ.
  package func forgetPeers() {
    peers.forget()
    processes.forget()
    clock.forget()
  }

  /// Samples a thread; nil when it runs, is gone, or does not stay asleep for long enough.
  package func sample(_ tid: Int32, known: SleepHint = SleepHint()) -> SleepSample? {
    guard let files = try? ThreadFiles(folder: folder, thread: tid) else { return nil }
    return sample(with: files, known: known)
  }

  /// The same with files that are open already: half the cost.
  ///
  /// `findsStart` is false for a second sample of a sleep whose beginning is known: again half the
  /// cost.
  package func sample(
    with files: borrowing ThreadFiles, known: SleepHint = SleepHint(), findsStart: Bool = true
  ) -> SleepSample? {
    for _ in 0..<3 {
      guard let before = switches(files) else { return nil }
      let time = MonotonicClock.now()
      guard var draft = draft(files, known: known, isSameSleep: known.switches == before) else {
        return nil
      }
      let isSettled = settleOwners(&draft, of: files.tid)
      // A thread that was woken but has no CPU yet has the old count, and another state: while it had
      // the count and sleeps after all was read, it has slept all the time.
      guard let stat = files.details(), Self.isAsleep(stat.state) else { return nil }
      if isHeldByUs(files.tid, stat.state) { return nil }
      let lastRun = findsStart ? lastRun(files.tid, stat) : .unknown
      if case .forgotten = lastRun { continue }
      guard switches(files) == before, isSettled else { continue }
      addState(stat, files.tid, to: &draft)
      var since: MonotonicClock.Instant?
      if case .at(let moment) = lastRun { since = min(moment, time) }
      return finish(draft, files: files, switches: before, stat: stat, time: time, since: since)
    }
    return nil
  }

  private func lastRun(_ tid: Int32, _ stat: ThreadStat) -> SleepClock.LastRun {
    clock.lastRun(of: tid, on: stat.processor, in: folder)
  }

  /// A descriptor of a thread that reads from or writes to it, and where its other end is to be found.
  func descriptor(
    of tid: Int32, _ number: Int32, isWritten: Bool
  ) -> (descriptor: WaitDescriptor, end: PeerRequest?) {
    let (descriptor, end) = survey.describe(number, of: tid, use: isWritten ? .writing : .reading)
    return (descriptor, end)
  }

  /// Whether the thread has not run since the sample; 5 µs.
  package func isStillAsleep(_ sample: SleepSample) -> Bool {
    // The freezer of version 1 does not wake those that sleep.
    guard hasSchedulerStatistics, (sample.wait.kind == .frozen) == (processFreezer != nil) else {
      return false
    }
    return folder.read("schedstat", of: sample.thread.tid, capacity: 96) {
      ThreadCounters(parsing: $0)?.switches
    } == sample.switches
  }

  /// What the guarded part of a sample has read.
  struct Draft {
    var place: SleepPlace?
    var wait: Wait
    var futex: FutexFacts?
    var ends: [PeerRequest?] = []
    var limit = TimeLimit.none
    var isContinued = false
    var returnAddresses: [RemoteAddress] = []
  }

  private static func isAsleep(_ state: ThreadState) -> Bool {
    switch state {
    case .sleeping, .uninterruptible, .stopped, .tracingStop: true
    case .running, .zombie, .dead, .idle, .other: false
    }
  }

  /// Whether a stop of sprof holds the thread, which came only now, after the thread had got no CPU for
  /// long: to the program it runs.
  private func isHeldByUs(_ tid: Int32, _ state: ThreadState) -> Bool {
    guard state == .tracingStop, let status = folder.status(of: tid) else { return false }
    return OSThread.isOwn(status.tracer)
  }

  private func switches(_ files: borrowing ThreadFiles) -> UInt64? {
    hasSchedulerStatistics
      ? files.counters()?.switches
      : ThreadCounters(contextSwitchesOf: files.tid, in: folder)?.switches
  }

  /// `isSameSleep` says that the thread has not run since it was found at the known place.
  private func draft(
    _ files: borrowing ThreadFiles, known: SleepHint, isSameSleep: Bool
  ) -> Draft? {
    if isSameSleep, let place = known.place, place.number != SystemCallNames.restart,
      place.pc != .null
    {
      var draft = Draft(place: place, wait: Wait(kind: .unknown))
      decode(place, files.tid, hasStack: known.hasStack, &draft)
      return draft
    }
    switch files.systemCall() {
    case .running: return nil
    case .unavailable: return Draft(wait: Wait(kind: .unknown))
    case .asleep(let number, _, let stackPointer, let pc) where isOf32Bits:
      let place = SleepPlace(
        number: -1, arguments: Array(repeating: 0, count: 6), stackPointer: stackPointer, pc: pc)
      return Draft(place: place, wait: Wait(kind: number < 0 ? .unknown : .otherCall))
    case .asleep(let number, let arguments, let stackPointer, let pc):
      var place = SleepPlace(
        number: number, arguments: (0..<6).map { arguments[$0] }, stackPointer: stackPointer, pc: pc
      )
      var draft = Draft(place: place, wait: Wait(kind: .unknown))
      let isKnown = known.place?.isSame(as: place) ?? false
      if number == SystemCallNames.restart {
        draft.isContinued = true
        place.number = originalNumber(of: place, known: known.place, in: files.tid) ?? number
        draft.place = place
      }
      decode(place, files.tid, hasStack: known.hasStack && isKnown, &draft)
      return draft
    }
  }

  private func decode(_ place: SleepPlace, _ tid: Int32, hasStack: Bool, _ draft: inout Draft) {
    var decoder = CallDecoder(
      tid: tid, place: place, survey: survey, numbers: numbers, processes: processes)
    decoder.decode()
    survey = decoder.survey
    numbers = decoder.numbers
    draft.wait = decoder.wait
    draft.ends = decoder.ends
    draft.limit = decoder.limit
    guard decoder.isFutex else { return }
    draft.futex = FutexFacts(place, memory: ProcessMemory(tid: tid))
    if !hasStack { draft.returnAddresses = returnAddresses(above: place.stackPointer, of: tid) }
  }

  // MARK: - After the thread was read

  /// Finds out who the futex's numbers are.
  ///
  /// Returns false when the memory has changed since a number was found to have no owner.
  private func settleOwners(_ draft: inout Draft, of tid: Int32) -> Bool {
    guard var futex = draft.futex else { return true }
    for number in futex.candidates {
      futex.owners[number] = numbers.owner(
        of: number, isShared: !futex.isPrivate && number != futex.joined)
    }
    futex.settleRefused()
    draft.futex = futex
    guard futex.owners.values.contains(.gone), let place = draft.place else { return true }
    // The owner may have unlocked it and ended since its number was read.
    return FutexFacts(place, memory: ProcessMemory(tid: tid))?.memory == futex.memory
  }

  private func finish(
    _ draft: Draft, files: borrowing ThreadFiles, switches: UInt64, stat: ThreadStat,
    time: MonotonicClock.Instant, since: MonotonicClock.Instant?
  ) -> SleepSample {
    let name = stat.name ?? folder.name(of: files.tid) ?? "?"
    var sample = SleepSample(
      thread: WaitingThread(
        pid: pid, tid: files.tid, name: name, processName: processName, threadCount: threadCount,
        wakingSignal: wakingSignal),
      place: draft.place, switches: switches, state: stat.state, time: time, since: since,
      wait: draft.wait, futex: draft.futex, ends: draft.ends,
      returnAddresses: draft.returnAddresses)
    var limit = draft.limit
    // A call that was restarted began before the thread last ran.
    if draft.isContinued, case .relative = limit { limit = .unknown }
    sample.wait.timeLeft = limit.left(since: since)?.rawValue
    return sample
  }

  private var wakingSignal: Int32? {
    if let knownSignal { return knownSignal }
    let signal = folder.status(of: liveThread.pid).flatMap { WakingSignal.handled(by: pid, $0) }
    knownSignal = .some(signal)
    return signal
  }

  // MARK: - Calls that were restarted

  /// The number that a restarted call was made with: from the sample before, or from the instructions
  /// that made it.
  private func originalNumber(
    of place: SleepPlace, known: SleepPlace?, in tid: Int32
  ) -> Int32? {
    if let known, known.number >= 0, known.number != SystemCallNames.restart,
      known.isSame(as: place)
    {
      return known.number
    }
    // `mov $NUMBER, %eax; syscall`, and the address behind.
    guard let code = ProcessMemory(tid: tid).read(at: place.pc.advanced(by: -7), count: 7),
      code.count == 7, code[0] == 0xb8, code[5] == 0x0f, code[6] == 0x05
    else { return nil }
    return ByteReader(code.span.bytes).value(at: 1, as: UInt16.self).map { Int32($0) }
  }

  private func returnAddresses(above stackPointer: RemoteAddress, of tid: Int32) -> [RemoteAddress]
  {
    let search = returnAddresses ?? ReturnAddresses(ProcessMemory(liveThread))
    returnAddresses = search
    return search.find(above: stackPointer, in: ProcessMemory(tid: tid))
  }
}
