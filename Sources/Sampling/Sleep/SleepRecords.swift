internal import BlockingAnalysis
internal import LinuxProcess
internal import NativeUnwinding
internal import ProfileModel
internal import RuntimeReading

/// A sleep of one thread, as it was sampled, before its functions have names.
struct SleepRecord: Sendable {
  var sample: SleepSample
  /// The innermost frames of the stack that the thread sleeps in; empty when they are not known.
  var frames: [Frame]
  let firstSeen: MonotonicClock.Instant
  var lastSeen: MonotonicClock.Instant
  var samples = 1
  /// Counts what was found out anew of it, but for how long it lasts.
  private(set) var revision = 0
  /// Whether the other ends of its descriptors were searched.
  var knowsPeers = false
  /// What it is by what the thread's runtime says; nil where that was not asked, or does not know.
  var runtimeWait: RuntimeWait? {
    didSet { if oldValue != runtimeWait { revision += 1 } }
  }

  init(_ sample: SleepSample, frames: [Frame]) {
    self.sample = sample
    self.frames = frames
    firstSeen = sample.time
    lastSeen = sample.time
  }

  /// The same of a sleep that was seen before, and lasted at `earlier`.
  init(_ sample: SleepSample, frames: [Frame], seenAt earlier: MonotonicClock.Instant) {
    self.sample = sample
    self.frames = frames
    firstSeen = min(earlier, sample.time)
    lastSeen = sample.time
    samples = 2
  }

  /// The record with the stack of `sleep`; nil where the thread was last seen to do something else, so that
  /// its stack and this wait would be of two moments.
  func belonging(to sleep: KnownSleep?) -> SleepRecord? {
    guard let sleep else { return nil }
    var result = self
    // Without a stack there is nothing to compare.
    guard let place = sample.place, sleep.place.stackPointer.rawValue != 0 else { return result }
    guard sleep.place.isSameWait(as: place) else { return nil }
    result.frames = sleep.frames
    return result
  }

  /// What a next sample may start from.
  var hint: SleepHint { SleepHint(place: sample.place, hasStack: SleepHint.suffices(frames)) }

  /// What is known of the wait's length.
  var length: Nanoseconds { lastSeen - (sample.since ?? firstSeen) }

  /// Takes over a later sample of the same sleep.
  mutating func extend(by later: SleepSample) {
    // When it fell asleep is known best from the first sample: the clocks drift apart.
    let since = sample.since
    let timeLeft = timeLeft(at: later.time)
    sample = later
    sample.since = since ?? later.since
    sample.wait.timeLeft = later.wait.timeLeft ?? timeLeft
    lastSeen = later.time
    samples += 1
    revision += 1
  }

  /// Takes over who is at the other ends, as of the same moment.
  mutating func takePeers(of found: SleepSample) {
    sample = found
    knowsPeers = true
    revision += 1
  }

  /// Notes that the same sleep goes on, of which nothing else has changed.
  mutating func goOn(at time: MonotonicClock.Instant) {
    sample.wait.timeLeft = timeLeft(at: time)
    sample.time = time
    lastSeen = time
    samples += 1
  }

  /// The time left of the wait, as of `time`.
  private func timeLeft(at time: MonotonicClock.Instant) -> Int64? {
    sample.wait.timeLeft.map { max(0, $0 - max(0, (time - sample.time).rawValue)) }
  }
}

/// A sleeping thread as the resolver knows it.
struct KnownSleep: Sendable {
  let tid: Int32
  let place: SleepPlace
  let frames: [Frame]
  /// How often it was stopped in this sleep, which the kernel counts as running.
  var stops = 0

  /// What a sample may start from; `switches` are the thread's when it was seen to sleep so.
  func hint(switches: UInt64? = nil) -> SleepHint {
    SleepHint(place: place, switches: switches, hasStack: SleepHint.suffices(frames))
  }
}

extension SleepHint {
  /// Whether a stack says more than where it begins.
  static func suffices(_ frames: [Frame]) -> Bool { frames.count > 2 }
}

/// The one sample of all sleeping threads that a dump takes.
struct SleepSurvey {
  /// CPU time for searching who holds the other ends of pipes and sockets.
  private static let peerTime = Nanoseconds.milliseconds(200)
  /// Between two samples of a thread that waits for somebody.
  private static let pause = Nanoseconds.milliseconds(10)

  /// From how many threads on two of ours sample them, half each.
  private static let shared = 200

  private let folder: TaskFolder
  private let liveThread: ProcessIdentity
  private let inspector: SleepInspector
  /// When all threads had been sampled for their stacks.
  private let begin: MonotonicClock.Instant

  /// Wanted between the samples for stacks and the stops that these ask for: a thread's sleep ends with
  /// its stop.
  init(_ folder: TaskFolder, liveThread: ProcessIdentity) {
    self.folder = folder
    self.liveThread = liveThread
    inspector = SleepInspector(folder, liveThread: liveThread)
    begin = MonotonicClock.now()
  }

  /// Samples each thread that sleeps; `known` has the stacks.
  func samples(_ threads: [SampledThread], known: [Int32: KnownSleep]) -> [SleepRecord] {
    let isShared = threads.count >= Self.shared
    let half = isShared ? threads.count / 2 : threads.count
    let first = SleepSamples(threads[..<half], known: known, begin: begin, inspector: inspector)
    guard isShared else {
      first.take()
      return first.records
    }
    let rest = SleepSamples(
      threads[half...], known: known, begin: begin,
      inspector: SleepInspector(folder, liveThread: liveThread))
    var helper = try? OSThread.startTracer { rest.take() }
    first.take()
    if let helper = helper.take() { helper.join() } else { rest.take() }
    return first.records + rest.records
  }

