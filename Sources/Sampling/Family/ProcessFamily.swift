internal import LinuxProcess
internal import ProfileModel
internal import Synchronization

/// The processes that a process has and starts while it is sampled, and those that it waits for, as the
/// plan wants them; each with a capture of its own.
final class ProcessFamily: Sendable {
  /// The most processes that are sampled at once: each takes three threads of sprof.
  static let limit = 200
  /// Between two searches for new processes.
  private static let period = Nanoseconds.milliseconds(10)

  private struct State: Sendable {
    /// Those that are captured now.
    var active: [ProcessIdentity: CaptureControl] = [:]
    /// Those that were found and are still there, whether captured or not.
    var known: Set<ProcessIdentity> = []
    /// Those that wait for another to end.
    var waiting: Set<ProcessIdentity> = []
    var leftOut = 0
    var peerCount = 0
    var peersLeftOut = 0
    var isFinished = false
  }

  private let process: ProcessIdentity
  private let plan: SamplingPlan
  /// Whether descendants are sampled.
  private let hasChildren: Bool
  private let members: FamilyMembers
  private let recording: FamilyRecording?
  private let state = Mutex(State())
  /// The raw value of `startTime`.
  private let startValue = Atomic<Int64>(0)

  init(
    _ process: ProcessIdentity, plan: SamplingPlan, hasChildren: Bool, modules: SharedModules,
    recording: FamilyRecording?
  ) {
    self.hasChildren = hasChildren
    self.process = process
    self.plan = plan
    self.recording = recording
    members = FamilyMembers(of: process, modules: modules)
  }

  /// When the capture of all began.
  private var startTime: MonotonicClock.Instant {
    MonotonicClock.Instant(startValue.load(ordering: .acquiring))
  }

  // MARK: - Searching for new processes

  /// Starts the clock of all, and searches for new processes until `finish`.
  func watch() {
    startValue.store(MonotonicClock.now().rawValue, ordering: .releasing)
    // Without the thread only those that are there are captured.
    if let handle = try? OSThread.startTracer({ [self] in search() }) { handle.detach() }
  }

  private func search() {
    var births = BirthCounter()
    // The processes that are there when a capture begins have lived before; a program that has been
    // started for it has none.
    var lastSearch: MonotonicClock.Instant? =
      switch plan.kind {
      case .attach: nil
      case .run: startTime
      }
    // A number is given out a moment before the process is among its parent's children.
    var searches = 0
    while true {
      let (isFinished, hasWaiting) = state.withLock { ($0.isFinished, !$0.waiting.isEmpty) }
      guard !isFinished else { return }
      let (begin, used) = (MonotonicClock.now(), OwnUsage.threadCPU())
      startPeers()
      if hasChildren {
        if births.hasChanged() { searches = 3 }
        if searches > 0 || hasWaiting { findNew(since: lastSearch) }
      }
      searches = max(0, searches - 1)
      lastSearch = begin
      // No more than one part in thirty of a CPU goes into the search.
      let pause = max(Self.period, (OwnUsage.threadCPU() - used) * 30)
      MonotonicClock.sleep(until: begin + pause)
    }
  }

