internal import LinuxProcess
internal import ProfileModel

// MARK: - Room in the ring

extension Sampler {
  /// The stack bytes that the next tick will copy by all that is known: of all threads, and of the one
  /// that needs most.
  func expectedCopies() -> (all: Int, largest: Int) {
    var all = 0
    var largest = 256 << 10
    for thread in threads {
      let limit = min(requests.copyLimit(thread.slot), thread.stack.size)
      let size = max(thread.stack.copySize, limit, 256 << 10)
      all += size
      largest = max(largest, size)
    }
    return (all, largest)
  }

  /// Gives the resolver up to a tenth of a second to make room; not while anything is stopped.
  func waitForRoom(_ count: Int) {
    // The resolver waits for what is copied and not handed over.
    if !ring.hasRoom(for: count) {
      runtimes?.finish(from: memory)
      runtimes?.confirm(from: memory)
      settleMappings()
    }
    for _ in 0..<100 where !ring.hasRoom(for: count) {
      MonotonicClock.sleep(for: .milliseconds(1))
    }
  }
}
