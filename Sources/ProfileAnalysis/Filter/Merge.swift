package import ProfileModel

/// Puts many profiles together to one, each under the name of its source.
///
/// The threads of a source keep their names behind its label: `web1/worker-3`; those of the same
/// label and name become one. What a thread did in the same stack becomes one run. The order of time
/// is lost: the runs of a thread follow each other, in the order in which their stacks were first met.
///
/// Memory grows with the stacks and threads that differ, and with the runs that were not taken: who
/// adds label after label takes each one's runs before the next.
package struct Merge {
  /// The stacks of all that was added.
  package private(set) var stacks = StackTable()
  private var symbols: [ResolvedFrame] = []
  private var modules: [Module] = []
  private var moduleIDs: [ModuleKey: ModuleID] = [:]
  /// The threads of all that was added.
  package private(set) var threads: [ThreadInfo] = []
  private var threadIDs: [ThreadKey: Int] = [:]
  /// What was added since runs were last taken.
  private var table: [RunKey: Weight] = [:]
  /// By thread: where its next run begins.
  private var clocks: [Int64] = []
  private var ends = Numbering<StackEnd>()
  private var activities = Numbering<Activity>()
  private var capture: CaptureInfo?
  private var hosts: Set<String> = []
  private var processes: Set<String> = []
  private var kernels: Set<String> = []
  private var notes: [String: Int] = [:]
  private var median = 0.0
  private var count = 0

  package init() {}

  /// Adds a profile; its threads' names get `label` and a slash in front, unless it is empty.
  ///
  /// Costs one step for each frame, stack and run of the profile.
  package mutating func add(_ profile: Profile, label: String) {
    let frames = addFrames(of: profile)
    let stackIDs = addStacks(of: profile.stacks, frames)
    let threadIDs = profile.threads.map { addThread($0, label: label) }
    // Folded by itself first: that table is small and most runs fall together in it.
    var own: [RunKey: Weight] = [:]
    for run in profile.runs where threadIDs.indices.contains(run.thread) {
      let key = RunKey(
        thread: UInt32(threadIDs[run.thread]), stack: run.stack, end: ends.number(of: run.end),
        activity: activities.number(of: run.activity))
      own[key, default: Weight()] += run.weight
    }
    for (key, weight) in own {
      let stack = Int(key.stack.rawValue)
      let known = stackIDs.indices.contains(stack) ? stackIDs[stack] : .empty
      table[key.with(known), default: Weight()] += weight
    }
    add(profile.capture)
  }

  /// The runs of what was added since the last call.
  ///
  /// What the same thread does in the same stack afterwards becomes another run.
  package mutating func takeRuns() -> RunList {
    // Sorted, so that the order does not depend on the hashing.
    let entries = table.sorted { $0.key < $1.key }
    table.removeAll(keepingCapacity: true)
    clocks += Array(repeating: 0, count: threads.count - clocks.count)
    var runs = RunList()
    for (key, weight) in entries {
      let thread = Int(key.thread)
      runs.append(
        Run(
          thread: thread, stack: key.stack, end: ends.values[Int(key.end)],
          activity: activities.values[Int(key.activity)], start: clocks[thread], weight: weight))
      clocks[thread] = clocks[thread].addingClamped(weight.wall)
    }
    return runs
  }

  /// What was added, as one profile, without the runs that were taken.
  package consuming func finish() -> Profile {
    let runs = takeRuns()
    return Profile(
      capture: mergedCapture, modules: modules, threads: threads, stacks: stacks, runs: runs,
      symbols: symbols)
  }
}

// MARK: - Frames and stacks

extension Merge {
  /// A module, and a number that parts files of the same path without a build ID.
  private struct ModuleKey: Hashable {
    let module: Module?
    let variant: Int
  }

  /// By `FrameID` of the profile: the frame here.
  private mutating func addFrames(of profile: Profile) -> [FrameID] {
    let ids = profile.modules.map { id(of: $0, variant: 0) }
    return profile.stacks.frames.enumerated().map { position, frame in
      guard case .code(let code) = frame else { return add(frame) }
      let module = profile.position(of: code.module)
      let known = position < profile.symbols.count ? profile.symbols[position].lines : []
      let isNamed = known.contains(where: \.hasName)
      // Code at the same place of a file that was built anew has other names: it then is code of
      // another module of that path. A few such builds are told apart, the rest share the last.
      var variant = 0
      while true {
        let id =
          variant == 0
          ? module.map { ids[$0] } ?? .anonymous
          : self.id(of: module.map { profile.modules[$0] }, variant: variant)
        let place = Frame.code(CodeAddress(module: id, address: code.address))
        let frameID = stacks.id(of: place)
        let symbol = ResolvedFrame(lines: known, module: id)
        if Int(frameID.rawValue) == symbols.count { symbols.append(symbol) }
        let other = symbols[Int(frameID.rawValue)].lines
        if !isNamed || other == known || variant == Self.variantLimit { return frameID }
        if !other.contains(where: \.hasName) {
          symbols[Int(frameID.rawValue)] = symbol
          return frameID
        }
        variant += 1
      }
    }
  }