  private func findNew(since lastSearch: MonotonicClock.Instant?) {
    let roots = state.withLock { Set($0.active.keys).union([self.process]) }
    let found = ProcessTree.descendants(of: roots)
    for process in found.sorted(by: { $0.pid < $1.pid }) {
      let isWaiting = state.withLock { state in
        state.known.contains(process) ? state.waiting.contains(process) : nil
      }
      switch isWaiting {
      case false: continue
      case true: if hasRoom { start(process, birth: nil) }
      case nil:
        if hasRoom {
          start(process, birth: lastSearch.map { birth(of: process, since: $0) })
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

  /// Starts to capture the processes that waits were found to lead to.
  private func startPeers() {
    guard let peers = plan.peers else { return }
    for pid in peers.takeNew() where pid != process.pid {
      guard let peer = try? ProcessIdentity(of: pid), !OSThread.isOwn(pid) else { continue }
      let isWanted = state.withLock { state in
        guard !state.known.contains(peer) else { return false }
        guard state.peerCount < PeerRequests.limit else {
          state.peersLeftOut += 1
          return false
        }
        state.peerCount += 1
        return true
      }
      if isWanted { start(peer, birth: nil, isPeer: true) }
    }
  }

  private var hasRoom: Bool { state.withLock { $0.active.count < Self.limit } }

  /// The kernel knows it to 10 ms, and the process was not there at the last search.
  private func birth(
    of process: ProcessIdentity, since lastSearch: MonotonicClock.Instant
  ) -> MonotonicClock.Instant {
    min(max(process.birth, lastSearch), MonotonicClock.now())
  }

  // MARK: - One process

  private func start(
    _ process: ProcessIdentity, birth: MonotonicClock.Instant?, isPeer: Bool = false
  ) {
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
        capture(process, control, birth: birth, isPeer: isPeer)
        state.withLock { _ = $0.active.removeValue(forKey: process) }
      }.detach()
    } catch {
      state.withLock { $0.active[process] = nil }
      members.note(error)
    }
  }

  private func capture(
    _ process: ProcessIdentity, _ control: CaptureControl, birth: MonotonicClock.Instant?,
    isPeer: Bool
  ) {
    var plan = plan
    plan.duration = nil
    plan.kind = .attach
    let start = startTime
    let shift = max(0, (birth ?? MonotonicClock.now()) - start)
    do throws(Capture.Failure) {
      let capture = try Capture.sample(
        process, plan: plan, origin: birth.map { .born(at: $0) } ?? .running,
        membership: .ofFamily, control: control, names: FrameNames(process, plan.options),
        recording: recording?.part(of: process.pid, shift: shift, showsProgress: false))
      members.add(capture, start: start, isPeer: isPeer)
    } catch {
      members.note(error, process)
    }
  }

  // MARK: - The end

  /// Searches for no more processes.
  func stop() { state.withLock { $0.isFinished = true } }

  /// Ends the captures of all, and puts them together with that of the process itself.
  func finish(with own: FinishedCapture) -> Profile {
    state.withLock { state in
      state.isFinished = true
      for control in state.active.values { control.stop() }
    }
    // Each ends within a tenth of a second; a thread that hangs in a dead file system is not waited
    // for for ever.
    let deadline = MonotonicClock.now() + .seconds(10)
    while state.withLock({ !$0.active.isEmpty }), MonotonicClock.now() < deadline {
      MonotonicClock.sleep(for: .milliseconds(1))
    }
    let leftOut = state.withLock { $0.leftOut + $0.waiting.count }
    let note =
      "\(FamilyMembers.counted(leftOut)) skipped: \(Self.limit) were being sampled already."
    return members.finish(with: own, leftOut: (leftOut, note)) { title(count: $0) }
  }

  /// Says how many processes were sampled, and which.
  private func title(count: Int) -> String {
    let leftOut = state.withLock { $0.peersLeftOut }
    let peers = plan.peers == nil ? "" : "those that it waited for"
    let limit =
      leftOut > 0
      ? " It waited for \(leftOut) more than the \(PeerRequests.limit) that are sampled at most."
      : ""
    let counted = "\(count) processes were sampled"
    guard hasChildren else {
      return count == 1
        ? "Only the program itself was sampled.\(limit)"
        : "\(counted): the program and \(peers).\(limit)"
    }
    let others =
      peers.isEmpty
      ? "the program and its descendants" : "the program, its descendants and \(peers)"
    return
      (count == 1
      ? "Only the program itself was sampled. Processes" : "\(counted): \(others). Those")
      + " that lived for less than about 10 ms, or were orphaned before they were found, are missing."
      + limit
  }
}
