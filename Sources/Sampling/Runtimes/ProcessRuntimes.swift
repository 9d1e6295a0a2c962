internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// The language runtimes of the process, as the tracer reads them: what is attached, the samples of a
/// tick, and the interpreters' locks.
///
/// Belongs to the tracer thread.
final class ProcessRuntimes {
  /// How long the frames of one thread may be copied while it is stopped.
  ///
  /// A deeper stack is cut, and the next sample gets further. Frames that are known take some ten
  /// microseconds.
  private static let stopLimit = Nanoseconds.milliseconds(1)
  /// The same for a thread that sleeps, and is not stopped: it delays the tick, where there are ticks.
  private let sleepLimit: Nanoseconds

  private let pid: Int32
  private let stacks: RuntimeStacks
  /// Whether the tasks are shown that wait for the one that a thread runs.
  private let followsTasks: Bool
  /// The most frames that are wanted of a thread; nil for all.
  private let maxDepth: Int?
  private var finders: [RuntimeFinder]
  private var attached: [AttachedRuntime] = []
  private var batch = RuntimeBatch()
  private var locks: InterpreterLocks
  private var waitSurvey = RuntimeWaitSurvey()
  /// By thread: who held its interpreter's lock in the present tick; nil before it was read.
  private var lockHolders: [Int32: Int32]?
  /// Those that `census` has found, and the virtual threads of Java.
  private(set) var goroutines: [Goroutines] = []
  private var virtualThreads: (found: VirtualThreads, time: ClosedRange<Nanoseconds>)?
  /// Whether the program that the runtimes are of was seen to be over.
  private var isAnotherProgram = false

  init(
    _ folder: TaskFolder, stacks: RuntimeStacks, followsTasks: Bool, maxDepth: Int?, isDump: Bool
  ) {
    pid = folder.process
    self.stacks = stacks
    self.followsTasks = followsTasks
    self.maxDepth = maxDepth
    sleepLimit = isDump ? .seconds(1) : .milliseconds(50)
    finders = KnownRuntimes.all.map { RuntimeFinder($0, process: folder.process) }
    locks = InterpreterLocks(folder, isDump: isDump)
  }

  // MARK: - What is attached

  /// Looks for runtimes and for new threads when it is time; nothing may be stopped.
  ///
  /// Returns whether the program is the same, by all that is known: the mappings of another are to be read.
  func refresh(
    time: Nanoseconds, memory: ProcessMemory, mappings: StackMappings, hasNewThreads: Bool
  ) -> Bool {
    if isAnotherProgram {
      confirm(from: memory)
      for runtime in attached { forget(runtime, at: time, mappings) }
      isAnotherProgram = false
      return false
    }
    var isSame = true
    for runtime in attached {
      followTasks(of: runtime, at: time, memory: memory)
      guard runtime.refresh(at: time, memory: memory, hasNewThreads: hasNewThreads) else {
        confirm(from: memory)
        forget(runtime, at: time, mappings)
        isSame = false
        continue
      }
      if let names = runtime.dueNames(at: time, memory: memory) {
        stacks.addNames(names, at: time)
        if let main = runtime.runtime.mainThread(from: memory) { stacks.noteMain(main) }
      }
    }
    for index in finders.indices where !attached.contains(where: { $0.finder == index }) {
      guard let found = finders[index].search(at: time, in: memory, mappings) else { continue }
      found.runtime.maxDepth = maxDepth
      let runtime = AttachedRuntime(
        found.runtime, of: found.program, finder: index, at: time, memory: memory)
      attached.append(runtime)
      stacks.add(found.runtime.nativeCode)
      followTasks(of: runtime, at: time, memory: memory)
    }
    return isSame
  }

  /// Calls `body` for the threads that may have frames since the last refresh which samples from before lack.
  func takeGains(among threads: [SampledThread], _ body: (SampledThread) -> Void) {
    for attached in attached where attached.hasGains {
      for thread in threads where attached.mayHaveGained(thread.tid) { body(thread) }
      attached.forgetGains()
    }
  }

  private func followTasks(of runtime: AttachedRuntime, at time: Nanoseconds, memory: ProcessMemory)
  {
    guard followsTasks else { return }
    runtime.followTasks(
      at: time, memory: memory, isEarly: finders[runtime.finder].isEarly(at: time))
  }

  /// Forgets a runtime: the process has become another program, or may have.
  private func forget(
    _ runtime: AttachedRuntime, at time: Nanoseconds, _ mappings: StackMappings
  ) {
    attached.removeAll { $0 === runtime }
    // Of all threads only the main one outlives its program.
    stacks.forgetName(of: pid)
    finders[runtime.finder].restart(at: time, mappings)
  }

  /// What keeps frames of runtimes from being shown, and tasks from being followed.
  var problems: [RuntimeProblem] {
    finders.compactMap(\.problem) + attached.compactMap(\.runtime.problem)
      + attached.compactMap(\.taskProblem)
  }

  /// Whether there is any, which may have locks of its own.
  var isAttached: Bool { !attached.isEmpty }

  /// The native code of the runtimes that are attached.
  var nativeCode: [any RuntimeNativeCode] { attached.map(\.runtime.nativeCode) }

  // MARK: - A sample

  /// Begins a sample of a thread that is about to be stopped or copied; nil where no runtime knows it.
  func prepare(_ tid: Int32) -> PreparedRuntimeSample? {
    PreparedRuntimeSample(attached.compactMap { $0.runtime.thread(tid) })
  }

