internal import ProfileModel

/// Where a thread, or several of one kind, were in their samples on a CPU.
struct CPUSamples {
  /// A place and the part of the samples that were in it.
  struct Place {
    let frame: SourceFrame
    let share: Double
    /// The library's function that nearly all of these samples are in, and that the frame called; nil
    /// where they are in several, or in the function itself.
    var call: SourceFrame?
    /// How far the share may be off by chance (`SamplingError`); nil where that is not known.
    var error: Double?
  }

  /// The part of the samples that a loop must hold: a few go to signals and interrupts.
  private static let loopShare = 0.95
  private static let leastSamples: Int64 = 10

  let count: Int
  /// The deepest function that holds nearly all samples, where these stay within a few functions
  /// below it; nil for a thread that does various things.
  let loop: Place?
  /// The function that the most samples were in itself.
  let hottest: Place?
  /// The deepest function that holds most samples together with what it calls, where these are spread
  /// over many functions; nil where no function but those that hold all does.
  let within: Place?

  /// The parts of the samples that `within` must hold, and `hottest` must not.
  private static let (withinShare, hottestShare) = (0.6, 0.4)

  init(_ index: ProfileIndex, threads: [Int]) {
    var samples: [StackID: Int64] = [:]
    let runs = threads.lazy.flatMap { index.runs(of: $0) }
    for run in runs where run.activity == .running {
      samples[run.stack, default: 0] &+= max(run.weight.samples, 0)
    }
    // One that has hardly had a CPU is described by what it would run.
    if samples.values.reduce(0, &+) < Self.leastSamples {
      for run in runs
      where run.activity == .waitingForCPU && !Self.isWakingUp(in: run.stack, index) {
        samples[run.stack, default: 0] &+= max(run.weight.samples, 0)
      }
    }
    let counts = CPUCounts(index, samples)
    count = Int(clamping: counts.total)
    var hottest = counts.total > 0 ? counts.hottest : nil
    if let function = counts.hottestFunction, index.profile.capture.kind.hasTimes {
      hottest?.error = Self.error(of: function, in: index, threads: threads, counts)
    }
    self.hottest = hottest
    let isEnough = counts.total >= Self.leastSamples
    loop = isEnough ? counts.loop(holding: Self.loopShare) : nil
    let isSpread = isEnough && (hottest?.share ?? 1) < Self.hottestShare
    within = isSpread ? counts.place(holding: Self.withinShare) : nil
  }

  /// Whether a thread in this stack has just been woken up: it would leave the call that it slept in.
  private static func isWakingUp(in stack: StackID, _ index: ProfileIndex) -> Bool {
    guard let frame = index.sourceFrames(of: stack).first else { return false }
    let name = FunctionName.plain(index.stacks.frames[frame].line.function)
    return WaitNames.systemCalls[name] != nil
  }

  /// 1.96 standard deviations of the share: as many samples as the root of how often the thread entered
  /// the place, by its samples.
  private static func error(
    of function: Int, in index: ProfileIndex, threads: [Int], _ counts: CPUCounts
  ) -> Double {
    var known: [StackID: Bool] = [:]
    var entries = 0
    for thread in threads {
      var wasThere = false
      for run in index.runs(of: thread) where counts.contains(run.stack) && run.activity.isRunnable
      {
        let isThere = known[run.stack] ?? counts.isHottest(run.stack, function)
        known[run.stack] = isThere
        if isThere, !wasThere { entries += 1 }
        wasThere = isThere
      }
    }
    return 1.96 * Double(entries).squareRoot() / Double(counts.total)
  }
}

/// Samples by function, and by the paths of functions that called each other.
private struct CPUCounts {
  /// What a function did itself, or let a library do: its samples, and the frame in which most of them were.
  struct Own {
    var samples: Int64 = 0
    var frame: Int
    var mostInFrame: Int64 = -1
    /// By the name of the library's function that it called: a frame of that, and the samples in it.
    var calls: [String: (frame: SourceFrame, samples: Int64)] = [:]
  }

  /// The part of a function's samples that must be in one function of a library for that to be named.
  private static let callShare = 0.9

  private let index: ProfileIndex
  /// Of this thread alone; in them all code that the program has made is one function.
  private var paths = PathTable(stackCount: 0)
  private let owners: [ModuleOwner]
  let total: Int64
  private let samples: [StackID: Int64]
  /// By path: the samples of it and of what it called.
  private var sums: [Int64] = [0]
  /// By path: the frame that makes its innermost function; -1 for a path without samples.
  private var frames: [Int] = [-1]
  private var own: [Int: Own] = [:]
  /// By function, an interpreted one in place of what the interpreter does for it: own samples.
  private var source: [Int: Int64] = [:]

