internal import ProfileModel

/// What the threads of many processes wait for, put together from the captures of all.
///
/// A capture also samples threads of other processes that its own ones wait for, from outside: it
/// has no stacks of these. Where such a process is captured itself, its own capture knows more.
struct FamilyWaits: Sendable {
  /// What two samples of one thread agree in that found it in the same wait, or in the same again.
  private struct Place: Hashable {
    let pid: Int32
    let tid: Int32
    let systemCall: String?
    let object: RemoteAddress?
    let descriptors: [Int32]

    init(_ blocking: Blocking) {
      pid = blocking.waiter.pid
      tid = blocking.waiter.tid
      systemCall = blocking.wait.systemCall
      object = blocking.wait.object?.address
      descriptors = blocking.wait.descriptors.map(\.number)
    }
  }

  private var own: [Blocking] = []
  private var fromOutside: [Blocking] = []
  /// Indexes into `own`.
  private var places: [Place: [Int]] = [:]

  /// Adds what the capture of the process has seen, on the clock of all.
  mutating func add(_ blockings: [Blocking], capturedBy pid: Int32) {
    for blocking in blockings {
      guard blocking.waiter.pid == pid else {
        fromOutside.append(blocking)
        continue
      }
      places[Place(blocking), default: []].append(own.count)
      own.append(blocking)
    }
  }

  /// All waits in the order in which they were first seen, each once.
  consuming func finish() -> [Blocking] {
    var rest: [Blocking] = []
    for var blocking in fromOutside.sorted(by: { $0.firstSeen < $1.firstSeen }) {
      let known = places[Place(blocking)] ?? []
      if let same = known.last(where: { own[$0].isSameSleep(as: blocking) }) {
        own[same].extend(by: blocking)
        continue
      }
      if let last = known.max(by: { own[$0].lastSeen < own[$1].lastSeen }) {
        // It waits there again: what for, its stack has shown.
        blocking.wait.kind = own[last].wait.kind
        blocking.wait.object = own[last].wait.object
      }
      rest.append(blocking)
    }
    return (own + rest).sorted { $0.firstSeen < $1.firstSeen }
  }
}

extension Blocking {
  /// Whether the thread has not run between the samples of both waits, which are at one place.
  fileprivate func isSameSleep(as other: Blocking) -> Bool {
    // It slept from `since` to `lastSeen` without a break: two such times that overlap are of one sleep.
    min(since ?? firstSeen, firstSeen) <= other.lastSeen
      && min(other.since ?? other.firstSeen, other.firstSeen) <= lastSeen
  }

  /// Takes over samples from outside of the same sleep.
  fileprivate mutating func extend(by other: Blocking) {
    since = since ?? other.since
    if other.lastSeen > lastSeen { wait.timeLeft = other.wait.timeLeft ?? wait.timeLeft }
    firstSeen = min(firstSeen, other.firstSeen)
    lastSeen = max(lastSeen, other.lastSeen)
    samples += other.samples
  }
}
