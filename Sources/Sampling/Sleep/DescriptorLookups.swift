internal import BlockingAnalysis
internal import LinuxProcess
internal import ProfileModel
internal import Synchronization

/// The descriptors that threads wait on, and what was found of each: the tracer asks, the thread that
/// watches long sleeps looks.
final class DescriptorLookups: Sendable {
  /// What a descriptor was for some time; its number may be given to another file.
  struct Version: Sendable {
    let number: Int
    let descriptor: WaitDescriptor
    /// Those who alone can end a wait on it; empty where not all are known.
    let owners: [WaitOwner]
    let first: Int64
    var last: Int64
  }

  private struct Key: Hashable {
    let number: Int32
    let events: String?
  }

  private struct State: Sendable {
    var versions: [Key: [Version]] = [:]
    /// Those that the tracer has met since the last look.
    var wanted: Set<Key> = []
    var count = 0
  }

  /// The most descriptors, and the most versions of each.
  private static let limit = 1024
  private static let versionLimit = 64
  /// Between two looks.
  static let period = Nanoseconds.seconds(1)

  private let state = Mutex(State())
  /// Rung when a descriptor is wanted for the first time.
  let bell = Waker()
  private let startTime = Mutex(MonotonicClock.Instant.distantPast)

  /// Sets the moment from which times count.
  func begin(at time: MonotonicClock.Instant) { startTime.withLock { $0 = time } }

  /// Asks for a descriptor.
  func want(_ descriptor: WaitDescriptor) {
    let key = Key(number: descriptor.number, events: descriptor.events)
    let isNew = state.withLock { state in
      guard state.versions[key] != nil || state.versions.count < Self.limit else { return false }
      let isNew = state.versions[key] == nil && !state.wanted.contains(key)
      state.wanted.insert(key)
      return isNew
    }
    if isNew { bell.wake() }
  }

  /// Whether the tracer has met a descriptor since the last look.
  var isWanted: Bool { state.withLock { !$0.wanted.isEmpty } }

  /// Whether the tracer has met a descriptor of which nothing is known.
  var hasNew: Bool {
    state.withLock { state in state.wanted.contains { state.versions[$0] == nil } }
  }

  /// Looks at the descriptors that were met since the last look.
  ///
  /// Returns false where who holds their other ends takes another turn to find. The processes that do
  /// are noted in `peers`.
  func look(with inspector: SleepInspector, budget: Nanoseconds, _ peers: PeerRequests?) -> Bool {
    let wanted = state.withLock { Array($0.wanted) }
    guard !wanted.isEmpty else { return true }
    let now = (MonotonicClock.now() - startTime.withLock { $0 }).rawValue
    let asked = wanted.map { (number: $0.number, isWritten: $0.events == "writable") }
    guard let found = inspector.describe(asked, budget: budget) else { return false }
    state.withLock { state in
      for (key, result) in zip(wanted, found) {
        peers?.note(result.owners)
        state.wanted.remove(key)
        add(
          result.descriptor, result.owners, at: now, to: &state.versions[key, default: []],
          &state.count)
      }
    }
    return true
  }

  private func add(
    _ descriptor: WaitDescriptor, _ owners: [WaitOwner], at time: Int64,
    to versions: inout [Version], _ count: inout Int
  ) {
    if let last = versions.indices.last, versions[last].descriptor.name == descriptor.name,
      versions[last].owners == owners
    {
      versions[last].last = time
      return
    }
    guard versions.count < Self.versionLimit else { return }
    count += 1
    versions.append(
      Version(number: count, descriptor: descriptor, owners: owners, first: time, last: time))
  }

  /// What a descriptor was in a time: all looks agree, or one was in that time or near it.
  func version(of descriptor: WaitDescriptor, from: Int64, until: Int64) -> Version? {
    let key = Key(number: descriptor.number, events: descriptor.events)
    let versions = state.withLock { $0.versions[key] ?? [] }
    if versions.count == 1 { return versions[0] }
    return versions.first { $0.first <= until && $0.last >= from }
  }
}
