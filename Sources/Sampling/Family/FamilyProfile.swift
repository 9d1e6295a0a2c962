internal import LinuxProcess
internal import ProfileModel

/// The captures of many processes put together to one profile, on one clock.
struct FamilyProfile: Sendable {
  /// A process's capture that has ended.
  struct Member: Sendable {
    let profile: Profile
    /// The files of the modules that have frames.
    let files: [ModuleID: MappedFile]
    let pauses: PauseMeter
    /// What its times must be moved by to count from the start of all.
    let shift: Nanoseconds
    /// Whether the program only waited for it.
    let isPeer: Bool
  }

  private let modules: SharedModules
  private var stacks = StackTable()
  private var threads: [ThreadInfo] = []
  private var runs: [Run] = []
  private var waits = FamilyWaits()
  private var history = WaitHistory()
  private var tasks: [AsyncTasks] = []
  private var goroutines: [Goroutines] = []
  private var cost = CaptureCost()
  private var pauses = PauseMeter()
  private var notes = FamilyNotes()
  private var unsampledThreads = 0
  private var unsampledCPU: Int64 = 0
  private var end: Nanoseconds = 0
  /// Processes with threads that were seen.
  private(set) var processCount = 0

  init(modules: SharedModules) { self.modules = modules }

  /// Adds a process; costs one step for each frame, stack and run.
  mutating func add(_ member: Member) {
    let profile = member.profile
    let process = OwningProcess(profile, isPeer: member.isPeer)
    processCount += 1
    let first = threads.count
    for var thread in profile.threads {
      thread.process = process
      thread.firstSeen += member.shift.rawValue
      thread.lastSeen += member.shift.rawValue
      threads.append(thread)
    }
    let frames = modules.share(
      profile.stacks.frames, modules: profile.modules, files: member.files)
    let stackIDs = addStacks(of: profile.stacks, frames.map { stacks.id(of: $0) })
    for run in profile.runs where profile.threads.indices.contains(run.thread) {
      let stack = Int(run.stack.rawValue)
      runs.append(
        Run(
          thread: first + run.thread,
          stack: stackIDs.indices.contains(stack) ? stackIDs[stack] : .empty, end: run.end,
          activity: run.activity, start: max(0, run.start + member.shift.rawValue),
          weight: run.weight, unseenSleeps: run.unseenSleeps))
    }
    add(waits: profile, member)
    history.add(profile.waitHistory, firstThread: first, shift: member.shift.rawValue)
    tasks += profile.tasks
    goroutines += profile.goroutines
    add(profile.capture, member)
  }

  private mutating func add(waits profile: Profile, _ member: Member) {
    let shifted = profile.blockings.map { blocking in
      var blocking = blocking
      blocking.firstSeen += member.shift.rawValue
      blocking.lastSeen += member.shift.rawValue
      blocking.since = blocking.since.map { $0 + member.shift.rawValue }
      return blocking
    }
    waits.add(shifted, capturedBy: profile.capture.pid)
  }

  private mutating func addStacks(of table: StackTable, _ frames: [FrameID]) -> [StackID] {
    var ids: [StackID] = [.empty]
    ids.reserveCapacity(table.stackCount)
    for number in 1..<max(table.stackCount, 1) {
      let id = StackID(UInt32(number))
      // A stack's caller was made before it.
      let caller = ids[Int(table.caller(of: id).rawValue)]
      guard let frame = table.innermostFrame(of: id) else { continue }
      ids.append(stacks.stack(of: frames[Int(frame.rawValue)], calledBy: caller))
    }
    return ids
  }

  private mutating func add(_ capture: CaptureInfo, _ member: Member) {
    cost.ticksPlanned += capture.cost.ticksPlanned
    cost.ticksTaken += capture.cost.ticksTaken
    cost.ticksLate += capture.cost.ticksLate
    cost.samplesWithoutStop += capture.cost.samplesWithoutStop
    cost.samplesDropped += capture.cost.samplesDropped
    pauses.add(member.pauses)
    end = max(end, Nanoseconds(capture.duration) + member.shift)
    unsampledThreads += capture.unsampled.threads
    unsampledCPU += capture.unsampled.cpu
    for note in capture.notes { notes.add(note) }
  }

  /// The whole, with the frames' addresses in place of names; `capture` is that of the process that
  /// the others descend from, `unsampled` how many processes have no capture.
  consuming func finish(
    capture: CaptureInfo, unsampled: Int = 0, notes family: [CaptureNote]
  ) -> Profile {
    var capture = capture
    capture.unsampled = CaptureInfo.Unsampled(
      threads: unsampledThreads, processes: unsampled, cpu: unsampledCPU)
    // sprof's own CPU time is of all of it already.
    cost.ownCPU = capture.cost.ownCPU
    cost.setPauses(pauses)
    capture.cost = cost
    capture.duration = max(capture.duration, end.rawValue)
    capture.notes = family + notes.notes
    let order = threadOrder(first: capture.pid)
    var places = Array(repeating: 0, count: threads.count)
    for (place, thread) in order.enumerated() { places[thread] = place }
    runs = runs.map { run in
      Run(
        thread: places[run.thread], stack: run.stack, end: run.end, activity: run.activity,
        start: run.start, weight: run.weight, unseenSleeps: run.unseenSleeps)
    }
    runs.sort { ($0.start, $0.thread) < ($1.start, $1.thread) }
    var infos = order.map { threads[$0] }
    if processCount < 2 { for index in infos.indices { infos[index].process = nil } }
    var profile = Profile(
      capture: capture, modules: modules.modules, threads: infos, stacks: stacks,
      runs: RunList(runs), blockings: waits.finish(),
      waitHistory: history.moved(to: places), tasks: tasks)
    profile.goroutines = goroutines
    profile.renumberStacks()
    return profile
  }

  /// The process of the capture first, the others in the order in which they were first seen.
  private func threadOrder(first: Int32) -> [Int] {
    func key(_ index: Int) -> (Int, Int64, Int32, Int) {
      let thread = threads[index]
      let isFirst = thread.process?.pid == first
      return (isFirst ? 0 : 1, starts[index], thread.process?.pid ?? 0, index)
    }
    var began: [OwningProcess: Int64] = [:]
    for thread in threads {
      guard let process = thread.process else { continue }
      began[process] = min(began[process] ?? .max, thread.firstSeen)
    }
    let starts = threads.map { $0.process.flatMap { began[$0] } ?? 0 }
    return threads.indices.sorted { key($0) < key($1) }
  }
}

extension OwningProcess {
  /// The process of a capture, by the name that its main thread had last.
  init(_ profile: Profile, isPeer: Bool = false) {
    let main = profile.threads.first { $0.isMain }
    self.init(
      pid: profile.capture.pid, name: main?.name ?? profile.capture.processName, isPeer: isPeer)
  }
}
