package import ProfileModel

extension Profile {
  /// The part of a capture between two times, as a capture of its own: its times count from its beginning.
  ///
  /// What it cost remains that of the whole capture, whose length it says.
  package func window(from: Int64, to: Int64) -> Profile {
    let from = min(max(0, from), max(0, capture.duration))
    let to = max(from, min(to, max(0, capture.duration)))
    guard from > 0 || to < capture.duration else { return self }
    var filter = ProfileFilter()
    filter.from = from
    filter.to = to
    var part = filter.apply(to: self)
    part.capture.notes = capture.notes
    part.move(by: from, to: to &- from)
    return part
  }

  /// Makes times count from `start` on; `duration` is what is left.
  private mutating func move(by start: Int64, to duration: Int64) {
    capture.startTime += Double(start) / 1e9
    capture.duration = duration
    var moved = RunList()
    for run in runs {
      moved.append(
        Run(
          thread: run.thread, stack: run.stack, end: run.end, activity: run.activity,
          start: run.start &- start, weight: run.weight, unseenSleeps: run.unseenSleeps))
    }
    runs = moved
    waitHistory = waitHistory.shifted(by: 0 &- start)
    for index in capture.freezes.indices {
      capture.freezes[index].start &-= start
      capture.freezes[index].end &-= start
    }
    for thread in threads.indices {
      threads[thread].firstSeen = max(0, threads[thread].firstSeen &- start)
      threads[thread].lastSeen = max(0, threads[thread].lastSeen &- start)
    }
    for index in blockings.indices {
      // A wait may have begun before.
      blockings[index].since = blockings[index].since.map { $0 &- start }
      blockings[index].firstSeen = max(0, blockings[index].firstSeen &- start)
      blockings[index].lastSeen = min(duration, blockings[index].lastSeen &- start)
    }
  }
}
