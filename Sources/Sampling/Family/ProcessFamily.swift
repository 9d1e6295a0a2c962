internal import LinuxProcess
package import ProfileModel
internal import Synchronization

/// The processes that a process has and starts while it is captured, each with a capture of its own.
final class ProcessFamily: Sendable {
  /// The most processes that are sampled at once: each takes three threads of sprof.
  static let limit = 200
  /// Nanoseconds between two looks for new processes.
  private static let period: Int64 = 10_000_000

  private struct State: Sendable {
    var profile: FamilyProfile
    /// Those that are captured now.
    var active: [Int32: CaptureControl] = [:]
    /// Those that were found and are still there, whether captured or not.
    var known: Set<Int32> = []
    /// Those that wait for another to end.
    var waiting: Set<Int32> = []
    var leftOut = 0
    var refused: [String] = []
    var failures: [String: Int] = [:]
    var isFinished = false
  }

  private let pid: Int32
  private let plan: SamplingPlan
  private let control: CaptureControl
  let modules: SharedModules
  private let recording: FamilyRecording?
  private let state: Mutex<State>
  /// When the capture of all began, by the monotonic clock.
  private let startTime = Atomic<Int64>(0)

  init(
    pid: Int32, plan: SamplingPlan, control: CaptureControl, modules: SharedModules,
    recording: FamilyRecording?
  ) {
    self.pid = pid
    self.plan = plan
    self.control = control
    self.modules = modules
    self.recording = recording
    state = Mutex(State(profile: FamilyProfile(modules: modules)))
  }

  // MARK: - Looking for new processes

  /// Starts the clock of all, and looks for new processes until `finish`.
  func watch() {
    startTime.store(MonotonicClock.now(), ordering: .releasing)
    // Without the thread only those that are there are captured.
    if let handle = try? OSThread.startTracer({ [self] in search() }) { handle.detach() }
  }

  private func search() {
    var births = BirthCounter()
    // The processes that are there when a capture begins have lived before; a program that has been
    // started for it has none.
    var lastSample: Int64? = plan.kind == .run ? startTime.load(ordering: .acquiring) : nil
    // A number is given out a moment before the process is among its parent's children.
    var samples = 0
    while true {
      let (isFinished, hasWaiting) = state.withLock { ($0.isFinished, !$0.waiting.isEmpty) }
      guard !isFinished else { return }
      let (begin, used) = (MonotonicClock.now(), OwnUsage.threadCPU())
      if births.hasChanged() { samples = 3 }
      if samples > 0 || hasWaiting { findNew(since: lastSample) }
      samples = max(0, samples - 1)
      lastSample = begin
      // No more than one part in thirty of a CPU goes into the search.
      let pause = max(Self.period, 30 * (OwnUsage.threadCPU() - used))
      MonotonicClock.sleep(until: begin + pause)
    }
  }

  private func findNew(since lastSample: Int64?) {
    let roots = state.withLock { Set($0.active.keys).union([pid]) }
    let found = ProcessTree.descendants(of: roots)
    for process in found.sorted() {
      let isWaiting = state.withLock { state in
        state.known.contains(process) ? state.waiting.contains(process) : nil
      }
      switch isWaiting {
      case false: continue
      case true: if hasRoom { start(process, birth: nil) }
      case nil:
        if hasRoom {
          start(process, birth: lastSample.flatMap { birth(of: process, since: $0) })
        } else {
          state.withLock { state in
            state.known.insert(process)
            state.waiting.insert(process)
          }
        }
      }
    }
    state.withLock { state in
      let gone = state.waiting.subtracting(found)
      state.leftOut += gone.count
      state.waiting.subtract(gone)
      state.known.formIntersection(found.union(state.active.keys))
    }
  }

  private var hasRoom: Bool { state.withLock { $0.active.count < Self.limit } }

  /// The kernel tells it to 10 ms, and it was not there at the last sample.
  private func birth(of process: Int32, since lastSample: Int64) -> Int64? {
    ProcessTree.birth(of: process).map { min(max($0, lastSample), MonotonicClock.now()) }
  }

  // MARK: - One process

  private func start(_ process: Int32, birth: Int64?) {
    let control = CaptureControl()
    let isWanted = state.withLock { state in
      state.known.insert(process)
      state.waiting.remove(process)
      guard !state.isFinished else { return false }
      state.active[process] = control
      return true
    }
    guard isWanted else { return }
    do {
      try OSThread.start { [self] in
        capture(process, control, birth: birth)
        state.withLock { _ = $0.active.removeValue(forKey: process) }
      }.detach()
    } catch {
      state.withLock { state in
        state.active[process] = nil
        state.failures[error.reason, default: 0] += 1
      }
    }
  }

  private func capture(_ process: Int32, _ control: CaptureControl, birth: Int64?) {
    var plan = plan
    plan.duration = nil
    plan.kind = plan.rate == nil ? .dump : .attach
    let begin = startTime.load(ordering: .acquiring)
    let names = FrameNames(pid: process)
    do throws(Capture.Failure) {
      let shift = max(0, (birth ?? MonotonicClock.now()) - begin)
      var member: (pauses: PauseMeter, startTime: Int64) = (PauseMeter(), begin)
      let captured = try Capture.record(
        pid: process, plan: plan, control: control, names: names,
        recording: recording?.part(of: process, shift: shift, tellsProgress: false),
        membership: FamilyMembership(birth: birth)
      ) { member = ($0.pauses, $0.startTime) }
      add(captured, pauses: member.pauses, shift: max(0, member.startTime - begin))
    } catch {
      note(error, process)
    }
  }

