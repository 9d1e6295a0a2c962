internal import LinuxProcess
internal import NativeUnwinding
package import ProfileModel
internal import RuntimeReading

/// A profile whose addresses still want names.
package final class CapturedProfile {
  private var profile: Profile
  private let files: ([Frame]) -> [ModuleID: MappedFile]
  private let names: FrameNames
  private let facts: LiveFacts?
  /// The functions in which threads wait for an interpreter's lock.
  private lazy var lockFunctions: Set<String> =
    facts?.runtimes.reduce(into: []) { $0.formUnion($1.lockFunctions) } ?? []
  /// The end of a program that is a child of this process, where a stop met it
  /// (`HeldProgram.waitForEnd`).
  package let collectedEnd: Int32?

  /// What of a capture of one process its profile does not have.
  struct LiveFacts {
    let modules: ModuleMap
    let sleeps: [SleepRecord]
    /// When the capture began.
    let startTime: MonotonicClock.Instant
    /// The language runtimes of the process.
    let runtimes: [any RuntimeNativeCode]
    /// Whether their machinery is hidden.
    let hidesMachinery: Bool
    /// Who held the interpreters' locks at the end, and who waited for them.
    let locks: InterpreterLockReport
  }

  /// A profile whose modules' files `files` gives for the frames that are in them.
  init(
    _ profile: Profile, names: FrameNames, collectedEnd: Int32?, facts: LiveFacts? = nil,
    files: @escaping ([Frame]) -> [ModuleID: MappedFile]
  ) {
    self.profile = profile
    self.files = files
    self.names = names
    self.collectedEnd = collectedEnd
    self.facts = facts
  }

  /// The profile with addresses in place of names.
  package var unnamed: Profile { profile }

  /// The files of the modules that have frames.
  func openFiles() -> [ModuleID: MappedFile] { files(profile.stacks.frames) }

  /// Gives every frame its function, file, line and inlined callers.
  ///
  /// Each address is looked up once. The target is not touched: only its files are read.
  package func named(progress: ((_ done: Int, _ of: Int) -> Void)? = nil) -> Profile {
    let frames = profile.stacks.frames
    names.add(files(frames))
    names.note(profile.modules)
    profile.symbols = names.resolve(frames, progress: progress)
    hideInlinedMachinery()
    if facts != nil { addWaits(to: &profile) }
    joinRenewedWaits()
    addInterpreterLock()
    addRuntimeWaits()
    for (module, problem) in names.problems.sorted(by: { $0.key < $1.key }) {
      guard profile.modules.indices.contains(Int(module.rawValue)) else { continue }
      let known = profile.modules[Int(module.rawValue)]
      profile.modules[Int(module.rawValue)] = Module(
        path: known.path, buildID: known.buildID, problem: known.problem ?? problem)
    }
    profile.capture.notes += CaptureNotes.notes(ofModulesIn: profile)
    profile.capture.notes += CaptureNotes.withoutLines(in: profile, of: names.withoutDebugData)
    return profile
  }
}

extension CapturedProfile {
  /// The profile with addresses in place of names, and what its threads wait for, whose names are
  /// looked up.
  func unnamedWithWaits() -> Profile {
    var profile = profile
    addWaits(to: &profile)
    return profile
  }

  /// What the threads of the one process wait for; looks up the names that this takes.
  private func addWaits(to profile: inout Profile) {
    guard let facts else { return }
    var sleepNames = SleepNames(
      modules: facts.modules, names: names, startTime: facts.startTime,
      interpreterLocks: facts.locks.ranges)
    profile.blockings = sleepNames.blockings(of: facts.sleeps, pid: profile.capture.pid)
    profile.forgetChangingOwners()
    profile.waitHistory = sleepNames.named(profile.waitHistory)
  }

  /// Says of threads that wait for an interpreter's lock who holds it.
  ///
  /// Such a thread wakes up every few milliseconds to ask for the lock again, so that it never sleeps
  /// long; that it waits is shown by its last system call, or by its stack at the end, and since when by
  /// the samples before. One sample does not show that.
  private func addInterpreterLock() {
    guard let facts, !facts.locks.holders.isEmpty else { return }
    let capture = profile.capture
    let locks = facts.locks
    let waits = lockWaits()
    // Who was last seen to ask for the lock had it before or after that: the two are of different moments.
    let asking = Set(
      waits.lazy.filter { $0.value.asks }.map { [profile] in profile.threads[$0.key].tid })
    for (index, wait) in waits.sorted(by: { $0.key < $1.key }) {
      let thread = profile.threads[index]
      guard !thread.hasEnded, let holder = locks.holders[thread.tid], holder != thread.tid,
        locks.waiters.contains(thread.tid) || wait.asks, !asking.contains(holder)
      else { continue }
      profile.blockings.removeAll {
        $0.waiter.tid == thread.tid && $0.waiter.pid == capture.pid && $0.lastSeen >= wait.start
      }
      profile.blockings.append(
        Blocking(
          waiter: WaitingThread(
            pid: capture.pid, tid: thread.tid, name: thread.name,
            processName: capture.processName),
          wait: Wait(kind: .gil, systemCall: "futex", owners: [.thread(tid: holder)]),
          since: profile.start(of: wait.start, thread), firstSeen: wait.start,
          lastSeen: max(thread.lastSeen, locks.time.rawValue), samples: max(2, wait.samples)))
    }
  }