  init(_ index: ProfileIndex, _ samples: [StackID: Int64]) {
    self.index = index
    owners = index.profile.modules.map(\.owner)
    total = samples.values.reduce(0, &+)
    self.samples = samples
    for (stack, count) in samples.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      add(count, in: stack)
    }
  }

  private mutating func add(_ samples: Int64, in stack: StackID) {
    let stackFrames = index.sourceFrames(of: stack)
    addOwn(samples, of: stackFrames)
    var path = 0
    for frame in stackFrames.reversed() {
      path = paths.add(number(ofFrame: frame), false, to: path)
      if path == sums.count {
        sums.append(0)
        frames.append(frame)
      }
      sums[path] &+= samples
    }
    let interpreted = stackFrames.first { index.stacks.frames[$0].isInterpreted }
    let function = (interpreted ?? stackFrames.first).map { number(ofFrame: $0) }
    if let function { source[function, default: 0] &+= samples }
  }

  private mutating func addOwn(_ samples: Int64, of stackFrames: [Int]) {
    let frames = stackFrames.lazy.map { [index] in index.stacks.frames[$0] }
    guard let place = owners.place(of: frames) else { return }
    let frame = stackFrames[place]
    let function = number(ofFrame: frame)
    var known = own[function] ?? Own(frame: frame)
    known.samples &+= samples
    if samples > known.mostInFrame { (known.frame, known.mostInFrame) = (frame, samples) }
    if let call = owners.libraryCall(of: place, in: frames) {
      known.calls[call.line.function, default: (call, 0)].samples &+= samples
    }
    own[function] = known
  }

  /// The function of a frame; all code that a program has made itself, and that has no names, counts as one.
  private func number(ofFrame frame: Int) -> Int {
    let source = index.stacks.frames[frame]
    let isMade = source.module == .anonymous && source.address != nil && !source.line.isNamed
    return isMade ? index.stacks.functions.count : index.stacks.function(ofFrame: frame)
  }

  /// Whether samples of the stack are counted.
  func contains(_ stack: StackID) -> Bool { samples[stack] != nil }

  /// Whether a stack is in the function with the most samples of its own.
  func isHottest(_ stack: StackID, _ hottest: Int) -> Bool {
    let frames = index.sourceFrames(of: stack)
    let place = owners.place(of: frames.lazy.map { index.stacks.frames[$0] })
    return place.map { number(ofFrame: frames[$0]) } == hottest
  }

  /// The function with the most samples of its own.
  var hottest: CPUSamples.Place? {
    hottestFunction.flatMap { own[$0] }.map { best in
      CPUSamples.Place(
        frame: index.stacks.frames[best.frame], share: Double(best.samples) / Double(total),
        call: call(of: best, in: best.samples))
    }
  }

  /// The library's function that holds nearly all of so many samples.
  private func call(of own: Own, in samples: Int64) -> SourceFrame? {
    let most = own.calls.max { ($0.value.samples, $1.key) < ($1.value.samples, $0.key) }?.value
    return most.flatMap { Double($0.samples) >= Double(samples) * Self.callShare ? $0.frame : nil }
  }

  var hottestFunction: Int? {
    own.max { ($0.value.samples, $1.key) < ($1.value.samples, $0.key) }?.key
  }

  /// The deepest function that holds this share of the samples, where most of these are in at most
  /// three functions.
  func loop(holding share: Double) -> CPUSamples.Place? {
    // A path's number is higher than its caller's.
    let deepest = sums.lastIndex { Double($0) >= Double(total) * share }
    guard let deepest, frames[deepest] >= 0 else { return nil }
    let around = around(deepest).map { ($0, index.stacks.frames[frames[$0]]) }
    let callers = around.map(\.1)
    guard let innermost = owners.innermostPlace(of: callers) else { return nil }
    let inside = source.values.sorted(by: >).prefix(3).reduce(0, &+)
    guard Double(inside) >= Double(total) * 0.8 else { return nil }
    let shown = owners.caller(of: innermost, in: callers)
    if owners.isEntry(shown, in: callers), let shared = sharedFunction(holding: share) {
      return shared
    }
    let (path, frame) = around[innermost]
    let isRoot =
      FunctionRole(of: frame.line.function) == .root || frame.line.function == "main"
    let itself = source[paths.item(of: path)] ?? 0
    // A program's main function holds all it does: that says nothing, unless it does it itself.
    guard !isRoot || itself >= total / 2 else { return nil }
    let sum = sums[around[shown].0]
    return CPUSamples.Place(
      frame: callers[shown], share: Double(sum) / Double(total),
      call: own[paths.item(of: around[shown].0)].flatMap { call(of: $0, in: sum) })
  }

  /// The function that holds this share of the samples by whatever way it was called, and is the deepest of
  /// such; nil where that is only where the thread begins.
  private func sharedFunction(holding share: Double) -> CPUSamples.Place? {
    var shared = SharedFunctions(owners)
    for (stack, count) in samples.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      let numbers = index.sourceFrames(of: stack)
      shared.add(
        count, frames: numbers.map { index.stacks.frames[$0] },
        functions: numbers.map { number(ofFrame: $0) })
    }
    guard let found = shared.deepest(holding: share) else { return nil }
    return CPUSamples.Place(
      frame: found.frame, share: Double(found.samples) / Double(total),
      call: own[found.function].flatMap { call(of: $0, in: found.samples) })
  }

  /// The deepest function that holds this share of the samples: of the program's own where one does, and
  /// never one that holds whatever a thread does, as its first function and its event loop.
  func place(holding share: Double) -> CPUSamples.Place? {
    guard let deepest = sums.lastIndex(where: { Double($0) >= Double(total) * share }) else {
      return nil
    }
    let callers = around(deepest).prefix { path in
      let name = index.stacks.frames[frames[path]].line.function
      let role = FunctionRole(of: name)
      return role != .root && role.loop == nil && FunctionName.plain(name) != "main"
    }
    let path = index.profile.capture.executable
    let executable = index.profile.modules.firstIndex { $0.path == path }
    let named = callers.filter { index.stacks.frames[frames[$0]].line.isNamed }
    let outside = named.filter { !owners.isOfLibrary(index.stacks.frames[frames[$0]]) }
    let ofProgram = outside.first { path in
      let frame = index.stacks.frames[frames[path]]
      return frame.isInterpreted || Int(frame.module.rawValue) == executable
    }
    guard let found = ofProgram ?? outside.first else { return nil }
    return CPUSamples.Place(
      frame: index.stacks.frames[frames[found]], share: Double(sums[found]) / Double(total))
  }

  /// A path and its callers.
  private func around(_ path: Int) -> [Int] {
    Array(
      sequence(first: path) { paths.caller(of: $0) }.prefix { $0 != 0 && frames[$0] >= 0 })
  }
}
