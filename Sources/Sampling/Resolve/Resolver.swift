internal import LinuxProcess
internal import NativeUnwinding
internal import ProfileModel
internal import RuntimeReading

/// Turns samples into runs: unwinds the copied stacks after their threads run again.
final class Resolver {
  let folder: TaskFolder
  let channel: SampleChannel
  let options: SampleOptions
  let series: SampleSeries
  let modules: ModuleMap
  let unwinder: NativeUnwinder
  private var processName: String
  private(set) var executions: Executions
  var builder = ProfileBuilder()
  var threads: [Int: ResolvedThread] = [:]
  /// Up to when long sleeps were reported.
  var reportedSleeps: Nanoseconds = 0
  private var mapsTime: Nanoseconds = 0
  private var isMapStale = false
  /// The CPU time of the last reading of the maps from the process itself.
  private var mapsCost: Nanoseconds = 0
  /// When the maps were read from the process itself.
  private var liveMapsTime = MonotonicClock.Instant.distantPast
  var libraries = LoadedLibraries()
  var hasAsked = false

  let runtimeStacks: RuntimeStacks?
  var joiner: StackJoiner

  init(
    _ target: CaptureTarget, options: SampleOptions, series: SampleSeries, channel: SampleChannel,
    runtimeStacks: RuntimeStacks?
  ) {
    folder = target.folder
    self.channel = channel
    self.options = options
    self.series = series
    processName = folder.name(of: folder.process) ?? "?"
    executions = Executions(of: processName)
    modules = ModuleMap(memory: ProcessMemory(target.liveThread))
    unwinder = NativeUnwinder(modules: modules)
    self.runtimeStacks = runtimeStacks
    joiner = StackJoiner(choice: options.frames, frames: InterpreterFrames(modules: modules))
    let memory = ProcessMemory(target.liveThread)
    modules.isCurrent = { [unowned self] in libraries.areCurrent(in: memory) }
  }

  /// Works off everything that the ring holds and whose runtime's frames are handed over.
  ///
  /// Returns whether the tracer was asked for more of a thread, which it should know soon: until then
  /// its samples are not whole.
  @discardableResult
  func drain() -> Bool {
    hasAsked = false
    let lastNumber = runtimeStacks?.lastNumber ?? 0
    let settlement = channel.spaces.settlement
    if lastNumber > 0 {
      // Runtimes are noted before the first stack that is of them.
      unwinder.useRuntimeCode(runtimeStacks?.nativeCode.flatMap(\.codeRanges) ?? [])
    }
    let isReady = { (record: SampleRecord) in
      record.runtimeNumber <= lastNumber && record.settlement <= settlement
    }
    while channel.ring.takeOne(if: isReady, { resolve($0, $1) }) {}
    return hasAsked
  }

  /// The runs of all threads, with the names that the threads have now.
  func finish(capture: CaptureInfo) -> Profile {
    for slot in threads.keys { settle(slot, as: nil) }
    for thread in threads.values where series.outlivesNames || ownName(of: thread) != nil {
      refreshName(of: thread, tid: thread.tid)
    }
    for thread in threads.values { markMain(thread) }
    libraries.leave(modules)
    var all = ProfileBuilder()
    swap(&all, &builder)
    return all.finish(capture: capture, modules: modules.modules)
  }

  /// The runs so far, with sleeping threads asleep until `time`, as in `takeGrowth`.
  func snapshot(capture: CaptureInfo, until time: Nanoseconds) -> Profile {
    let isPending = Set(threads.values.lazy.filter { $0.pending != nil }.map(\.index))
    var copy = builder
    for (thread, info) in builder.threads.enumerated() where !isPending.contains(thread) {
      guard case .blocked = copy.openActivity(of: thread) else { continue }
      copy.extend(
        thread: thread,
        by: sleep(since: Nanoseconds(info.lastSeen), until: time, rate: capture.rate))
      copy.update(thread) { $0.lastSeen = max($0.lastSeen, time.rawValue) }
    }
    return copy.finish(capture: capture, modules: modules.modules)
  }

  /// What a sleep weighs; nothing where it would end before it begins.
  private func sleep(since start: Nanoseconds, until end: Nanoseconds, rate: Double) -> Weight {
    guard end > start else { return Weight() }
    let ticks = (end - start).ticks(at: rate)
    return Weight(samples: ticks, ticks: ticks, wall: (end - start).rawValue)
  }