  /// Learns where the frames are of a thread that will be stopped; it must not be held yet.
  func warmUp(_ tid: Int32, from memory: ProcessMemory) {
    for attached in attached { attached.runtime.thread(tid)?.warmUp(from: memory) }
  }

  /// Copies the frames of a thread that cannot run, or of which it is checked afterwards that it
  /// has not.
  func copy(
    _ sample: consuming PreparedRuntimeSample, at place: ThreadPlace,
    from memory: some TargetMemory, isAsleep: Bool
  ) -> CopiedRuntimeSample {
    let limit = isAsleep ? sleepLimit : Self.stopLimit
    return sample.copy(at: place, from: memory, until: MonotonicClock.now() + limit)
  }

  /// Keeps a copied sample; gives the number under which its stack will come.
  func keep(_ sample: consuming CopiedRuntimeSample, of tid: Int32) -> UInt64 {
    batch.add(sample, of: tid)
  }

  /// Reads the frames of the copies where many of them wait for it.
  func finishMany(from memory: ProcessMemory) {
    if batch.copiedCount >= RuntimeBatch.many { finish(from: memory) }
  }

  /// Reads the frames of all copies; the threads may run.
  ///
  /// Their stacks are handed over when there are many, or with the next `confirm`.
  func finish(from memory: ProcessMemory) {
    batch.finish { tid, stack in
      if stack.holdsLock == true { locks.noteHolder(tid) }
    }
    if batch.unconfirmedCount >= RuntimeBatch.many { confirm(from: memory) }
  }

  /// Hands over all stacks, after a check that the program is the same, and that the functions are there
  /// which they take for granted.
  ///
  /// The more at a time the better: threads and ticks share functions, each of which is checked once.
  func confirm(from memory: ProcessMemory) {
    guard batch.unconfirmedCount > 0 else { return }
    isAnotherProgram = isAnotherProgram || attached.contains { $0.isOver(in: memory) }
    guard !isAnotherProgram else {
      // From before or after it became another.
      stacks.put(batch.take { $0.forgetAll() })
      return
    }
    let refuted = attached.reduce(into: Set<UInt32>()) {
      $0.formUnion($1.runtime.refuted(from: memory))
    }
    stacks.put(batch.take { $0.forget(refuted) })
  }

  // MARK: - Locks

  /// Whether a thread that sleeps in this system call waits for an interpreter's lock.
  func noteLockWait(_ tid: Int32, _ call: Int32, _ arguments: InlineArray<6, UInt64>) -> Bool {
    locks.noteWait(tid, call, arguments, attached)
  }

  /// Who holds the lock of a thread's interpreter, read once a tick.
  func lockHolder(of tid: Int32, memory: ProcessMemory) -> Int32? {
    let known = lockHolders ?? InterpreterLocks.holders(of: attached, memory)
    lockHolders = known
    return known[tid]
  }

  /// Forgets who held locks: a tick begins.
  func forgetLockHolders() { if lockHolders != nil { lockHolders = nil } }

  /// Notes that a thread was seen to run.
  func noteAwake(_ tid: Int32) { locks.noteAwake(tid) }

  /// Notes who holds the interpreters' locks, where there is something else to do until `census`.
  func noteLockHolders(memory: ProcessMemory) {
    locks.noteHolders(of: attached, memory)
    waitSurvey.begin(attached, memory)
  }

  /// At the end of a capture: the names of threads, goroutines and virtual threads, and who held the
  /// interpreters' locks at two moments; nothing may be stopped.
  func census(memory: ProcessMemory, now: () -> Nanoseconds) {
    for attached in attached {
      _ = attached.runtime.refreshThreads(from: memory)
      stacks.addNames(attached.runtime.threadNames(from: memory), at: now())
    }
    if let main = attached.lazy.compactMap({ $0.runtime.mainThread(from: memory) }).first {
      stacks.noteMain(main)
    }
    waitSurvey.finish(attached, memory)
    locks.conclude(attached, memory, now: now)
    goroutines = attached.lazy.compactMap { $0.runtime.goroutines(from: memory) }.prefix(1).map {
      $0
    }
    let start = now()
    if let found = attached.lazy.compactMap({ $0.runtime.virtualThreads(from: memory) }).first {
      goroutines.append(found.list)
      virtualThreads = (found, start...max(start, now()))
    }
    surveyTime = now()
  }

  /// When `census` looked the last time.
  private var surveyTime = Nanoseconds(0)

  /// What `census` found out.
  var lockReport: InterpreterLockReport {
    var report = locks.report
    report.waits = waitSurvey.waits
    report.virtualThreads = virtualThreads
    report.time = max(report.time, surveyTime)
    return report
  }

  // MARK: - Tasks

  /// Whether a runtime knows the thread.
  func hasThread(_ tid: Int32) -> Bool { attached.contains { $0.runtime.thread(tid) != nil } }

  /// Whether the process has asynchronous tasks that can be listed.
  func findTasks(in memory: ProcessMemory) -> Bool {
    attached.count { $0.runtime.findTasks(in: memory) } > 0
  }

  /// The tasks that `findTasks` has found, from live memory.
  func tasks(from memory: ProcessMemory) -> RuntimeTaskList {
    attached.reduce(into: RuntimeTaskList()) { all, attached in
      let list = attached.runtime.tasks(from: memory)
      all.tasks += list.tasks
      all.isCut = all.isCut || list.isCut
    }
  }
}