  /// The threads that may hold locks of others, and slept elsewhere when their stacks were copied.
  static func lateOwners(in records: [SleepRecord], stacks: [Int32: KnownSleep]) -> Set<Int32> {
    let places = Dictionary(
      records.map { ($0.sample.thread.tid, $0.sample.place) },
      uniquingKeysWith: { first, _ in first })
    let owners = records.flatMap { $0.sample.possibleOwners }
    return Set(owners).filter { owner in
      guard let stack = stacks[owner] else { return false }
      guard let place = places[owner].flatMap({ $0 }) else { return true }
      return !stack.place.isSameWait(as: place)
    }
  }

  /// Finds who is at the other ends, and samples a second time the threads that may be in a cycle.
  ///
  /// `known` has the stacks that were found meanwhile.
  func finish(
    _ first: [SleepRecord], _ threads: [SampledThread], known: [Int32: KnownSleep]
  ) -> [SleepRecord] {
    let time = first.last?.sample.time ?? .distantPast
    var records = first.compactMap { $0.belonging(to: known[$0.sample.thread.tid]) }
    addPeers(to: &records)
    let others = inspector.inspectPeers(
      of: records.map(\.sample), budget: Self.peerTime)
    let suspects = CycleSuspects(records.map(\.sample) + others).indexes
    guard !suspects.isEmpty else { return records + others.map { SleepRecord($0, frames: []) } }
    MonotonicClock.sleep(until: time + Self.pause)
    inspector.refresh()
    sampleAgain(at: suspects.filter { $0 < records.count }, &records, threads)
    return records + sampleAgain(atPeers: others, of: records)
  }

  private func sampleAgain(
    at suspects: [Int], _ records: inout [SleepRecord], _ threads: [SampledThread]
  ) {
    let byThread = Dictionary(threads.map { ($0.tid, $0) }, uniquingKeysWith: { first, _ in first })
    // One that was stopped for its registers meanwhile has run into the stop and back: it is sampled
    // twice from here on.
    var stopped: [Int] = []
    for index in suspects {
      // Of these only samples of the whole wait count, its owners included.
      records[index] = SleepRecord(records[index].sample, frames: records[index].frames)
      guard let thread = byThread[records[index].sample.thread.tid] else { continue }
      if !sampleAgain(at: thread, &records[index]) { stopped.append(index) }
    }
    if !stopped.isEmpty { MonotonicClock.sleep(for: Self.pause) }
    for index in stopped {
      guard let thread = byThread[records[index].sample.thread.tid] else { continue }
      _ = sampleAgain(at: thread, &records[index])
    }
  }

  private func addPeers(to records: inout [SleepRecord]) {
    var samples = records.map(\.sample)
    _ = inspector.findPeers(for: &samples, budget: Self.peerTime)
    for index in records.indices { records[index].sample = samples[index] }
  }

  /// Returns false when the thread has run since, and sleeps at the same place: the record then is of
  /// that sleep.
  private func sampleAgain(at thread: SampledThread, _ record: inout SleepRecord) -> Bool {
    guard
      var later = inspector.sample(with: thread.files, known: record.hint, findsStart: false)
    else {
      return true
    }
    let isSame = later.isSameSleep(as: record.sample)
    guard isSame || later.place.map({ record.sample.place?.isSame(as: $0) ?? false }) ?? false
    else {
      return true
    }
    var samples = [later]
    _ = inspector.findPeers(for: &samples, budget: 0)
    later = samples[0]
    guard isSame else {
      // It fell asleep before the stop, which ended nothing.
      later.goOn(from: record.sample, stops: 1)
      record = SleepRecord(later, frames: record.frames)
      return false
    }
    record.extend(by: later)
    return true
  }

  private func sampleAgain(atPeers first: [SleepSample], of records: [SleepRecord]) -> [SleepRecord]
  {
    guard !first.isEmpty else { return [] }
    let later = inspector.inspectPeers(
      of: records.map(\.sample), budget: Self.peerTime)
    let known = Dictionary(
      later.map { ($0.thread.tid, $0) }, uniquingKeysWith: { first, _ in first })
    return first.map { sample in
      var record = SleepRecord(sample, frames: [])
      if let later = known[sample.thread.tid], later.isSameSleep(as: sample) {
        record.extend(by: later)
      }
      return record
    }
  }
}

/// Samples some of the threads; by one thread of ours, whichever it is.
private final class SleepSamples: @unchecked Sendable {
  // Sendable: `take` is called by one thread, and what it found is read when that has ended. What it
  // reads of the threads is changed by nobody meanwhile.
  private let threads: ArraySlice<SampledThread>
  private let known: [Int32: KnownSleep]
  private let begin: MonotonicClock.Instant
  private let inspector: SleepInspector
  private(set) var records: [SleepRecord] = []

  init(
    _ threads: ArraySlice<SampledThread>, known: [Int32: KnownSleep], begin: MonotonicClock.Instant,
    inspector: SleepInspector
  ) {
    self.threads = threads
    self.known = known
    self.begin = begin
    self.inspector = inspector
  }

  func take() { records = threads.compactMap(sample) }

  private func sample(_ thread: SampledThread) -> SleepRecord? {
    guard thread.isAlive else { return nil }
    let switches = thread.wasAsleep ? thread.counters.switches : nil
    let sleep = known[thread.tid]
    let hint = sleep?.hint(switches: switches) ?? SleepHint()
    guard let sample = inspector.sample(with: thread.files, known: hint) else { return nil }
    guard let sleep, switches == sample.switches else { return SleepRecord(sample, frames: []) }
    // It has not run since its stack was copied.
    return SleepRecord(sample, frames: sleep.frames, seenAt: begin)
  }
}
