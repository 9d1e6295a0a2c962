internal import BlockingAnalysis
internal import LinuxProcess
internal import NativeUnwinding
internal import ProfileModel

extension Resolver {
  /// Innermost frames that show what a thread waits for.
  private static let frameLimit = 24

  /// What is known of the threads that were asleep at their last sample, by thread.
  func sleeps() -> [Int32: KnownSleep] {
    var result: [Int32: KnownSleep] = [:]
    result.reserveCapacity(threads.count)
    var frames: [StackID: [Frame]] = [:]
    for thread in threads.values {
      guard let sleep = sleep(of: thread, known: &frames) else { continue }
      result[thread.tid] = sleep
    }
    return result
  }

  /// The threads that have not run for `threshold` at `time`, each once for each sleep.
  ///
  /// Everything that was seen until `time` must have been drained before. Checks the threads ten
  /// times a second, and when it `isLast`: then those too that would have slept for long, had they not
  /// been stopped, and in a short capture those that slept for half of it.
  func takeLongSleeps(
    until time: Nanoseconds, threshold: Nanoseconds, isLast: Bool = false
  ) -> [KnownSleep] {
    guard isLast || time - reportedSleeps >= .milliseconds(100) else { return [] }
    reportedSleeps = time
    let threshold = isLast ? min(threshold, time / 2) : threshold
    var result: [KnownSleep] = []
    var frames: [StackID: [Frame]] = [:]
    for (slot, thread) in threads {
      let last = thread.lastSample
      guard time - last >= threshold || isLast && thread.stops > 0, thread.reportedSleep != last,
        let sleep = sleep(of: thread, known: &frames)
      else { continue }
      threads[slot]?.reportedSleep = last
      result.append(sleep)
    }
    return result
  }

  /// The sleeps with those that go on as they are at `time`, from `startTime`: a thread that has not run since
  /// its sleep was looked at is still in it.
  ///
  /// Everything that was seen until `time` must have been drained before.
  func followed(
    _ records: [SleepRecord], since startTime: MonotonicClock.Instant, until time: Nanoseconds
  ) -> [SleepRecord] {
    let now = startTime + time
    let lastRuns = Dictionary(
      threads.values.lazy.map { ($0.tid, startTime + $0.lastSample) }, uniquingKeysWith: max)
    return records.map { record in
      guard record.sample.thread.pid == folder.process, record.lastSeen < now,
        let lastRun = lastRuns[record.sample.thread.tid], lastRun < record.lastSeen
      else { return record }
      var record = record
      record.goOn(at: now)
      return record
    }
  }

  /// `known` has the frames of stacks that were asked for before.
  private func sleep(
    of thread: ResolvedThread, known: inout [StackID: [Frame]]
  ) -> KnownSleep? {
    guard let call = thread.call else { return nil }
    let stack = thread.pending?.result.stack ?? builder.openStack(of: thread.index)
    let frames = stack.map { known[$0] ?? innermostFrames(of: $0) } ?? []
    if let stack { known[stack] = frames }
    let place = SleepPlace(
      number: call.number, arguments: (0..<6).map { call.arguments[$0] },
      stackPointer: call.stackPointer, pc: call.pc)
    return KnownSleep(tid: thread.tid, place: place, frames: frames, stops: thread.stops)
  }

  private func innermostFrames(of stack: StackID) -> [Frame] {
    var result: [Frame] = []
    var stack = stack
    while result.count < Self.frameLimit, let frame = builder.stacks.innermostFrame(of: stack) {
      result.append(builder.stacks[frame])
      stack = builder.stacks.caller(of: stack)
    }
    return result
  }
}
