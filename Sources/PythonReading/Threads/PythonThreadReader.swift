package import LinuxProcess
package import ProfileModel

/// Copies and reads the Python stack of one thread, again and again.
///
/// A sample has three steps: `prepare` before the thread is stopped, `copy` while it is, `finish`
/// when it runs again. It remembers what the last samples needed, so that one read is enough for
/// a thread that stays where it was. Belongs to one thread of ours.
package final class PythonThreadReader {
  package let thread: PythonThread
  /// The copies of the current sample.
  package internal(set) var copies = MemoryCopies()
  /// What the next `copy` begins with.
  package internal(set) var plan: PythonCopyPlan
  /// Deeper stacks lose the frames in their middle.
  package var frameLimit = 4096

  let reader: PythonReader
  var walk: PythonFrameWalk
  /// The tasks that wait for the one that the thread runs.
  var tasks = PythonTaskChain()
  /// Whether their functions are missing because there was no time.
  var areTasksCut = false
  var isConsistent = true
  /// Whether frames or functions are missing because there was no time.
  var isCut = false
  /// How much of the current sample is copied even if it takes long.
  var leastBytes = 0
  /// Whether a sample was whole since the thread was first seen or last cut.
  private var isFamiliar = false
  /// What the current sample asked for besides its plan.
  var asked: [MemoryRange] = []
  /// The same, of what the next plan must have in any case.
  var askedFirst: [MemoryRange] = []
  /// Addresses that were asked for and are not there.
  var unreadable: Set<UInt64> = []
  /// Kept only for its memory.
  var seen: Set<UInt64> = []
  private let functions = NotedFunctions()
  /// The place in `functions` of each frame of the walk, when it is finished.
  private var placeOfFrame: [UInt32] = []

  init(_ thread: PythonThread, of reader: PythonReader) {
    self.thread = thread
    self.reader = reader
    walk = PythonFrameWalk(thread, runtime: reader.runtime)
    plan = PythonCopyPlan(
      [MemoryRange(start: thread.state, count: reader.runtime.threadSize)]
        + reader.stateRanges(of: thread.interpreter))
  }

  /// Begins a sample; nothing is read.
  package func prepare() {
    copies.removeAll()
    walk.reset()
    if reader.taskPlaces != nil || !tasks.isEmpty { tasks.reset() }
    if !asked.isEmpty { asked.removeAll(keepingCapacity: true) }
    if !askedFirst.isEmpty { askedFirst.removeAll(keepingCapacity: true) }
    if !unreadable.isEmpty { unreadable.removeAll(keepingCapacity: true) }
    functions.begin()
    reader.codes.beginSample()
    isConsistent = true
    isCut = false
    areTasksCut = false
  }

  /// Learns what the next copy needs, from the memory of a thread that runs, unless it is known.
  ///
  /// What is read may be torn, so that nothing but addresses is kept of it.
  package func warmUp(from memory: some TargetMemory) {
    guard !isFamiliar else { return }
    prepare()
    copy(
      from: memory, reads: Self.warmUpReads,
      until: MonotonicClock.now().rawValue + Self.warmUpTime, isStopped: false)
    rememberNeeds()
    prepare()
  }

  private static let warmUpReads = 512
  private static let warmUpTime: Int64 = 5_000_000

  /// Adds memory that the caller has copied at this instant, such as the native stack.
  ///
  /// Parts of the Python stack lie there, which need not be read again.
  package func add(_ bytes: UnsafeRawBufferPointer, at start: RemoteAddress) {
    copies.add(bytes, at: start)
  }

  /// Copies until all frames and their functions are there, with at most `reads` reads.
  ///
  /// Call it while the thread cannot run. When it says false, more reads would have found more:
  /// call it again, in the same stop or, with `isStopped: false`, after it; the stack then says
  /// that it may not be of one instant. Else it ends at what was read, and the next sample begins
  /// with reading that.
  @discardableResult
  package func copy(
    from memory: some TargetMemory, reads: Int = .max, until deadline: Int64 = .max,
    isStopped: Bool = true
  ) -> Bool {
    isCut = !copyAll(from: memory, reads: reads, until: deadline, isStopped: isStopped)
    return !isCut
  }

  func missingOfFunctions(until deadline: Int64 = .max) -> [MemoryRange]? {
    seen.removeAll(keepingCapacity: true)
    return missing(of: walk.frames.lazy.map(\.code), until: deadline)
  }

  func missingOfTasks(until deadline: Int64 = .max) -> [MemoryRange]? {
    guard !tasks.isEmpty else { return [] }
    seen.removeAll(keepingCapacity: true)
    return missing(of: tasks.codes, until: deadline)
  }

  /// What is not there yet of the functions of code objects; nil when there was no time to find it out.
  func missing(of codes: some Sequence<UInt64>, until deadline: Int64) -> [MemoryRange]? {
    var result: [MemoryRange] = []
    // Functions share files, and may share all else.
    var isWanted: Set<MemoryRange> = []
    var count = 0
    var last: UInt64 = 0
    let generation = generation
    for code in codes where code != last {
      last = code
      if isFunctionKnown(of: code) { continue }
      count += 1
      if count % Self.leastFunctions == 0, MonotonicClock.now().rawValue >= deadline { return nil }
      if let settled = reader.codes.settled(at: code) {
        reader.codes.assume(settled)
        functions.note(number: settled.number, for: code, reader.codes.function(of: settled))
        continue
      }
      if let known = reader.codes.known(at: code, generation: generation, in: copies) {
        reader.codes.countSample(at: code)
        functions.note(number: known.number, for: code, reader.codes.function(of: known))
        continue
      }
      guard seen.insert(code).inserted else { continue }
      for range in reader.codes.missing(for: code, generation: generation, in: copies)
      where !unreadable.contains(range.start.rawValue) && isWanted.insert(range).inserted {
        result.append(range)
      }
    }
    return result
  }

  /// So many are looked at in any case, in some hundred microseconds.
  private static let leastFunctions = 512

  /// Whether the copied stack is of a moment at which the interpreter links or unlinks frames, so that
  /// it is not whole, and will be a few instructions later.
  ///
  /// What there was no time for does not count.
  package var isInTransit: Bool {
    guard !isCut, case .ended(let end) = walk.state else { return false }
    guard end == .complete, !walk.isCallerUnknown else { return true }
    guard let innermost = walk.frames.first, let outermost = walk.frames.last else { return false }
    let generation = generation
    return outermost.owner == PythonFrameShape.generatorOwner
      || [innermost, outermost].contains {
        !isFunctionKnown(of: $0.code)
          && reader.codes.function(at: $0.code, generation: generation, in: copies) == nil
      }
  }

  /// Whether the innermost frame may not be linked to its caller yet.
  var isCallerUnknown: Bool { walk.isCallerUnknown }

  /// The stack of the sample.
  ///
  /// The thread may run: all comes from the copies. Also makes the plan of the next sample.
  package func finish() -> RuntimeStack {
    if walk.isGoing {
      if isCut { walk.cut() } else { walk.giveUp(at: walk.currentAddress) }
    }
    findFunctions()
    var stack = RuntimeStack()
    if case .ended(let end) = walk.state { stack.end = end }
    stack.isConsistent = isConsistent
    readState(into: &stack)
    var groups = PythonFrameGrouping.groups(of: walk, runtime: reader.runtime)
    let shown = shownCount
    if shown < walk.frames.count { stack.end = .cut }
    let visible = hideCleanups(in: &groups)
    var count = visible.map { $0.count { $0 < shown } } ?? shown
    // The outer end of what was found is none of the stack's.
    if stack.end == .cut { count = min(count, frameLimit) }
    let kept = Elider(count: count, limit: frameLimit)
    stack.groups = kept.apply(to: groups)
    stack.elision = kept.elision
    stack.elision?.groupCount = groups.count { $0.frameCount > 0 } - stack.groups.count
    stack.frames = frames(kept, visible, groups: groups)
    if !tasks.isEmpty {
      let place = visible.map { $0.firstIndex(of: tasks.position) } ?? tasks.position
      addTasks(to: &stack, behind: place.flatMap { kept.place(of: $0) })
    }
    // A name that two pages hold takes two reads more, which a sample may never have.
    rememberNeeds(
      besides: (isCut ? missingOfFunctions() ?? [] : [])
        + (areTasksCut ? missingOfTasks() ?? [] : []))
    isFamiliar = !isCut
    return stack
  }

  /// The function of a code object, if this sample knows it.
  func function(of code: UInt64) -> RuntimeFunction? {
    functions.place(of: code).flatMap { functions[$0] }
  }

  private func isFunctionKnown(of code: UInt64) -> Bool {
    functions.place(of: code).map { functions.hasFunction(at: $0) } ?? false
  }

  private func readState(into stack: inout RuntimeStack) {
    let lock = reader.lockState(of: thread.interpreter, in: copies)
    stack.holdsLock = lock.map { $0.isLocked && $0.holder == thread.state }
    stack.isCollectingGarbage =
      stack.holdsLock != false
      && reader.isCollecting(thread.interpreter, in: copies)
  }

  /// Finds the functions of all frames, and notes those that were not known.
  private func findFunctions() {
    reader.codes.beginReading()
    placeOfFrame.removeAll(keepingCapacity: true)
    placeOfFrame.reserveCapacity(walk.frames.count)
    let generation = generation
    var last: UInt64 = 0
    var place: UInt32?
    for frame in walk.frames {
      if frame.code != last || place == nil {
        last = frame.code
        place = functions.place(of: last)
      }
      let found: UInt32
      if let place, functions.hasFunction(at: place) {
        found = place
      } else {
        found = functions.note(
          reader.codes.function(at: last, generation: generation, in: copies), for: last)
      }
      place = found
      placeOfFrame.append(found)
    }
  }

  /// The function of a frame of the walk, when it is finished.
  private func function(ofFrame index: Int) -> RuntimeFunction? {
    functions[placeOfFrame[index]]
  }

  /// How many frames are shown: where there was no time, those before the first without a name.
  private var shownCount: Int {
    guard isCut, let first = placeOfFrame.firstIndex(where: { !functions.hasFunction(at: $0) })
    else { return walk.frames.count }
    return max(1, first)
  }

  private func frames(
    _ kept: Elider, _ visible: [Int]?, groups: [RuntimeFrameGroup]
  ) -> [RuntimeFrame] {
    var frames: [RuntimeFrame] = []
    frames.reserveCapacity(kept.count)
    let shape = reader.runtime.frameShape
    var group = 0
    // The first index behind the group.
    var end = groups.first?.frameCount ?? 0
    kept.forEach { index in
      while index >= end, group + 1 < groups.count {
        group += 1
        end += groups[group].frameCount
      }
      let place = visible?[index] ?? index
      let raw = walk.frames[place]
      let function = function(ofFrame: place)
      let position = shape.unit(of: raw)
      frames.append(
        RuntimeFrame(
          function: function, code: RemoteAddress(raw.code), position: position,
          line: functions.line(at: placeOfFrame[place], position: position),
          isEntry: index == end - 1, isGenerator: raw.owner == PythonFrameShape.generatorOwner))
    }
    return frames
  }

  /// Takes out the frames that are no code of the program, and not among those that Python itself shows.
  ///
  /// Gives the indexes of the other frames; nil when all are.
  private func hideCleanups(in groups: inout [RuntimeFrameGroup]) -> [Int]? {
    guard placeOfFrame.contains(where: functions.isCleanup) else { return nil }
    let isVisible = placeOfFrame.map { !functions.isCleanup(at: $0) }
    var start = 0
    groups = groups.compactMap { group in
      let range = start..<(start + group.frameCount)
      start = range.upperBound
      let count = range.count { isVisible[$0] }
      return count > 0 ? RuntimeFrameGroup(frameCount: count, anchor: group.anchor) : nil
    }
    return isVisible.indices.filter { isVisible[$0] }
  }
}
