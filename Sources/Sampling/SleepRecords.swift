internal import BlockingAnalysis
internal import LinuxProcess
internal import NativeUnwinding
internal import ProfileModel

/// A sleep of one thread, as it was looked at, before its functions have names.
struct SleepRecord: Sendable {
  var look: SleepLook
  /// The innermost frames of the stack that the thread sleeps in; empty when they are not known.
  var frames: [Frame]
  /// By `MonotonicClock`.
  let firstSeen: Int64
  var lastSeen: Int64
  var looks = 1
  /// Whether the other ends of its descriptors were searched.
  var knowsPeers = false

  init(_ look: SleepLook, frames: [Frame]) {
    self.look = look
    self.frames = frames
    firstSeen = look.time
    lastSeen = look.time
  }

  /// What is known of the wait's length.
  var length: Int64 { lastSeen - (look.since ?? firstSeen) }

  /// Takes over a later look at the same sleep.
  mutating func extend(by later: SleepLook) {
    // When it fell asleep is known best from the first look: the clocks drift apart.
    let (since, timeLeft) = (look.since, look.wait.timeLeft)
    look = later
    look.since = since ?? later.since
    look.wait.timeLeft = later.wait.timeLeft ?? timeLeft
    lastSeen = later.time
    looks += 1
  }
}

/// A sleeping thread as the resolver knows it.
struct KnownSleep: Sendable {
  let tid: Int32
  let place: SleepPlace
  let frames: [Frame]
  /// How often it was stopped in this sleep, which the kernel counts as running.
  var stops = 0
}

/// The one look at all sleeping threads that a dump takes.
struct SleepSurvey {
  /// For searching who holds the other ends of pipes and sockets, in nanoseconds of CPU time.
  private static let peerTime: Int64 = 200_000_000
  /// Between two looks at a thread that waits for somebody.
  private static let pause: Int64 = 10_000_000

  private let inspector: SleepInspector

  init(pid: Int32, liveThread: Int32) {
    inspector = SleepInspector(pid: pid, liveThread: liveThread)
  }

  /// Looks at each thread that sleeps.
  func begin(_ watches: [ThreadWatch], known: [Int32: KnownSleep]) -> [SleepLook] {
    watches.filter { !$0.hasEnded && !$0.isZombie }.compactMap { watch in
      inspector.look(with: watch.files, knownPlace: known[watch.tid]?.place)
    }
  }

  /// Finds who is at the other ends, and looks at threads that wait for somebody a second time.
  ///
  /// `known` tells the stacks.
  func finish(
    _ looks: inout [SleepLook], _ watches: [ThreadWatch], known: [Int32: KnownSleep]
  ) -> [SleepRecord] {
    let begin = looks.last?.time ?? 0
    var records = looks.map { look in
      let sleep = known[look.thread.tid]
      let isSame = look.place.map { sleep?.place.isSame(as: $0) ?? false } ?? false
      return SleepRecord(look, frames: isSame ? sleep?.frames ?? [] : [])
    }
    addPeers(to: &records)
    let others = inspector.lookAtPeers(
      of: records.map(\.look), budget: Self.peerTime)
    let again = records.indices.filter { records[$0].look.mayHaveOwner }
    if !again.isEmpty || !others.isEmpty { MonotonicClock.sleep(until: begin + Self.pause) }
    inspector.refresh()
    let byThread = Dictionary(watches.map { ($0.tid, $0) }, uniquingKeysWith: { first, _ in first })
    // One that was stopped for its registers meanwhile has run into the stop and back: it is looked
    // at twice from here on.
    var stopped: [Int] = []
    for index in again {
      guard let watch = byThread[records[index].look.thread.tid] else { continue }
      if !lookAgain(at: watch, &records[index]) { stopped.append(index) }
    }
    if !stopped.isEmpty { MonotonicClock.sleep(until: MonotonicClock.now() + Self.pause) }
    for index in stopped {
      guard let watch = byThread[records[index].look.thread.tid] else { continue }
      _ = lookAgain(at: watch, &records[index])
    }
    return records + lookAgain(atPeers: others, of: records)
  }

  private func addPeers(to records: inout [SleepRecord]) {
    var looks = records.map(\.look)
    _ = inspector.findPeers(for: &looks, budget: Self.peerTime)
    for index in records.indices { records[index].look = looks[index] }
  }

  /// Returns false when the thread has run since, and sleeps at the same place: the record then is of
  /// that sleep.
  private func lookAgain(at watch: ThreadWatch, _ record: inout SleepRecord) -> Bool {
    guard
      var later = inspector.look(
        with: watch.files, knownPlace: record.look.place, tellsSince: false)
    else {
      return true
    }
    let isSame = later.isSameSleep(as: record.look)
    guard isSame || later.place.map({ record.look.place?.isSame(as: $0) ?? false }) ?? false else {
      return true
    }
    var looks = [later]
    _ = inspector.findPeers(for: &looks, budget: 0)
    later = looks[0]
    guard isSame else {
      // It fell asleep before the stop, which ended nothing.
      later.goOn(from: record.look, stops: 1)
      record = SleepRecord(later, frames: record.frames)
      return false
    }
    record.extend(by: later)
    return true
  }

  private func lookAgain(atPeers first: [SleepLook], of records: [SleepRecord]) -> [SleepRecord] {
    guard !first.isEmpty else { return [] }
    let later = inspector.lookAtPeers(
      of: records.map(\.look), budget: Self.peerTime)
    let known = Dictionary(
      later.map { ($0.thread.tid, $0) }, uniquingKeysWith: { first, _ in first })
    return first.map { look in
      var record = SleepRecord(look, frames: [])
      if let later = known[look.thread.tid], later.isSameSleep(as: look) {
        record.extend(by: later)
      }
      return record
    }
  }
}
