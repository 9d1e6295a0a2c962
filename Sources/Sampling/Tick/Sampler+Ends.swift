internal import LinuxProcess
internal import ProfileModel

// MARK: - Threads that have ended

extension Sampler {
  /// Takes the last figures of a thread that has ended and whose entry stays: of a main thread until
  /// its process is collected.
  func noteZombie(_ watch: SampledThread, interval: Weight) {
    watch.isZombie = true
    guard let counters = counters(of: watch) else { return }
    watch.end(interval: interval, counters: counters)
  }

  /// Whether no thread of the program is left but its main thread's entry.
  var isProgramOver: Bool { watches.allSatisfy { $0.hasEnded || $0.isZombie } }

  /// Whether a thread has ended, or is a dead main thread through which nothing can be read any more.
  func isLost(_ watch: SampledThread) -> Bool {
    watch.hasEnded || watch.isZombie && watch.tid == memory.tid
  }

  /// Hands over what the thread's last stack has lasted on.
  func handOver(endOf watch: SampledThread, beforeProgram: Bool) {
    waitForRoom(0)
    guard let (record, _) = ring.reserve(0) else { return }
    record.pointee.kind = .end
    record.pointee.slot = watch.slot
    record.pointee.tid = watch.tid
    record.pointee.time = now
    if let end = watch.end {
      record.pointee.weight = end.weight
      if isProgramOver { record.pointee.time = end.time }
    }
    // Ticks whose sample never came about count for what was seen before.
    record.pointee.repeated = watch.repeated + watch.carried
    record.pointee.counters = watch.counters
    record.pointee.state = beforeProgram ? UInt8(ascii: "X") : 0
    ring.commit()
  }
}