  private func add(_ captured: CapturedProfile, pauses: PauseMeter, shift: Int64) {
    // It has ended before a sample of it could be taken.
    guard !captured.unnamed.runs.isEmpty || captured.unnamed.capture.pid == pid else { return }
    let member = FamilyProfile.Member(
      profile: captured.unnamedWithWaits(), files: captured.openFiles(), pauses: pauses,
      shift: shift)
    state.withLock { $0.profile.add(member) }
  }

  private func note(_ failure: Capture.Failure, _ process: Int32) {
    let name = ProcessSearch.threadName(process: process, thread: process) ?? "?"
    state.withLock { state in
      switch failure {
      // It has ended before it could be looked at.
      case .access(.noSuchProcess), .access(.hasEnded), .access(.isItself),
        .access(.isKernelThread):
        break
      case .access(.other(let error)), .system(let error):
        state.failures[error.reason, default: 0] += 1
      case .access: state.refused.append("\(name)[\(process)]")
      }
    }
  }

  // MARK: - The end

  /// Looks for no more processes.
  func stop() { state.withLock { $0.isFinished = true } }

  /// Captures every process that is there, one after the other, once.
  func sampleOnce() {
    startTime.store(MonotonicClock.now(), ordering: .releasing)
    for process in ProcessTree.descendants(of: [pid]).sorted() where !control.shouldStop {
      capture(process, CaptureControl(), birth: nil)
    }
  }

  /// Ends the captures of all, and puts them together with that of the process itself.
  func finish(with own: CapturedProfile, pauses: PauseMeter) -> Profile {
    state.withLock { state in
      state.isFinished = true
      for control in state.active.values { control.stop() }
    }
    // Each ends within a tenth of a second; a thread that hangs in a dead file system is not waited
    // for for ever.
    let deadline = MonotonicClock.now() + 10_000_000_000
    while state.withLock({ !$0.active.isEmpty }), MonotonicClock.now() < deadline {
      MonotonicClock.sleep(until: MonotonicClock.now() + 1_000_000)
    }
    add(own, pauses: pauses, shift: 0)
    return state.withLock { state in
      var profile = FamilyProfile(modules: modules)
      swap(&profile, &state.profile)
      let notes = Self.notes(state, count: profile.processCount, isDump: plan.rate == nil)
      return profile.finish(capture: own.unnamed.capture, notes: notes)
    }
  }

  private static func notes(_ state: State, count: Int, isDump: Bool) -> [String] {
    var notes = [
      isDump
        ? "\(counted(count)), sampled one after another."
        : """
        \(counted(count)) sampled: the program and its descendants. Those that lived for less than \
        about 10 ms, or lost their parent before they were found, are missing.
        """
    ]
    if !state.refused.isEmpty {
      let names = state.refused.prefix(10).joined(separator: ", ")
      let rest = state.refused.count > 10 ? " …" : ""
      notes.append(
        "Not allowed to trace \(counted(state.refused.count)): \(names)\(rest).")
    }
    for (reason, count) in state.failures.sorted(by: { $0.key < $1.key }) {
      notes.append("\(counted(count)) could not be sampled: \(reason).")
    }
    let leftOut = state.leftOut + state.waiting.count
    if leftOut > 0 {
      notes.append("\(counted(leftOut)) skipped: \(limit) were being sampled already.")
    }
    return notes
  }
}

private func counted(_ processes: Int) -> String {
  processes == 1 ? "1 process" : "\(processes) processes"
}

extension Capture {
  /// Captures the process and those that it has and starts, with the arguments of `record`.
  ///
  /// It ends when the capture of the process itself does; processes that outlive it are left alone.
  @available(*, noasync, message: "blocks for the whole capture")
  package static func recordFamily(
    pid: Int32, plan: SamplingPlan, control: CaptureControl,
    ready: (@Sendable () -> Void)? = nil, recorder: (@Sendable (ProfileGrowth) -> Void)? = nil
  ) throws(Failure) -> CapturedProfile {
    prepareOpenFiles(forThreadsOf: pid)
    let modules = SharedModules()
    let names = FrameNames(pid: pid)
    let recording = recorder.map { FamilyRecording(modules: modules, names: names, recorder: $0) }
    do {
      try recording?.start()
    } catch {
      throw .system(error)
    }
    defer { recording?.finish() }
    let family = ProcessFamily(
      pid: pid, plan: plan, control: control, modules: modules, recording: recording)
    defer { family.stop() }
    var pauses = PauseMeter()
    // Its names are its own, as those of each process: the numbers of its modules mean others among
    // those of all.
    let own = try record(
      pid: pid, plan: plan, control: control, names: FrameNames(pid: pid),
      ready: {
        ready?()
        family.watch()
      }, recording: recording?.part(of: pid, shift: 0, tellsProgress: true)
    ) { pauses = $0.pauses }
    if plan.rate == nil { family.sampleOnce() }
    let profile = family.finish(with: own, pauses: pauses)
    // The names are the recording's until it has worked off the last.
    recording?.finish()
    return CapturedProfile(profile, names: names, collectedEnd: own.collectedEnd) { _ in
      modules.files
    }
  }
}
