internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// Paces the looks at what threads wait for by what their runtimes say, while a capture goes on.
///
/// One look reads some memory of each thread that may wait for such a lock; the tracer takes it between two
/// rounds of samples, so that it may not take long in all.
struct RuntimeLockLooks {
  /// The part of the time that looks may take: where threads were seen to wait for each other, and else.
  private static let (heldShare, quietShare) = (Int64(33), Int64(400))

  private var next = Nanoseconds(0)
  /// Whether the last look found threads that wait for a lock.
  private(set) var foundWaits = false

  /// What threads wait for at this moment; nil where it is not time to look.
  mutating func look(
    _ runtimes: [AttachedRuntime], _ memory: ProcessMemory, at time: Nanoseconds
  ) -> [Int32: RuntimeWait]? {
    guard !runtimes.isEmpty, time >= next else { return nil }
    let before = OwnUsage.threadCPU()
    let waits = RuntimeWaitSurvey.ofOneMoment(RuntimeWaitSurvey.read(runtimes, memory))
    let cost = OwnUsage.threadCPU() - before
    // A lock of Python's whose owner was not found is one all the same.
    foundWaits = waits.values.contains { $0.isForLock || $0.flavor == .python }
    next = time + cost * (foundWaits ? Self.heldShare : Self.quietShare)
    return waits
  }
}
