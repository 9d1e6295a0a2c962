internal import LinuxProcess

// MARK: - Room in the ring

extension Sampler {
  /// Waits, before any thread is taken hold of, until the resolver has made room for what the next
  /// tick will copy by all that is known.
  ///
  /// Where the resolver gets no CPU, ticks are late then, and no sample is lost.
  func waitForResolver() {
    let isFilling = ring.isFilling
    if isFilling, !hasRung { resolverBell?.ring() }
    hasRung = isFilling
    var all = 0
    var largest = 256 << 10
    for watch in watches {
      let size = max(
        watch.copySize, min(requests.copyLimit(watch.slot), watch.stackRange.count), 256 << 10)
      all += size
      largest = max(largest, size)
    }
    // Three quarters of it are free, in two pieces.
    guard isFilling || largest > ring.byteCapacity / 4 else { return }
    let size = max(min(all, ring.byteCapacity / 4), min(largest, ring.byteCapacity))
    // The resolver waits for what is not handed over.
    runtimes?.confirm(from: memory)
    while !ring.hasRoom(for: size), !control.shouldStop, plan.duration.map({ now < $0 }) ?? true {
      MonotonicClock.sleep(until: MonotonicClock.now() + 1_000_000)
      stops.releaseOverdue()
    }
  }

  /// Gives the resolver up to a tenth of a second to make room; not while anything is stopped.
  func waitForRoom(_ count: Int) {
    // The resolver waits for what is copied and not handed over.
    if !ring.hasRoom(for: count) {
      runtimes?.finish(from: memory)
      runtimes?.confirm(from: memory)
    }
    for _ in 0..<100 where !ring.hasRoom(for: count) {
      MonotonicClock.sleep(until: MonotonicClock.now() + 1_000_000)
    }
  }
}
