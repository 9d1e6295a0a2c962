internal import LinuxProcess
internal import ProfileModel
internal import Synchronization

/// Hands what the captures of many processes have seen to one recorder, with names, on a thread of
/// its own, under common numbers and on one clock.
final class FamilyRecording: @unchecked Sendable {
  // Sendable: `names` and `frames` are used by the recording thread alone, `handle` by the one that
  // starts and ends it; all else is under the lock.
  private struct State: Sendable {
    var waiting: [ProfileGrowth] = []
    /// Threads by their common number.
    var threadCount = 0
    var isFinished = false
  }

  private let modules: SharedModules
  private let names: FrameNames
  private let recorder: @Sendable (ProfileGrowth) -> Void
  private let state = Mutex(State())
  private var frames = StackTable()
  private var handle: OSThread.Handle?

  init(
    modules: SharedModules, names: FrameNames,
    recorder: @escaping @Sendable (ProfileGrowth) -> Void
  ) {
    self.modules = modules
    self.names = names
    self.recorder = recorder
  }

  func start() throws(SystemError) {
    handle = try OSThread.start { [self] in run() }
  }

  /// Works off what was handed over, and ends.
  func finish() {
    state.withLock { $0.isFinished = true }
    handle.take()?.join()
  }

  /// The receiver of one process's part; its times are moved by `shift`.
  ///
  /// The part of the process that the others descend from shows how far the whole capture is.
  func part(of pid: Int32, shift: Nanoseconds, showsProgress: Bool) -> any GrowthReceiver {
    Part(of: self, pid: pid, shift: shift, showsProgress: showsProgress)
  }

  fileprivate var isBusy: Bool { state.withLock { $0.waiting.count > 1000 } }

  fileprivate func newThreads(_ count: Int) -> Int {
    state.withLock { state in
      defer { state.threadCount += count }
      return state.threadCount
    }
  }

  /// Takes a part whose threads have their common numbers and whose frames the common modules; it
  /// has all frames that its stacks name.
  fileprivate func take(_ growth: ProfileGrowth) { state.withLock { $0.waiting.append(growth) } }

  fileprivate func share(
    _ growth: ProfileGrowth, files: [ModuleID: MappedFile]
  ) -> [Frame] {
    modules.share(growth.frames.map(\.frame), modules: growth.modules, files: files)
  }

  private func run() {
    while true {
      let (work, isLast) = state.withLock { state in
        defer { state.waiting = [] }
        return (state.waiting, state.isFinished)
      }
      work.forEach(record)
      if isLast && work.isEmpty { return }
      if work.isEmpty { MonotonicClock.sleep(for: .milliseconds(20)) }
    }
  }

  /// Gives the frames their common numbers, and the new ones their names.
  private func record(_ part: ProfileGrowth) {
    var growth = part
    let known = frames.frames.count
    var numbers: [FrameID: FrameID] = [:]
    for (id, frame) in part.frames { numbers[id] = frames.id(of: frame) }
    growth.frames = frames.frames.enumerated().dropFirst(known)
      .map { (FrameID(UInt32($0.offset)), $0.element) }
    for (stack, ids) in part.stacks { growth.stacks[stack] = ids.map { numbers[$0] ?? $0 } }
    growth.modules = modules.modules
    names.add(modules.files)
    growth.symbols = names.resolve(growth.frames.map(\.frame))
    recorder(growth)
  }
}

/// One process's part of a recording.
private final class Part: GrowthReceiver, @unchecked Sendable {
  // Sendable: used by the resolver thread of the process alone.
  let wantsEnd = true
  private let recording: FamilyRecording
  private let pid: Int32
  private let shift: Nanoseconds
  private let showsProgress: Bool
  private var lastTime: Nanoseconds = 0
  /// The process's threads as they were handed over last, and the number of the first of each batch.
  private var threads: [Int: (number: Int, info: ThreadInfo)] = [:]
  private var name = ""
  /// The process's frames, with the common numbers of their modules.
  private var frames: [Frame] = []

  init(of recording: FamilyRecording, pid: Int32, shift: Nanoseconds, showsProgress: Bool) {
    self.recording = recording
    self.pid = pid
    self.shift = shift
    self.showsProgress = showsProgress
  }

  func start() {}
  func finish() {}

  func isDue(at time: Nanoseconds) -> Bool {
    time - lastTime >= Recording.period && !recording.isBusy
  }

  func take(_ growth: ProfileGrowth, files: [ModuleID: MappedFile]) {
    if let capture = growth.capture { lastTime = Nanoseconds(capture.duration) }
    var part = growth
    frames += recording.share(growth, files: files)
    part.frames = usedFrames(of: growth)
    part.threads = take(threads: growth.threads)
    part.runs = growth.runs.map { run in
      Run(
        thread: threads[run.thread]?.number ?? 0, stack: run.stack, end: run.end,
        activity: run.activity, start: max(0, run.start + shift.rawValue), weight: run.weight,
        unseenSleeps: run.unseenSleeps)
    }
    if !showsProgress { part.capture = nil }
    recording.take(part)
  }

  /// All frames of the stacks, not only the new ones: the recording knows no process's numbers.
  private func usedFrames(of growth: ProfileGrowth) -> [(id: FrameID, frame: Frame)] {
    let used = Set(growth.stacks.values.joined()).sorted { $0.rawValue < $1.rawValue }
    return used.compactMap { id in
      frames.indices.contains(Int(id.rawValue)) ? (id, frames[Int(id.rawValue)]) : nil
    }
  }

  /// The threads that are news, under their common numbers; all of them when the process has got
  /// another name.
  private func take(
    threads news: [(index: Int, info: ThreadInfo)]
  ) -> [(index: Int, info: ThreadInfo)] {
    let new = news.filter { threads[$0.index] == nil }
    var number = recording.newThreads(new.count)
    for (index, info) in news {
      if threads[index] == nil {
        threads[index] = (number, info)
        number += 1
      } else {
        threads[index]?.info = info
      }
    }
    let latest = threads.values.first { $0.info.isMain }?.info.name ?? name
    let changed = latest == name ? news.compactMap { threads[$0.index] } : Array(threads.values)
    name = latest
    let process = OwningProcess(pid: pid, name: name)
    return changed.sorted { $0.number < $1.number }.map { number, info in
      var info = info
      info.process = process
      info.firstSeen += shift.rawValue
      info.lastSeen += shift.rawValue
      return (number, info)
    }
  }
}