  private static var variantLimit: Int { 64 }

  private mutating func add(_ frame: Frame) -> FrameID {
    let id = stacks.id(of: frame)
    if Int(id.rawValue) == symbols.count {
      symbols.append(ResolvedFrame(unknown: frame))
    }
    return id
  }

  private mutating func id(of module: Module?, variant: Int) -> ModuleID {
    guard module != nil || variant > 0 else { return .anonymous }
    // What kept one capture from reading the file makes it no other file.
    let file = module.map { Module(path: $0.path, buildID: $0.buildID) }
    let key = ModuleKey(module: file, variant: variant)
    if let known = moduleIDs[key] { return known }
    let id = ModuleID(Int32(clamping: modules.count))
    modules.append(module ?? Module(path: "[no file \(variant)]"))
    moduleIDs[key] = id
    return id
  }

  /// By `StackID` of the profile: the stack here.
  private mutating func addStacks(of table: StackTable, _ frames: [FrameID]) -> [StackID] {
    var ids: [StackID] = [.empty]
    ids.reserveCapacity(table.stackCount)
    for stack in 1..<max(table.stackCount, 1) {
      let id = StackID(UInt32(stack))
      let caller = Int(table.caller(of: id).rawValue)
      guard let frame = table.innermostFrame(of: id), frames.indices.contains(Int(frame.rawValue))
      else {
        ids.append(.empty)
        continue
      }
      // A stack's caller was made before it; anything else is treated as an outermost frame.
      ids.append(
        stacks.stack(
          of: frames[Int(frame.rawValue)], calledBy: caller < stack ? ids[caller] : .empty))
    }
    return ids
  }
}

extension SourceLine {
  /// Whether more than the address is known.
  fileprivate var hasName: Bool { !function.hasPrefix("0x") || file != nil }
}

// MARK: - Threads and runs

extension Merge {
  private struct ThreadKey: Hashable {
    let name: String
    let isMain: Bool
  }

  /// Sixteen bytes, because there is one for each run of the result.
  private struct RunKey: Hashable, Comparable {
    let thread: UInt32
    let stack: StackID
    let end: UInt32
    let activity: UInt32

    func hash(into hasher: inout Hasher) {
      hasher.combine(UInt64(thread) << 32 | UInt64(stack.rawValue))
      hasher.combine(UInt64(end) << 32 | UInt64(activity))
    }

    func with(_ stack: StackID) -> RunKey {
      RunKey(thread: thread, stack: stack, end: end, activity: activity)
    }

    static func < (left: RunKey, right: RunKey) -> Bool {
      (left.thread, left.stack.rawValue, left.end, left.activity)
        < (right.thread, right.stack.rawValue, right.end, right.activity)
    }
  }

  /// Distinct values by number, in the order of their first use.
  private struct Numbering<Value: Hashable> {
    private(set) var values: [Value] = []
    private var numbers: [Value: UInt32] = [:]

    mutating func number(of value: Value) -> UInt32 {
      // Most runs have one of the first few, which are found sooner than hashed.
      for index in 0..<min(values.count, 4) where values[index] == value { return UInt32(index) }
      if let known = numbers[value] { return known }
      let number = UInt32(values.count)
      values.append(value)
      numbers[value] = number
      return number
    }
  }

