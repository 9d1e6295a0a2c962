internal import LinuxProcess
internal import ProfileModel
internal import Synchronization

/// The sleeps of a capture under way before they have names.
struct UnnamedSleeps: Sendable {
  let records: [SleepRecord]
  let waits: [WaitFeed.Span]
  let modules: AnsweredModules
  let startTime: MonotonicClock.Instant
  /// Where threads sleep that wait for an interpreter's lock.
  let interpreterLocks: [Range<RemoteAddress>]
  let pid: Int32
}

/// Hands what a capture under way sees to a live view, with names, on a thread of its own: reading debug
/// data holds up neither the tracer nor the resolver.
final class LiveRecording: GrowthReceiver, @unchecked Sendable {
  // Sendable: `names` and `namedSleeps` are used by the recording thread alone until `finish` has joined it.
  private struct Work {
    var growth: ProfileGrowth
    var files: [ModuleID: MappedFile] = [:]
    var sleeps: UnnamedSleeps?
  }

  static let period = Nanoseconds.milliseconds(500)
  let wantsEnd = true
  let feed: WaitFeed? = WaitFeed()

  private let names: FrameNames
  private let receive: @Sendable (LiveGrowth) -> Void
  private let waiting = Mutex<Work?>(nil)
  private let isFinished = Atomic<Bool>(false)
  private let isBusy = Atomic<Bool>(false)
  /// Rung when there is work.
  private let bell = Waker()
  private var handle: OSThread.Handle?
  private var namedSleeps = NamedSleeps()
  /// The resolver's: up to when it has handed over.
  private var lastTime: Nanoseconds = 0

  init(names: FrameNames, receive: @escaping @Sendable (LiveGrowth) -> Void) {
    self.names = names
    self.receive = receive
  }

  func start() throws(SystemError) {
    handle = try OSThread.start { [self] in run() }
  }

  func finish() {
    isFinished.store(true, ordering: .releasing)
    bell.wake()
    handle.take()?.join()
  }

  func isDue(at time: Nanoseconds) -> Bool {
    time - lastTime >= Self.period && !isBusy.load(ordering: .acquiring)
      && waiting.withLock { $0 == nil }
  }

  func take(_ growth: ProfileGrowth, files: [ModuleID: MappedFile]) {
    if let capture = growth.capture { lastTime = Nanoseconds(capture.duration) }
    waiting.withLock { work in
      // At the end the last may not be worked off.
      guard let earlier = work?.growth else {
        work = Work(growth: growth, files: files)
        return
      }
      work?.growth = earlier.followed(by: growth)
      work?.files.merge(files) { known, _ in known }
    }
  }

  func take(_ sleeps: UnnamedSleeps) {
    waiting.withLock { $0?.sleeps = sleeps }
    bell.wake()
  }

  private func run() {
    while true {
      let isLast = isFinished.load(ordering: .acquiring)
      let work = waiting.withLock { work in
        work?.sleeps != nil || isLast ? work.take() : nil
      }
      if let work {
        isBusy.store(true, ordering: .releasing)
        hand(over: work.growth, work)
        isBusy.store(false, ordering: .releasing)
      } else if isLast {
        return
      } else {
        bell.wait(until: MonotonicClock.now() + .milliseconds(500))
      }
    }
  }

  private func hand(over growth: ProfileGrowth, _ work: Work) {
    var live = LiveGrowth(growth: growth)
    names.exclusively {
      names.add(work.files)
      live.growth.symbols = names.resolve(growth.frames.map(\.frame))
      guard let sleeps = work.sleeps else { return }
      var sleepNames = SleepNames(
        modules: sleeps.modules, names: names, startTime: sleeps.startTime,
        interpreterLocks: sleeps.interpreterLocks)
      namedSleeps.begin([growth.modules.count, sleeps.interpreterLocks.count])
      live.blockings = sleepNames.blockings(
        of: sleeps.records, pid: sleeps.pid, known: &namedSleeps)
      namedSleeps.finish()
      live.waits = sleeps.waits.map { span in
        LiveGrowth.WaitSpan(
          tid: span.tid, wait: sleepNames.named(span.wait), start: span.start, end: span.end)
      }
    }
    receive(live)
  }
}

extension ProfileGrowth {
  /// This and what came after it.
  fileprivate func followed(by later: ProfileGrowth) -> ProfileGrowth {
    var result = self
    result.capture = later.capture ?? capture
    result.programStart = later.programStart ?? programStart
    result.modules = later.modules
    result.threads += later.threads
    result.frames += later.frames
    result.stacks.merge(later.stacks) { known, _ in known }
    result.runs += later.runs
    return result
  }
}
