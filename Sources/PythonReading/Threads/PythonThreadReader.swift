package import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// Copies and reads the Python stack of one thread, again and again.
///
/// Of one thread state; what a sample does with all those of a thread is in `PythonOSThread`. It remembers
/// what the last samples needed, so that one read is enough for a thread that stays where it was. Belongs
/// to one thread of ours.
package final class PythonThreadReader {
  package let thread: PythonThread
  /// The copies of the current sample.
  package internal(set) var copies = MemoryCopies()
  /// What the next `copy` begins with.
  package internal(set) var plan: PythonCopyPlan
  /// Deeper stacks lose the frames in their middle.
  package var frameLimit = 4096

  /// The most innermost frames that are looked for; nil for all.
  var wantedDepth: Int?

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
  var isFamiliar = false
  /// What the current sample asked for besides its plan.
  var asked: [MemoryRange] = []
  /// The same, of what the next plan must have in any case.
  var askedFirst: [MemoryRange] = []
  /// Addresses that were asked for and are not there.
  var unreadable: Set<RemoteAddress> = []
  /// Kept only for its memory.
  var seen: Set<RemoteAddress> = []
  let functions = NotedFunctions()
  /// The place in `functions` of each frame of the walk, when it is finished.
  var placeOfFrame: [UInt32] = []

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
    // One more, for a frame of the interpreter's own that is not shown.
    walk.reset(limit: wantedDepth.map { $0 &+ 1 } ?? .max)
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
      until: MonotonicClock.now() + Self.warmUpTime, isStopped: false)
    rememberNeeds()
    prepare()
  }

  private static let warmUpReads = 512
  private static let warmUpTime = Nanoseconds.milliseconds(5)

  /// Copies until all frames and their functions are there, with at most `reads` reads.
  ///
  /// Call it while the thread cannot run. When it says false, more reads would have found more:
  /// call it again, in the same stop or, with `isStopped: false`, after it; the stack then says
  /// that it may not be of one instant. Else it ends at what was read, and the next sample begins
  /// with reading that.
  @discardableResult
  package func copy(
    from memory: some TargetMemory, reads: Int = .max,
    until deadline: MonotonicClock.Instant = .distantFuture,
    isStopped: Bool = true
  ) -> Bool {
    isCut = !copyAll(from: memory, reads: reads, until: deadline, isStopped: isStopped)
    return !isCut
  }

  func missingOfFunctions(until deadline: MonotonicClock.Instant = .distantFuture) -> [MemoryRange]?
  {
    seen.removeAll(keepingCapacity: true)
    return missing(of: walk.frames.lazy.map(\.code), until: deadline)
  }

  func missingOfTasks(until deadline: MonotonicClock.Instant = .distantFuture) -> [MemoryRange]? {
    guard !tasks.isEmpty else { return [] }
    seen.removeAll(keepingCapacity: true)
    return missing(of: tasks.codes, until: deadline)
  }

  /// What is not there yet of the functions of code objects; nil when there was no time to find it out.
  func missing(of codes: some Sequence<RemoteAddress>, until deadline: MonotonicClock.Instant)
    -> [MemoryRange]?
  {
    var result: [MemoryRange] = []
    // Functions share files, and may share all else.
    var isWanted: Set<MemoryRange> = []
    var count = 0
    var last = RemoteAddress.null
    let generation = generation
    for code in codes where code != last {
      last = code
      if isFunctionKnown(of: code) { continue }
      count += 1
      if count % Self.leastFunctions == 0, MonotonicClock.now() >= deadline { return nil }
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
      where !unreadable.contains(range.start) && isWanted.insert(range).inserted {
        result.append(range)
      }
    }
    return result
  }

  /// So many are checked in any case, in some hundred microseconds.
  private static let leastFunctions = 512

  /// Whether the copied stack is of a moment at which the interpreter links or unlinks frames, so that
  /// it is not whole, and will be a few instructions later.
  ///
  /// What there was no time for does not count.
  package var isInTransit: Bool {
    guard !isCut, case .ended(let end) = walk.state else { return false }
    guard end == .complete || end == .limited, !walk.isCallerUnknown else { return true }
    guard let innermost = walk.frames.first, let outermost = walk.frames.last else { return false }
    let generation = generation
    return end == .complete && outermost.owner == PythonFrameShape.generatorOwner
      || [innermost, outermost].contains {
        !isFunctionKnown(of: $0.code)
          && reader.codes.function(at: $0.code, generation: generation, in: copies) == nil
      }
  }

  /// Whether the thread state ran nothing when it was copied.
  var hasNoFrames: Bool { walk.frames.isEmpty && walk.place == nil }

  /// Whether the innermost frame may not be linked to its caller yet.
  var isCallerUnknown: Bool { walk.isCallerUnknown }

  /// The function of a code object, if this sample knows it.
  func function(of code: RemoteAddress) -> RuntimeFunction? {
    functions.place(of: code).flatMap { functions[$0] }
  }

  func isFunctionKnown(of code: RemoteAddress) -> Bool {
    functions.place(of: code).map { functions.hasFunction(at: $0) } ?? false
  }
}