  private mutating func addThread(_ info: ThreadInfo, label: String) -> Int {
    let name = label.isEmpty ? info.title : label + "/" + info.title
    let key = ThreadKey(name: name, isMain: info.isMain)
    let span = max(0, info.lastSeen.subtractingClamped(info.firstSeen))
    guard let known = threadIDs[key] else {
      var thread = info
      thread.name = name
      thread.process = nil
      thread.firstSeen = 0
      thread.lastSeen = span
      thread.systemCall = nil
      threadIDs[key] = threads.count
      threads.append(thread)
      return threads.count - 1
    }
    threads[known].lastSeen = threads[known].lastSeen.addingClamped(span)
    threads[known].cpu = threads[known].cpu.addingClamped(info.cpu)
    threads[known].delay = threads[known].delay.addingClamped(info.delay)
    threads[known].cpuSinceStart = threads[known].cpuSinceStart.addingClamped(info.cpuSinceStart)
    threads[known].hasEnded = threads[known].hasEnded && info.hasEnded
    if let more = info.lockUse {
      var use = threads[known].lockUse ?? InterpreterLockUse()
      use.held = use.held.addingClamped(more.held)
      use.awaited = use.awaited.addingClamped(more.awaited)
      use.ticks = use.ticks.addingClamped(more.ticks)
      threads[known].lockUse = use
    }
    return known
  }
}

extension Int64 {
  /// The sum, or the nearest number there is.
  func addingClamped(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? (other > 0 ? .max : .min) : sum
  }

  /// The difference, or the nearest number there is.
  func subtractingClamped(_ other: Int64) -> Int64 {
    let (difference, overflow) = subtractingReportingOverflow(other)
    return overflow ? (other > 0 ? .min : .max) : difference
  }
}

// MARK: - What was captured

extension Merge {
  private mutating func add(_ other: CaptureInfo) {
    count += 1
    hosts.insert(other.hostName)
    processes.insert("\(other.hostName) \(other.pid)")
    kernels.insert(other.kernel)
    for note in other.notes { notes[note, default: 0] += 1 }
    median += Double(other.cost.pauseMedian) * Double(max(other.cost.stops, 0))
    guard var merged = capture else {
      capture = other
      return
    }
    if merged.processName != other.processName { merged.processName = "several programs" }
    if merged.executable != other.executable { merged.executable = nil }
    if merged.commandLine != other.commandLine { merged.commandLine = [] }
    if merged.rate != other.rate { merged.rate = 0 }
    if merged.kind != other.kind { merged.kind = .attach }
    merged.startTime = min(merged.startTime, other.startTime)
    merged.duration = merged.duration.addingClamped(other.duration)
    merged.cost.add(other.cost)
    capture = merged
  }

  private var mergedCapture: CaptureInfo {
    guard var merged = capture else {
      return CaptureInfo(
        kind: .attach, pid: 0, processName: "", notes: ["merged from no captures."])
    }
    guard count > 1 else { return merged }
    if processes.count > 1 { merged.pid = 0 }
    if hosts.count > 1 { merged.hostName = "\(hosts.count) hosts" }
    if kernels.count > 1 { merged.kernel = "" }
    if merged.cost.stops > 0 {
      let mean = median / Double(merged.cost.stops)
      merged.cost.pauseMedian = mean.isFinite ? Int64(min(max(mean, 0), 1e18)) : 0
    }
    let told = notes.sorted { ($0.value, $1.key) > ($1.value, $0.key) }.prefix(20)
    merged.notes =
      [
        """
        merged from \(counted(count, "capture")) of \(counted(processes.count, "process")) on \
        \(counted(hosts.count, "host")): \
        times are sums, and the order in time is lost.
        """
      ] + told.map { $0.value > 1 ? "\($0.key) (\($0.value) captures)" : $0.key }
    return merged
  }
}

extension CaptureCost {
  /// Sums, and the longest pauses; the median is the caller's affair.
  fileprivate mutating func add(_ other: CaptureCost) {
    ticksPlanned = ticksPlanned.addingClamped(other.ticksPlanned)
    ticksTaken = ticksTaken.addingClamped(other.ticksTaken)
    ticksLate = ticksLate.addingClamped(other.ticksLate)
    samplesWithoutStop = samplesWithoutStop.addingClamped(other.samplesWithoutStop)
    stops = stops.addingClamped(other.stops)
    pause99 = max(pause99, other.pause99)
    pauseMax = max(pauseMax, other.pauseMax)
    stoppedTime = stoppedTime.addingClamped(other.stoppedTime)
    ownCPU = ownCPU.addingClamped(other.ownCPU)
    samplesDropped = samplesDropped.addingClamped(other.samplesDropped)
  }
}

/// The number with its noun, in the plural when there is not just one.
private func counted(_ number: Int, _ noun: String) -> String {
  number == 1 ? "1 \(noun)" : "\(number) \(noun)\(noun.hasSuffix("s") ? "es" : "s")"
}
