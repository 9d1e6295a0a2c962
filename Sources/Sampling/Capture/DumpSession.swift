internal import BlockingAnalysis
internal import LinuxProcess
internal import ProfileModel
internal import Synchronization

/// A capture under way that samples each thread once.
final class DumpSession: @unchecked Sendable {
  // Sendable: `sleeps`, `tasks` and `places` are the tracer thread's until that was joined; all else is the
  // pipeline's.
  private let pipeline: SamplePipeline
  private let isSampled = Atomic<Bool>(false)
  /// Whether the resolver's thread has ended, so that the tracer's may use the resolver.
  private let isDrained = Atomic<Bool>(false)
  private var sleeps: [SleepRecord] = []
  private var tasks: AsyncTasks?
  /// Where the threads slept whose stacks the profile has.
  private(set) var places: [Int32: SleepPlace] = [:]

  private var sampler: Sampler { pipeline.sampler }
  private var resolver: Resolver { pipeline.resolver }

  init(_ pipeline: SamplePipeline) { self.pipeline = pipeline }

  @available(*, noasync, message: "blocks until all threads were sampled")
  func run() throws(SystemError) -> FinishedCapture {
    let info = pipeline.beginning(.dump)
    try sample()
    return pipeline.finish(
      info, ending: .once, notes: CaptureNotes.notes(of: pipeline), sleeps: sleeps,
      tasks: tasks.map { [$0] } ?? [])
  }

  /// In a program with more threads the stacks are unwound while the next are copied.
  private static let largeProgram = 64

  private func sample() throws(SystemError) {
    let isLarge = pipeline.target.folder.count() ?? 0 > Self.largeProgram
    isDrained.store(!isLarge, ordering: .releasing)
    var resolving = isLarge ? try OSThread.start { [self] in drainUntilSampled() } : nil
    defer { resolving.take()?.join() }
    defer { isSampled.store(true, ordering: .releasing) }
    try OSThread.startTracer { [self] in trace() }.join()
  }

  private func drainUntilSampled() {
    while !isSampled.load(ordering: .acquiring) {
      resolver.drain()
      MonotonicClock.sleep(for: .microseconds(500))
    }
    isDrained.store(true, ordering: .releasing)
  }

  private func trace() {
    sampler.sampleOnce()
    sampler.runtimes?.noteLockHolders(memory: sampler.memory)
    // What follows takes longer than a thread may be held.
    sampler.releaseAll()
    isSampled.store(true, ordering: .releasing)
    while !isDrained.load(ordering: .acquiring) {
      MonotonicClock.sleep(for: .microseconds(50))
    }
    resolver.drain()
    let naming = startNaming()
    inspectSleeps()
    sampler.runtimes?.census(memory: sampler.memory) { sampler.now }
    naming?.takeTime()
    tasks = sampler.readTasks()
    naming?.finish()
  }

  /// Looks up the names of the frames that are known by now.
  private func startNaming() -> EarlyNames? {
    guard pipeline.membership.namesEarly else { return nil }
    let frames = resolver.builder.openFrames
    let early = EarlyNames(
      pipeline.names, of: frames, files: files(of: frames, in: resolver.modules))
    early.start()
    return early
  }

  private func sampleAgain(tick: Int64) {
    for _ in 0..<100 where sampler.sampleAgain(tick: tick) { resolver.drain() }
  }

  /// Inspects what threads wait for, and samples those again of which the resolver wants more.
  private func inspectSleeps() {
    // Before threads are stopped whose registers are wanted: their sleep ends with that.
    let survey = SleepSurvey(
      pipeline.target.folder, liveThread: pipeline.target.liveThread)
    let stacks = resolver.sleeps()
    let samples = survey.samples(sampler.threads, known: stacks)
    sampleAgain(tick: 1)
    // Who has got a lock since its stack was copied is shown with the stack in which it holds it.
    let late = SleepSurvey.lateOwners(in: samples, stacks: stacks)
    if !late.isEmpty {
      for thread in sampler.threads where late.contains(thread.tid) {
        sampler.requests.ask(ThreadRequests.longerCopy, of: thread.slot)
      }
      sampleAgain(tick: 2)
    }
    sampler.finish()
    resolver.drain()
    let known = resolver.sleeps()
    places = known.mapValues(\.place)
    sleeps = survey.finish(samples, sampler.threads, known: known)
  }
}