  /// What is new since the last call, with sleeping threads asleep until `time` (from the
  /// start): the tracer hands over a sleep only when it ends.
  ///
  /// Everything that was seen until `time` must have been drained before.
  func takeGrowth(until time: Nanoseconds, rate: Double) -> ProfileGrowth {
    let isPending = Set(threads.values.lazy.filter { $0.pending != nil }.map(\.index))
    let seen = builder.threads.map(\.lastSeen)
    var growth = builder.takeGrowth { thread, activity in
      switch activity {
      case .running, .waitingForCPU, .unknown: return Weight()
      case .blocked, .uninterruptible, .stopped: break
      }
      guard !isPending.contains(thread) else { return Weight() }
      return sleep(since: Nanoseconds(seen[thread]), until: time, rate: rate)
    }
    growth.modules = modules.modules
    // A thread that is new may have got its name since.
    let new = Set(growth.threads.map(\.index))
    for thread in threads.values where new.contains(thread.index) {
      refreshName(of: thread, tid: builder.threads[thread.index].tid)
      markMain(thread)
    }
    growth.threads = growth.threads.map { ($0.index, builder.threads[$0.index]) }
    return growth
  }

  // MARK: - One record

  private func resolve(_ record: SampleRecord, _ bytes: UnsafeRawBufferPointer) {
    let slot = record.slot
    if let known = threads[slot], known.tid != record.tid {
      // The end of the thread that had the slot before was lost in a full ring.
      forget(slot)
    }
    var thread = threads[slot] ?? startThread(record)
    extend(&thread, by: record.repeated)
    thread.countLock(record.repeated.ticks)
    if record.kind == .end {
      threads[slot] = thread
      end(slot, record)
      return
    }
    // The tracer reads the maps once a second, once in five while the capture is quiet: another reading
    // would show nothing new.
    if takeReadings(until: record.mapsSerial) { mapsTime = record.time }
    // After exec, other files may be at the same addresses; a program that switches stacks looks
    // like that, too.
    isMapStale = isMapStale || record.hasMovedStack
    libraries.enter(record, modules)
    let pause =
      isMapStale ? max(.milliseconds(2), mapsCost * 10) : max(.seconds(6), mapsCost * 50)
    if record.time - mapsTime > pause { refreshModules(at: record.time) }
    update(thread, record)
    followName(of: &thread, record)
    thread.follow(record)
    var sample = unwind(record, bytes, &thread)
    if series == .ticks {
      showAwake(&sample, record, thread)
      showAsleep(&sample, record, thread)
    }
    thread.note(sample.activity)
    // The samples of a dump stand for no time.
    let former = series == .ticks ? thread.divide(&sample) : Weight()
    threads[slot] = thread
    builder.credit(thread: thread.index, former)
    settle(slot, as: sample)
    if sample.wants != 0, thread.lastAsked != sample.sleep || thread.lastWanted != sample.wants {
      threads[slot]?.lastAsked = sample.sleep
      threads[slot]?.lastWanted = sample.wants
      threads[slot]?.pending = sample
      channel.requests.ask(sample.wants, of: slot)
      hasAsked = true
    } else {
      add(sample, stack: sample.result.stack, end: sample.result.end)
    }
  }

  private func startThread(_ record: SampleRecord) -> ResolvedThread {
    // One that has ended by now had the name of its process, until it got another.
    let firstSeen = max(0, record.end - Nanoseconds(record.weight.wall))
    let name =
      runtimeStacks?.name(of: record.tid, seenSince: firstSeen) ?? record.name
      ?? folder.name(of: record.tid) ?? processName
    let index = builder.add(
      ThreadInfo(
        tid: record.tid, name: name, isMain: record.tid == folder.process,
        firstSeen: firstSeen.rawValue, lastSeen: record.end.rawValue))
    var thread = ResolvedThread(index: index, tid: record.tid, firstSeen: firstSeen)
    thread.nextNaming = record.time + thread.namingPause
    return thread
  }

  private func extend(_ thread: inout ResolvedThread, by weight: Weight) {
    guard weight != Weight() else { return }
    if thread.pending != nil {
      thread.pending?.weight += weight
      thread.pending?.end += Nanoseconds(weight.wall)
    } else {
      builder.extend(thread: thread.index, by: weight)
    }
  }

