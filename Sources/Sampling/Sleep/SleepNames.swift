internal import BlockingAnalysis
internal import LinuxProcess
internal import NativeUnwinding
internal import ProfileModel
internal import Symbolication

/// Turns what was read of sleeping threads into blockings, with the names of functions and locks.
struct SleepNames<Modules: SleepModules> {
  /// Locks that are looked up.
  private var lockLimit: Int { 512 }

  let modules: Modules
  let names: FrameNames
  /// When the capture began.
  let startTime: MonotonicClock.Instant
  /// Where threads sleep that wait for an interpreter's lock.
  let interpreterLocks: [Range<RemoteAddress>]
  private var places: [RemoteAddress: WaitObject] = [:]
  /// By stack, innermost frames: many threads sleep in the same.
  private var functions: [[Frame]: WaitFunctions] = [:]

  init(
    modules: Modules, names: FrameNames, startTime: MonotonicClock.Instant,
    interpreterLocks: [Range<RemoteAddress>]
  ) {
    self.modules = modules
    self.names = names
    self.startTime = startTime
    self.interpreterLocks = interpreterLocks
  }

  mutating func blockings(of records: [SleepRecord], pid: Int32) -> [Blocking] {
    var known = NamedSleeps()
    return blockings(of: records, pid: pid, known: &known)
  }

  /// The same where some were named before.
  mutating func blockings(
    of records: [SleepRecord], pid: Int32, known: inout NamedSleeps
  ) -> [Blocking] {
    var result: [Blocking] = []
    result.reserveCapacity(records.count)
    for record in records {
      let wait = known.wait(of: record) { classified(record, pid: pid) }
      result.append(
        Blocking(
          waiter: record.sample.thread, wait: wait,
          since: record.sample.since.map { ($0 - startTime).rawValue },
          firstSeen: max(0, (record.firstSeen - startTime).rawValue),
          lastSeen: (record.lastSeen - startTime).rawValue,
          samples: record.samples))
    }
    return result.sorted { ($0.firstSeen, $0.waiter.tid) < ($1.firstSeen, $1.waiter.tid) }
  }

  private mutating func classified(_ record: SleepRecord, pid: Int32) -> Wait {
    var wait = WaitClassifier.classify(
      record.sample, functions: waitFunctions(of: record.frames), hints: hints(record))
    if let object = wait.object, record.sample.thread.pid == pid {
      // Threads that wait for that lock wake up so often that many have no known stack. A name of
      // its variable would say nothing, and cost a walk through the interpreter's debug data.
      let isLock = interpreterLocks.contains { $0.contains(object.address) }
      if isLock { wait.kind = .gil } else { wait.object = named(object) }
    }
    if let runtimeWait = record.runtimeWait { wait.take(runtimeWait) }
    return wait
  }

  /// The history with the names of locks.
  mutating func named(_ history: WaitHistory) -> WaitHistory {
    var waits = history.waits
    for place in waits.indices { waits[place] = named(waits[place]) }
    return WaitHistory(waits: waits, spans: history.spans)
  }

  /// The wait with the name of its lock.
  mutating func named(_ wait: Wait) -> Wait {
    // What a runtime has named has no other name.
    guard let object = wait.object, !(object.flavor?.isOfRuntime ?? false) else { return wait }
    var wait = wait
    wait.object = named(object)
    return wait
  }

  private mutating func waitFunctions(of frames: [Frame]) -> WaitFunctions {
    if let known = functions[frames] { return known }
    let result = WaitFunctions(functions(of: frames))
    functions[frames] = result
    return result
  }

  private func functions(of frames: [Frame]) -> [StackFunction] {
    names.add(modules.sleepFiles(of: frames))
    return zip(frames, names.resolve(frames)).flatMap { frame, resolved in
      resolved.lines.map { line in
        guard case .code(let address) = frame else {
          return StackFunction(name: "", module: -1, isKnown: false)
        }
        return StackFunction(
          name: line.function, module: address.module.rawValue,
          isKnown: line.function != address.address.description)
      }
    }
  }

  /// Of a stack that ends where it begins, for want of unwind data.
  private func hints(_ record: SleepRecord) -> [StackFunction] {
    guard record.frames.count <= 2 else { return [] }
    let frames = record.sample.returnAddresses.compactMap { address in
      // The byte before: inside the call.
      modules.codeAddress(of: address.advanced(by: -1)).map { Frame.code($0) }
    }
    return functions(of: frames)
  }

  private mutating func named(_ object: WaitObject) -> WaitObject {
    var result = object
    if let known = places[object.address] {
      (result.variable, result.field) = (known.variable, known.field)
      (result.file, result.mapping) = (known.file, known.mapping)
      return result
    }
    guard places.count < lockLimit else { return object }
    if let address = modules.dataAddress(of: object.address),
      let variable = names.variable(at: address, file: modules.file(of: address.module))
    {
      result.variable = variable.name
      result.field = variable.field
      result.file = variable.file
    }
    result.mapping = modules.mappingName(of: object.address)
    places[object.address] = result
    return result
  }
}
