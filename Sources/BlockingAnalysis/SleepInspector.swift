package import LinuxProcess
internal import ProfileModel

/// Finds out, without a stop, what the sleeping threads of a process wait for.
///
/// Used by one thread at a time. What is read of a thread counts only if the thread has not run
/// meanwhile, by the kernel's count of its switches.
package final class SleepInspector {
  package let pid: Int32
  private let liveThread: Int32
  private let processName: String
  /// Nil for a process that is gone.
  private let folder: TaskFolder?
  /// Of another process than the one that is watched: how many threads there are to be looked at.
  private var threadCount: Int?
  private let hasSchedulerStatistics: Bool
  private var survey: DescriptorSurvey
  private var surveyTime: Int64 = MonotonicClock.now()
  private var numbers: ThreadNumbers
  private let clock: SleepClock
  private let peers: PeerIndex
  private var tracer: WaitOwner??
  /// Where the program has code, if its C library has no unwind data; nil until it was asked.
  private var code: [Range<UInt64>]?

  /// `liveThread` is one that /proc tells of, when the main thread has ended.
  package convenience init(pid: Int32, liveThread: Int32) {
    self.init(
      pid: pid, liveThread: liveThread, clock: SleepClock(), peers: PeerIndex(pid: pid))
  }

  /// For a process that the threads of another one wait for.
  convenience init(peer pid: Int32, of other: SleepInspector) {
    self.init(pid: pid, liveThread: pid, clock: other.clock, peers: other.peers)
    threadCount = (try? ProcessStatus(of: pid))?.threadCount
  }

  private init(pid: Int32, liveThread: Int32, clock: SleepClock, peers: PeerIndex) {
    self.pid = pid
    self.clock = clock
    self.peers = peers
    processName = ProcessSearch.processName(pid) ?? "?"
    hasSchedulerStatistics = ThreadCounters.areKeptByKernel()
    survey = DescriptorSurvey(pid: pid, tid: liveThread)
    folder = try? TaskFolder(process: pid)
    numbers = ThreadNumbers(pid: pid, folder: folder)
    self.liveThread = liveThread
  }

  /// Forgets what was read of the process as a whole; wanted before looks that come later.
  ///
  /// Sockets are forgotten only after a second: a machine may have a hundred thousand.
  package func refresh() {
    let now = MonotonicClock.now()
    if now - surveyTime > 1_000_000_000 {
      surveyTime = now
      survey = DescriptorSurvey(pid: pid, tid: liveThread)
      code = nil
    }
    numbers.forget()
    tracer = nil
  }

  /// Forgets who holds pipes and sockets, and how the CPUs' clocks differ.
  package func forgetPeers() {
    peers.forget()
    clock.forget()
  }

  /// Looks at a thread; nil when it runs, is gone, or would not hold still.
  package func sample(_ tid: Int32, known: SleepHint = SleepHint()) -> SleepSample? {
    guard let folder, let files = try? ThreadFiles(folder: folder, thread: tid) else { return nil }
    return sample(with: files, known: known)
  }

  /// The same with files that are open already: half the cost.
  ///
  /// `tellsSince` is false for a second look at a sleep whose beginning is known: again half of it.
  package func sample(
    with files: borrowing ThreadFiles, known: SleepHint = SleepHint(), tellsSince: Bool = true
  ) -> SleepSample? {
    for _ in 0..<3 {
      guard let before = switches(files) else { return nil }
      let time = MonotonicClock.now()
      guard var draft = draft(files, known: known, isSameSleep: known.switches == before) else {
        return nil
      }
      let isSettled = settleOwners(&draft)
      // A thread that was woken but has no CPU yet has the old count, and another state: while it had
      // the count and sleeps after all was read, it has slept all the time.
      guard let stat = files.details(), Self.isAsleep(stat.state) else { return nil }
      if isHeldByUs(files.tid, stat.state) { return nil }
      let lastRun = tellsSince ? lastRun(files.tid, stat) : .unknown
      if case .forgotten = lastRun { continue }
      guard switches(files) == before, isSettled else { continue }
      addState(stat.state, files.tid, to: &draft)
      var since: Int64?
      if case .at(let moment) = lastRun { since = min(moment, time) }
      return finish(draft, files: files, switches: before, stat: stat, time: time, since: since)
    }
    return nil
  }

  private func lastRun(_ tid: Int32, _ stat: ThreadStat) -> SleepClock.LastRun {
    guard let folder else { return .unknown }
    return clock.lastRun(of: tid, on: stat.processor, in: folder)
  }

  /// Whether the thread has not run since `look`; 5 µs.
  package func isStillAsleep(_ sample: SleepSample) -> Bool {
    guard hasSchedulerStatistics else { return false }
    return folder?.read("schedstat", of: sample.thread.tid, capacity: 96) {
      ThreadCounters(parsing: $0)?.switches
    } == sample.switches
  }

  /// What the guarded part of a sample has read.
  private struct Draft {
    var place: SleepPlace?
    var wait: Wait
    var futex: FutexFacts?
    var ends: [PeerRequest?] = []
    var limit = TimeLimit.none
    var isContinued = false
    var returnAddresses: [RemoteAddress] = []
  }

  private static func isAsleep(_ state: UInt8) -> Bool {
    state == UInt8(ascii: "S") || state == UInt8(ascii: "D") || state == UInt8(ascii: "T")
      || state == UInt8(ascii: "t")
  }

  /// Whether a stop of ours holds the thread, which came only now, after it had got no CPU for long: to
  /// the program it runs.
  private func isHeldByUs(_ tid: Int32, _ state: UInt8) -> Bool {
    guard state == UInt8(ascii: "t"), let status = try? ProcessStatus(of: tid) else { return false }
    return OSThread.isOwn(status.tracer)
  }

  private func switches(_ files: borrowing ThreadFiles) -> UInt64? {
    hasSchedulerStatistics
      ? files.counters()?.switches
      : ThreadCounters(contextSwitchesOf: files.tid, process: pid)?.switches
  }

  /// `isSameSleep` says that the thread has not run since it was found at the known place.
  private func draft(
    _ files: borrowing ThreadFiles, known: SleepHint, isSameSleep: Bool
  ) -> Draft? {
    if isSameSleep, let place = known.place, place.number != SystemCallNames.restart {
      var draft = Draft(place: place, wait: Wait(kind: .unknown))
      decode(place, files.tid, hasStack: known.hasStack, &draft)
      return draft
    }
    switch files.systemCall() {
    case .running: return nil
    case .unavailable: return Draft(wait: Wait(kind: .unknown))
    case .asleep(let number, let arguments, let stackPointer, let pc):
      var place = SleepPlace(
        number: number, arguments: (0..<6).map { arguments[$0] }, stackPointer: stackPointer, pc: pc
      )
      var draft = Draft(place: place, wait: Wait(kind: .unknown))
      let isKnown = known.place?.isSame(as: place) ?? false
      if number == SystemCallNames.restart {
        draft.isContinued = true
        place.number = originalNumber(of: place, known: known.place) ?? number
        draft.place = place
      }
      decode(place, files.tid, hasStack: known.hasStack && isKnown, &draft)
      return draft
    }
  }

  private func decode(_ place: SleepPlace, _ tid: Int32, hasStack: Bool, _ draft: inout Draft) {
    var decoder = CallDecoder(
      pid: pid, tid: tid, place: place, survey: survey, numbers: numbers)
    decoder.decode()
    survey = decoder.survey
    numbers = decoder.numbers
    draft.wait = decoder.wait
    draft.ends = decoder.ends
    draft.limit = decoder.limit
    guard decoder.isFutex else { return }
    draft.futex = FutexFacts(place, memory: ProcessMemory(tid: tid))
    if !hasStack { draft.returnAddresses = returnAddresses(above: place.stackPointer) }
  }

  /// What the state letter tells beside the call.
  private func addState(_ state: UInt8, _ tid: Int32, to draft: inout Draft) {
    if state == UInt8(ascii: "D") || draft.wait.kind == .unknown || draft.wait.kind == .pageFault {
      addKernelFunction(tid, isDisk: state == UInt8(ascii: "D"), to: &draft.wait)
    }
    if state == UInt8(ascii: "T") || state == UInt8(ascii: "t") { markStopped(state, &draft) }
  }

  private func addKernelFunction(_ tid: Int32, isDisk: Bool, to wait: inout Wait) {
    let text = try? ProcFile.read("/proc/\(pid)/task/\(tid)/wchan")
    wait.kernelFunction = text == "0" || text == "" ? nil : text
    guard isDisk, wait.kind != .childProcess, wait.kind != .pageFault else { return }
    wait.kind = .disk
  }

  private func markStopped(_ state: UInt8, _ draft: inout Draft) {
    let call = draft.wait.systemCall
    draft.futex = nil
    draft.ends = []
    guard state == UInt8(ascii: "t") else {
      draft.wait = Wait(kind: .stoppedBySignal, systemCall: call)
      return
    }
    draft.wait = Wait(kind: .stoppedByDebugger, systemCall: call)
    if let owner = tracingProcess() { draft.wait.owners = [owner] }
  }

  private func tracingProcess() -> WaitOwner? {
    if let tracer { return tracer }
    let holder = (try? ProcessStatus(of: liveThread))?.tracer ?? 0
    let owner: WaitOwner? =
      holder > 0
      ? .process(pid: holder, tid: nil, name: ProcessSearch.processName(holder) ?? "?") : nil
    tracer = .some(owner)
    return owner
  }

  // MARK: - After the thread was seen

  /// Finds out who the futex's numbers are.
  ///
  /// Returns false when the memory has changed since a number was found to be nobody's.
  private func settleOwners(_ draft: inout Draft) -> Bool {
    guard var futex = draft.futex else { return true }
    for number in futex.candidates {
      futex.lives[number] = numbers.life(
        of: number, isShared: !futex.isPrivate && number != futex.joined)
    }
    futex.settleRefused()
    draft.futex = futex
    guard futex.lives.values.contains(.gone), let place = draft.place else { return true }
    // The owner may have let go and ended since its number was read.
    return FutexFacts(place, memory: ProcessMemory(tid: liveThread))?.memory == futex.memory
  }

  private func finish(
    _ draft: Draft, files: borrowing ThreadFiles, switches: UInt64, stat: ThreadStat, time: Int64,
    since: Int64?
  ) -> SleepSample {
    let name = stat.name ?? ProcessSearch.threadName(process: pid, thread: files.tid) ?? "?"
    var sample = SleepSample(
      thread: WaitingThread(
        pid: pid, tid: files.tid, name: name, processName: processName, threadCount: threadCount),
      place: draft.place, switches: switches, state: stat.state, time: time, since: since,
      wait: draft.wait, futex: draft.futex, ends: draft.ends,
      returnAddresses: draft.returnAddresses)
    var limit = draft.limit
    // A call that was restarted began before the thread last ran.
    if draft.isContinued, case .relative = limit { limit = .unknown }
    sample.wait.timeLeft = limit.left(since: since)
    return sample
  }

  // MARK: - The other ends

  /// Searches who holds the other ends of what `looks` wait on, and says so in them.
  ///
  /// Returns false when `budget` nanoseconds of CPU time were used before all processes were seen;
  /// call it again to go on.
  package func findPeers(for samples: inout [SleepSample], budget: Int64) -> Bool {
    guard samples.contains(where: { $0.ends.contains { $0 != nil } }) else { return true }
    var fifos: Set<String> = []
    for sample in samples {
      for case .fifo(let path, _)? in sample.ends { fifos.insert(path) }
    }
    peers.search(fifos: fifos, budget: budget)
    guard peers.isComplete else { return false }
    for index in samples.indices { addPeers(to: &samples[index]) }
    return true
  }

  private func addPeers(to sample: inout SleepSample) {
    for (index, end) in sample.ends.enumerated() where index < sample.wait.descriptors.count {
      guard let end else { continue }
      sample.wait.descriptors[index].peers = peers.peers(end)
    }
    guard !peers.isPartial else { return }
    sample.wait.addOwnersFromDescriptors()
  }

  // MARK: - Calls that were restarted

  /// The number that a restarted call was made with: from the sample before, or from the instructions
  /// that made it.
  private func originalNumber(of place: SleepPlace, known: SleepPlace?) -> Int32? {
    if let known, known.number >= 0, known.number != SystemCallNames.restart,
      known.isSame(as: place)
    {
      return known.number
    }
    // `mov $NUMBER, %eax; syscall`, and the address behind.
    guard place.pc > 7,
      let code = ProcessMemory(tid: liveThread).read(at: RemoteAddress(place.pc - 7), count: 7),
      code.count == 7, code[0] == 0xb8, code[5] == 0x0f, code[6] == 0x05
    else { return nil }
    return Int32(code[1]) | Int32(code[2]) << 8
  }

  // MARK: - Code without unwind data

  /// The addresses on the innermost part of the stack that lie behind a call instruction; none for
  /// programs that use glibc, whose stacks can be unwound.
  private func returnAddresses(above stackPointer: UInt64) -> [RemoteAddress] {
    let code = self.code ?? readCode()
    self.code = code
    let memory = ProcessMemory(tid: liveThread)
    guard !code.isEmpty, let bytes = memory.read(at: RemoteAddress(stackPointer), count: 768)
    else { return [] }
    var result: [RemoteAddress] = []
    for start in stride(from: 0, to: bytes.count - 7, by: 8) {
      let word = bytes[start..<start + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      guard word > 8, code.contains(where: { $0.contains(word) }),
        let before = memory.read(at: RemoteAddress(word - 7), count: 7), before.count == 7,
        Self.endsInCall(before)
      else { continue }
      result.append(RemoteAddress(word))
    }
    return result
  }

  /// `call` with a 32-bit distance, or through a register or memory (Intel SDM, CALL).
  private static func endsInCall(_ bytes: [UInt8]) -> Bool {
    if bytes[2] == 0xe8 { return true }
    func isIndirect(_ at: Int) -> Bool { bytes[at] == 0xff && bytes[at + 1] >> 3 & 7 == 2 }
    return isIndirect(5) || isIndirect(4) || isIndirect(3) || isIndirect(1) || isIndirect(0)
  }

  private func readCode() -> [Range<UInt64>] {
    guard let maps = try? ProcessMemory(tid: liveThread).maps() else { return [] }
    let isGlibc = maps.mappings.contains {
      $0.isExecutable
        && ($0.path.hasSuffix("/libc.so.6")
          || $0.path.hasSuffix(".so") && $0.path.contains("/libc-2."))
    }
    guard !isGlibc else { return [] }
    return maps.mappings.filter { $0.isExecutable && $0.isFile }
      .map { $0.start.rawValue..<$0.end.rawValue }
  }
}

extension Wait {
  /// The holders of the other ends, where nothing else can end the wait.
  mutating func addOwnersFromDescriptors() {
    switch kind {
    case .read, .write, .receive, .send, .connect, .poll, .select, .epoll: break
    default: return
    }
    guard omittedDescriptors == 0, !descriptors.isEmpty,
      descriptors.allSatisfy({ !$0.peers.isEmpty })
    else { return }
    var seen: Set<WaitOwner> = []
    owners = descriptors.flatMap(\.peers).filter { seen.insert($0).inserted }
  }
}
