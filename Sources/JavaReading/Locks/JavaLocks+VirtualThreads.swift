internal import ProfileModel
internal import RuntimeReading

/// Locks that virtual threads hold and wait for.
extension JavaLocks {
  /// The number by which a virtual thread is told from others that no thread runs: below 0, as the kernel has
  /// none for it.
  ///
  /// Nil for one of those that come after the first two thousand million.
  static func virtualNumber(_ number: UInt64) -> Int32? {
    number > 0 && number <= UInt64(Int32.max) ? -Int32(number) : nil
  }

  /// The thread of an object: that of the kernel, also where it runs a virtual one; of a virtual thread that
  /// no thread runs its number.
  func number(ofThread object: RemoteAddress) -> Int32? {
    guard let classes = virtualThreads, objects.classOf(object, memory) == classes.virtualThread
    else { return kernelThread(of: object) }
    if let carrier = objects.reference(at: object + classes.carrier, memory) {
      return kernelThread(of: carrier)
    }
    return memory.value(at: object + classes.number, as: UInt64.self).flatMap(Self.virtualNumber)
  }

  func kernelThread(of object: RemoteAddress) -> Int32? {
    objects.thread(ofObject: object, memory).flatMap { byAddress[$0]?.tid }
  }

  /// What a virtual thread waits for that no thread runs; nil where it said nothing.
  mutating func wait(of record: VirtualThreadRecord) -> RuntimeWait? {
    guard case .waiting = record.state else { return nil }
    if let monitor = record.monitorWaiter.flatMap({ self.monitor(of: $0, record) }) {
      return record.stateName == "BLOCKED" ? pending(monitor) : notified(on: monitor)
    }
    return record.blocker.map { blocker in
      parked(blocker, Self.virtualNumber(record.number) ?? 0)
    }
  }

  /// The monitor that a virtual thread is in a queue of: the queue's entry leads to both
  /// (src/hotspot/share/runtime/objectMonitor.hpp, `ObjectWaiter`).
  private func monitor(of waiter: RemoteAddress, _ record: VirtualThreadRecord) -> RemoteAddress? {
    guard let entry = memory.bytes(at: waiter, count: 40), let thread = entry.address(at: 24),
      objects.object(at: thread, memory) == record.address,
      let monitor = entry.address(at: 32), object(of: monitor) != nil
    else { return nil }
    return monitor
  }

  /// A thread in `Object.wait`.
  private func notified(on monitor: RemoteAddress) -> RuntimeWait {
    RuntimeWait(
      kind: .conditionVariable, flavor: .monitor, object: monitor,
      type: object(of: monitor).flatMap { objects.lockName(of: $0, memory) }, owner: nil)
  }
}