  private func end(_ slot: Int, _ record: SampleRecord) {
    settle(slot, as: nil)
    guard var thread = threads[slot] else { return }
    let hasEnded = record.state == .dead
    let (time, counters, weight) = (record.end.rawValue, record.counters, record.weight)
    if series == .ticks {
      builder.credit(thread: thread.index, thread.divideLast(weight))
      builder.spread(thread: thread.index, thread.unplaced)
    }
    builder.end(thread: thread.index, with: weight, at: time)
    threads[slot] = thread
    builder.update(thread.index) { info in
      info.lastSeen = time
      info.cpu += weight.cpu
      info.delay += weight.delay
      info.cpuSinceStart = counters.cpu.rawValue
      info.hasEnded = hasEnded
      if thread.lockUse.ticks > 0 { info.lockUse = thread.lockUse }
    }
    if hasEnded { forget(slot) }
  }

  private func forget(_ slot: Int) {
    settle(slot, as: nil)
    if let thread = threads[slot] { builder.end(thread: thread.index) }
    unwinder.forget(thread: slot)
    threads[slot] = nil
  }

  private func update(_ thread: ResolvedThread, _ record: SampleRecord) {
    let (time, weight, counters, state) = (
      record.end.rawValue, record.weight, record.counters, record.state
    )
    let call =
      record.isRunning
      ? nil
      : SystemCallNames.call(
        thread.call?.continued(by: record)?.number ?? record.systemCall,
        arguments: record.arguments)
    builder.update(thread.index) { info in
      info.lastSeen = time
      info.cpu += weight.cpu
      info.delay += weight.delay
      info.cpuSinceStart = counters.cpu.rawValue
      info.state = state.map { Character(UnicodeScalar($0.letter)) }
      info.systemCall = call
    }
  }

  /// A thread is born with its parent's name and named later, and renamed by exec: its name is read
  /// often at first, and then once a second.
  private func followName(of thread: inout ResolvedThread, _ record: SampleRecord) {
    guard record.hasMovedStack || record.time >= thread.nextNaming else { return }
    thread.nextNaming = record.time + thread.namingPause
    thread.namingPause = min(thread.namingPause * 2, .seconds(1))
    let isGone = !refreshName(of: thread, tid: record.tid)
    // What the tracer has read then is the best there is.
    if isGone, record.tid == folder.process {
      builder.update(thread.index) { $0.name = processName }
    }
  }

  /// Marks the thread of the program's main function, where that is not the process's first thread.
  private func markMain(_ thread: ResolvedThread) {
    guard let main = runtimeStacks?.mainThread else { return }
    builder.update(thread.index) { $0.isMain = thread.tid == main }
  }

  private func ownName(of thread: ResolvedThread) -> String? {
    runtimeStacks?.name(of: thread.tid, seenSince: thread.firstSeen)
  }

  @discardableResult
  private func refreshName(of thread: ResolvedThread, tid: Int32) -> Bool {
    if let name = ownName(of: thread) {
      builder.update(thread.index) { $0.name = name }
      return true
    }
    guard let name = folder.name(of: tid) else { return false }
    builder.update(thread.index) { $0.name = name }
    return true
  }

  /// Takes over the tracer's readings of the maps that a sample belongs to, and later ones as long as
  /// they only add code: the program may not be there any more to be asked.
  ///
  /// Returns whether there was a new one.
  private func takeReadings(until serial: Int) -> Bool {
    var isNew = false
    let isWanted = { (reading: AddressSpaces.Reading) in
      reading.serial <= serial
        || self.libraries.areAll(in: reading) && self.modules.isContained(in: reading.maps)
    }
    while let reading = channel.spaces.take(if: isWanted) {
      if let name = reading.name { processName = name }
      if let program = reading.program { executions.add(program, at: reading.time) }
      // One with a count of what was loaded is for the samples of that count.
      guard reading.libraries != nil || reading.time > liveMapsTime else { continue }
      isNew = true
      libraries.take(reading)
      if modules.update(to: reading.maps) { unwinder.invalidate() }
    }
    return isNew
  }

  private func refreshModules(at time: Nanoseconds) {
    mapsTime = time
    isMapStale = false
    liveMapsTime = MonotonicClock.now()
    let before = OwnUsage.threadCPU()
    if (try? modules.refresh()) == true { unwinder.invalidate() }
    mapsCost = OwnUsage.threadCPU() - before
  }
}

extension Nanoseconds {
  /// How many ticks a capture of that rate, in ticks per second, takes in it.
  func ticks(at rate: Double) -> Int64 { Int64(Double(rawValue) * rate / 1e9) }
}