  /// Joins the waits that a runtime renews, by the functions of it that threads wait in.
  private func joinRenewedWaits() {
    guard let facts, !facts.runtimes.isEmpty else { return }
    let renewing = profile.symbols.indices.filter { place in
      profile.symbols[place].lines.contains { line in
        facts.runtimes.contains { $0.renewsWaits(inFunction: line.function) }
      }
    }
    guard !renewing.isEmpty else { return }
    let frames = Set(renewing.map { UInt32($0) })
    var known: [StackID: Bool] = [:]
    profile.joinRenewedWaits { [stacks = profile.stacks] stack in
      if let known = known[stack] { return known }
      let isRenewed = stacks.frames(of: stack).contains { frames.contains($0.rawValue) }
      known[stack] = isRenewed
      return isRenewed
    }
  }

  private func addRuntimeWaits() {
    guard let locks = facts?.locks else { return }
    if let (found, time) = locks.virtualThreads { profile.addVirtualWaits(found, during: time) }
    guard !locks.waits.isEmpty else { return }
    profile.addRuntimeWaits(
      locks.waits, at: locks.time.rawValue,
      stretches: lockWaits().mapValues {
        RuntimeWaitStretch(
          start: $0.start, samples: $0.samples, sleep: ($0.sleepStart, $0.sleepSamples))
      })
  }

  /// What may be a wait for an interpreter's lock at the end of a thread's time.
  private struct LockWait {
    let last: StackID
    /// Whether the thread asks for the lock in that stack.
    let asks: Bool
    /// Nanoseconds from the start of the capture, like the runs'.
    var start: Int64
    var samples: Int
    /// The same of its last sleep alone.
    var sleepStart: Int64
    var sleepSamples: Int
  }

  /// For each thread the time at its end in which it was in one stack, or in stacks that ask for the
  /// lock, and did next to nothing.
  private func lockWaits() -> [Int: LockWait] {
    var result: [Int: LockWait] = [:]
    var known: [StackID: Bool] = [:]
    func isInLock(_ stack: StackID) -> Bool {
      if let known = known[stack] { return known }
      let isInLock = self.isInLock(stack)
      known[stack] = isInLock
      return isInLock
    }
    for run in profile.runs {
      let asks = run.activity.awaitsInterpreterLock || isInLock(run.stack)
      let before = result[run.thread].flatMap { before in
        before.last == run.stack || before.asks && asks ? before : nil
      }
      let isAwake = run.weight.cpu > max(1_000_000, run.weight.wall / 20)
      let samples = Int(clamping: run.weight.samples)
      let stop = run.start &+ run.weight.wall
      let goesOn = !isAwake && !run.followsSleep && !run.hasManyWaits
      result[run.thread] = LockWait(
        last: run.stack, asks: asks,
        start: isAwake ? stop : before?.start ?? run.start,
        samples: (isAwake ? 0 : before?.samples ?? 0) + samples,
        sleepStart: isAwake || run.hasManyWaits
          ? stop : goesOn ? before?.sleepStart ?? run.start : run.start,
        sleepSamples: (goesOn ? before?.sleepSamples ?? 0 : 0) + samples)
    }
    return result
  }

  private func isInLock(_ stack: StackID) -> Bool {
    let functions = lockFunctions
    return profile.stacks.frames(of: stack).contains { frame in
      let place = Int(frame.rawValue)
      return profile.symbols.indices.contains(place)
        && profile.symbols[place].lines.contains { functions.contains($0.function) }
    }
  }

  /// Leaves out what the compiler inlined of a runtime's machinery into its built-in functions.
  private func hideInlinedMachinery() {
    guard let facts, facts.hidesMachinery else { return }
    for runtime in facts.runtimes {
      guard let module = profile.modules.firstIndex(where: { $0.path == runtime.path }) else {
        continue
      }
      hideInlinedMachinery(of: runtime, ModuleID(Int32(module)))
    }
  }

  private func hideInlinedMachinery(of runtime: any RuntimeNativeCode, _ id: ModuleID) {
    // The same few are inlined everywhere.
    var areBuiltins: [String: Bool] = [:]
    func isBuiltin(_ function: String) -> Bool {
      if let known = areBuiltins[function] { return known }
      let isBuiltin = runtime.role(ofFunction: function) == .builtin
      areBuiltins[function] = isBuiltin
      return isBuiltin
    }
    for index in profile.symbols.indices where profile.symbols[index].module == id {
      let lines = profile.symbols[index].lines
      guard lines.count > 1 else { continue }
      let kept = lines.dropLast().filter { isBuiltin($0.function) }
      guard kept.count < lines.count - 1, let function = lines.last else { continue }
      profile.symbols[index] = ResolvedFrame(lines: kept + [function], module: id)
    }
  }
}
