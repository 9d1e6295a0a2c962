internal import LinuxProcess
internal import ProfileModel

extension PythonThreadReader {
  /// So many innermost frames have their functions in any case.
  private static let shallow = 256

  /// Copies all that a sample takes; false when there was no time for it.
  func copyAll(
    from memory: some TargetMemory, reads: Int, until deadline: MonotonicClock.Instant,
    isStopped: Bool
  ) -> Bool {
    let limit = copies.readCount.addingReportingOverflow(reads)
    let last = limit.overflow ? Int.max : limit.partialValue
    if !isStopped { isConsistent = false }
    if walk.isUntouched, copies.readCount < last {
      copies.copy(plan.ranges, from: memory)
      leastBytes = max(Self.leastBytes, copies.byteCount + Self.innermostSize)
    }
    guard copyFrames(from: memory, upTo: last, until: deadline),
      copyFunctions(from: memory, upTo: last, until: deadline)
    else {
      if isStopped { copyInnermostFunctions(from: memory, upTo: last) }
      return false
    }
    copyTasks(from: memory, upTo: last, until: deadline)
    return true
  }

  private func copyFrames(
    from memory: some TargetMemory, upTo last: Int, until deadline: MonotonicClock.Instant
  ) -> Bool {
    var next = walk.advance(in: copies, until: deadline)
    while let want = next {
      guard copies.readCount < last, hasTime(until: deadline) else { return false }
      next = read(want, from: memory, until: deadline)
    }
    return !walk.isGoing
  }

  private func copyFunctions(
    from memory: some TargetMemory, upTo last: Int, until deadline: MonotonicClock.Instant
  ) -> Bool {
    for _ in 0..<Self.readsOfFunction {
      guard let wanted = missingOfFunctions(until: deadline) else { return false }
      guard !wanted.isEmpty else { break }
      guard copyFunctions(wanted, from: memory, upTo: last, until: deadline) else { return false }
    }
    return true
  }

  /// A code object takes three reads: its record, its strings' headers, the rest of long ones.
  private static let readsOfFunction = 4

  /// Where there was no time for all: a stack without the names of its innermost functions is of no use.
  private func copyInnermostFunctions(from memory: some TargetMemory, upTo last: Int) {
    for _ in 0..<Self.readsOfFunction where copies.readCount < last {
      seen.removeAll(keepingCapacity: true)
      let wanted = missing(of: innermostCodes, until: .distantFuture) ?? []
      guard !wanted.isEmpty else { return }
      let part = Array(Self.part(of: wanted[...], size: Self.innermostSize))
      askedFirst += part
      for range in copies.copy(part, from: memory) { unreadable.insert(range.start) }
    }
  }

  /// The code objects of the innermost frames.
  var innermostCodes: some Sequence<RemoteAddress> {
    walk.frames.prefix(Self.shallow).lazy.map(\.code)
  }

  private static let innermostSize = 1 << 18

  /// Copies what functions take, a part at a time; false when there is no more time.
  private func copyFunctions(
    _ wanted: [MemoryRange], from memory: some TargetMemory, upTo last: Int,
    until deadline: MonotonicClock.Instant
  ) -> Bool {
    var rest = wanted[...]
    while !rest.isEmpty {
      guard copies.readCount < last, hasTime(until: deadline) else { return false }
      let part = Array(Self.part(of: rest))
      rest = rest.dropFirst(part.count)
      asked += part
      for range in copies.copy(part, from: memory) { unreadable.insert(range.start) }
    }
    return true
  }

  /// Follows the tasks that wait for the running one, once all else is there.
  ///
  /// What there is no time for is read next time.
  private func copyTasks(
    from memory: some TargetMemory, upTo last: Int, until deadline: MonotonicClock.Instant
  ) {
    guard let places = reader.taskPlaces else { return }
    areTasksCut = true
    func hasTime() -> Bool { copies.readCount < last && MonotonicClock.now() < deadline }
    var lost: [MemoryRange] = []
    for _ in 0..<PythonTaskChain.readLimit {
      tasks.wants.next(without: lost)
      let wanted = tasks.advance(from: walk.frames, of: thread, reader.runtime, places, in: copies)
      guard !wanted.isEmpty else { break }
      guard hasTime() else { return }
      asked += wanted
      lost = copies.copy(wanted, from: memory)
    }
    tasks.wants.next(without: lost)
    for _ in 0..<4 {
      guard let wanted = missingOfTasks(until: deadline) else { return }
      areTasksCut = !wanted.isEmpty
      guard areTasksCut, hasTime(),
        copyFunctions(wanted, from: memory, upTo: last, until: deadline)
      else { return }
    }
  }

  /// What a stack of some hundred frames takes is read in any case, also behind a plan of a deeper one:
  /// time may have gone by because this process did not get a CPU.
  private func hasTime(until deadline: MonotonicClock.Instant) -> Bool {
    (copies.readCount < Self.leastReads && copies.byteCount < leastBytes)
      || MonotonicClock.now() < deadline
  }

  private static let leastReads = 12
  private static let leastBytes = 1 << 20

  /// Reads what the walk waits for, and gives what it waits for next.
  ///
  /// The walk is asked once for each piece: it learns from how far the last one led.
  private func read(
    _ want: PythonWant, from memory: some TargetMemory, until deadline: MonotonicClock.Instant
  ) -> PythonWant? {
    // Of a deep stack all functions are asked for at the end, not again with each piece of it.
    let missing = walk.frames.count < Self.shallow ? missingOfFunctions() ?? [] : []
    let more = Array(Self.part(of: missing[...]))
    asked.append(want.range)
    asked += more
    asked += want.below
    asked += want.above
    copies.copy([want.range] + more, andIfThere: want.below, from: memory)
    if !want.above.isEmpty { copies.copy([], andIfThere: want.above, from: memory) }
    // Asked for once, and still not whole: the memory ends there.
    guard let next = walk.advance(in: copies, until: deadline) else { return nil }
    guard next.range.start == want.range.start else { return next }
    walk.giveUp(at: next.range.start)
    return walk.advance(in: copies, until: deadline)
  }
}
