internal import LinuxProcess
internal import ProfileModel
internal import PythonReading
internal import RuntimeReading
internal import TestSupport
internal import Testing

@Suite(.enabled(if: !Interpreter.all.isEmpty, "no Python on this machine"))
struct `Stacks of Python` {
  @Test(arguments: Interpreter.all)
  func `are those that the interpreter itself reports, with names and lines`(
    _ interpreter: Interpreter
  ) throws {
    let program = try interpreter.start("stacks.py")
    let truth = try Truth(program)
    let target = try PythonTarget(pid: program.pid)
    #expect(target.runtime.version.minor == interpreter.minor)
    #expect(truth.threads.count == 26)
    let names = target.reader.stateNames(from: target.memory)
    for thread in truth.threads {
      let state = try #require(target.reader.threads.first { $0.tid == thread.tid })
      #expect(names[state.state] == (thread.name == "main" ? "MainThread" : thread.name))
      let stack = try target.sleepingStack(of: thread.tid)
      #expect(
        stack.frames.map(Truth.Line.init) == thread.frames.map(\.cut), "\(thread.name)")
      #expect(stack.end == .complete, "\(thread.name)")
      #expect(stack.elision == nil)
      #expect(stack.groups.reduce(0) { $0 + $1.frameCount } == stack.frames.count)
      #expect(stack.isConsistent)
      try expectAnchors(of: stack, tid: thread.tid, in: target)
    }
    try program.assertUntouched()
  }

  /// Anchors lie in the thread's stack, above its stack pointer, the outer ones higher.
  private func expectAnchors(of stack: RuntimeStack, tid: Int32, in target: PythonTarget) throws {
    let anchors = stack.groups.compactMap(\.anchor)
    guard target.runtime.version.minor >= 10 else {
      #expect(anchors.isEmpty)
      return
    }
    #expect(anchors.count == stack.groups.count)
    #expect(anchors == anchors.sorted() && Set(anchors).count == anchors.count)
    let files = try ThreadFiles(process: target.pid, thread: tid)
    guard case .asleep(_, _, let pointer, _) = files.systemCall() else {
      throw TestFailure("\(tid) does not sleep")
    }
    let maps = try target.memory.maps()
    let place = try #require(maps.mapping(containing: pointer))
    for anchor in anchors {
      #expect(anchor > pointer && place.contains(anchor))
    }
  }

  @Test(arguments: Interpreter.onePerVersion)
  func `of 20,000 calls keep both ends, and say how many are missing between them`(
    _ interpreter: Interpreter
  ) throws {
    let program = try interpreter.start("deep.py", ["20000"])
    let tid = try #require(try Truth(program).values["tid"] as? Int32)
    let target = try PythonTarget(pid: program.pid)
    let stack = try target.sleepingStack(of: tid)
    #expect(stack.end == .complete)
    #expect(stack.frames.count == 4096)
    let elision = try #require(stack.elision)
    // The recursion, the leaf, and three or four of `threading`.
    #expect((20_005...20_007).contains(4096 + elision.count))
    #expect(elision.position == 2048)
    #expect(stack.frames.first?.function?.name == "leaf")
    #expect(stack.frames.last?.function?.name.hasSuffix("_bootstrap") == true)
    #expect(stack.groups.reduce(0) { $0 + $1.frameCount } == stack.frames.count)
    for frame in stack.frames.dropFirst().dropLast(8) {
      #expect(frame.function?.name == "recursion")
    }
    try program.assertUntouched()
  }

  @Test(arguments: Interpreter.onePerVersion.filter { $0.minor >= 8 })
  func `of a sub-interpreter lie within those of the thread that runs it`(
    _ interpreter: Interpreter
  ) throws {
    let program = try interpreter.start("subinterpreters.py")
    let tid = try #require(try Truth(program).values["tid"] as? Int32)
    let target = try PythonTarget(pid: program.pid)
    #expect(target.reader.interpreters.count == 2)
    let stack = try target.sleepingStack(of: tid)
    // Known by then, where the version does not say it itself.
    _ = target.reader.refreshThreads(from: target.memory)
    #expect(target.reader.threads.filter { $0.tid == tid }.count == 2)
    let names = stack.frames.map { $0.function?.name ?? "?" }
    #expect(names.prefix(3) == ["inner_leaf", "inner_outer", "<module>"])
    #expect(stack.frames.prefix(3).map(\.line) == [5, 8, 10])
    #expect(names.contains("outer_call"))
    try program.assertUntouched()
  }

  @Test(arguments: Interpreter.onePerVersion, ["flat", "generators", "churn"])
  func `of a thread that runs are never mixed`(
    _ interpreter: Interpreter, _ kind: String
  ) throws {
    let program = try interpreter.start("running.py", [kind])
    let tid = try #require(try Truth(program).values["tid"] as? Int32)
    let target = try PythonTarget(pid: program.pid)
    let stacks = RunningStacks(target: target, tid: tid)
    let count = Repository.trials(short: 300, full: 5000)
    let all = stacks.take(count)
    #expect(all.count == count)
    // For some instructions of each call, 3.11 and 3.12 point to a structure that is not
    // filled in yet: such a stack is not complete, or has no function that is known. Up to 3.13 the
    // innermost frame may not be linked to its caller: such a stack is given up.
    let mayMiss = (11...13).contains(interpreter.minor)
    func isMissed(_ stack: RuntimeStack) -> Bool {
      stack.end != .complete || mayMiss && stack.frames.allSatisfy { $0.function == nil }
    }
    let incomplete = all.count(where: isMissed)
    #expect(mayMiss ? incomplete * 50 <= count : incomplete == 0)
    // Without a count of freed code objects, one that stayed the same through a hundred milliseconds of a
    // thread that got no CPU may be gone at the next sample. It is noticed, and from then on there is none.
    #expect(all.count { !$0.isConsistent } <= (interpreter.minor < 14 ? 1 : 0))
    var mixed: [[String]] = []
    var halves = 0
    var kinds: Set<String> = []
    for stack in all where !isMissed(stack) && stack.isConsistent {
      let names = stack.frames.map { $0.function?.name ?? "?" }
      kinds.insert(names.first ?? "")
      // A generator whose caller is just being linked has none: it is said not to be whole.
      if stack.frames.last?.needsCaller == true {
        halves += 1
        continue
      }
      if !PossibleStack.isPossible(stack, kind: kind) { mixed.append(names) }
    }
    #expect(mixed.isEmpty)
    #expect(halves * 10 <= count)
    // What is counted is there: several places were seen, not always the same.
    #expect(kinds.count > 1)
    let before = try program.figure("turns")
    if kind == "flat" { try waitUntil("it goes on") { try program.figure("turns") > before } }
    try program.assertUntouched()
  }

  /// A program and a thread of it that is looked at through a recording of its memory.
  private func recorded(
    _ interpreter: Interpreter
  ) throws -> (RunningProgram, PythonTarget, tid: Int32, RecordedMemory) {
    let program = try interpreter.start("stacks.py")
    let tid = try #require(try Truth(program).threads.first).tid
    let target = try PythonTarget(pid: program.pid)
    return (program, target, tid, RecordedMemory(recording: target.memory))
  }

  // Up to 3.11 code has no number of its own, and in a loop that compiles the next lies where the last
  // lay: two that are named <module> differ in what lies at the same address, and nowhere else.
  @Test(arguments: Interpreter.onePerVersion.filter { $0.minor < 12 })
  func `of code that was made anew in the same place have its file`(
    _ interpreter: Interpreter
  ) throws {
    let (program, target, tid, memory) = try recorded(interpreter)
    defer { program.kill() }
    let before = try target.sample(tid, in: memory).files
    let after = try target.sample(tid, in: memory.replacing("stacks.py", by: "stocks.py")).files
    #expect(before.contains { $0.hasSuffix("/stacks.py") })
    #expect(Set(after) == Set(before.map { $0.replacing("stacks.py", with: "stocks.py") }))
  }

  @Test(arguments: Interpreter.onePerVersion.filter { $0.minor < 12 })
  func `of code that was compiled anew in the same place have its lines`(
    _ interpreter: Interpreter
  ) throws {
    let (program, target, tid, memory) = try recorded(interpreter)
    defer { program.kill() }
    let before = try target.sample(tid, in: memory).frames
    let field = try #require(target.runtime.layout[.codeLineTable])
    let changed = try #require(before.last { $0.function?.file.hasSuffix("/stacks.py") == true })
    let table = memory.word(at: changed.code.rawValue &+ UInt64(field))
    // The table is a `bytes` object: its content is behind 32 bytes.
    let after = try target.sample(tid, in: memory.filling((table &+ 32)..<(table &+ 36), with: 0))
      .frames
    #expect(before.map(\.code) == after.map(\.code))
    for (old, new) in zip(before, after) {
      #expect((old.line == new.line) == (old.code != changed.code), "\(old) \(new)")
    }
  }

  // Each interpreter counts the code that it frees, and the next one may lie where the last lay.
  @Test(arguments: Interpreter.onePerVersion.filter { $0.minor >= 14 })
  func `of another interpreter with the same addresses have its files`(
    _ interpreter: Interpreter
  ) throws {
    let (program, target, tid, memory) = try recorded(interpreter)
    defer { program.kill() }
    #expect(try target.sample(tid, in: memory).files.contains { $0.hasSuffix("/stacks.py") })
    let place =
      try #require(target.reader.interpreters.first).address.rawValue
      &+ UInt64(try #require(target.runtime.layout[.interpreterID]))
    let changed = memory.filling(place..<(place &+ 8), with: 7)
      .replacing("stacks.py", by: "stocks.py")
    let files = try target.sample(tid, in: changed).files
    #expect(files.contains { $0.hasSuffix("/stocks.py") })
    #expect(!files.contains { $0.hasSuffix("/stacks.py") })
  }

  @Test(arguments: Interpreter.onePerVersion.filter { $0.minor < 12 })
  func `of code that was long the same have its file though it is another from now on`(
    _ interpreter: Interpreter
  ) throws {
    let program = try interpreter.start("stacks.py")
    let threads = try Truth(program).threads.prefix(2).map(\.tid)
    var now = MonotonicClock.Instant(1_000_000_000)
    let target = try PythonTarget(pid: program.pid, clock: { now })
    // Of two threads, copied one behind the other and then finished, the second's stack.
    func sample(_ memory: RecordedMemory, then later: RecordedMemory) throws -> RuntimeStack {
      let first = try target.reader.copied(threads[0], from: memory)
      let second = try target.reader.copied(threads[1], from: memory)
      var stacks = [first.finish(), second.finish()]
      let refuted = target.reader.refuted(from: later)
      for index in stacks.indices { stacks[index].forget(refuted) }
      #expect(stacks[0].isConsistent == stacks[1].isConsistent)
      return stacks[1]
    }
    let memory = RecordedMemory(recording: target.memory)
    func piecesOfSamples() throws -> [Int] {
      try (0..<40).map { _ in
        let before = memory.pieces
        _ = try sample(memory, then: RecordedMemory(memory.pages, records: []))
        return memory.pieces - before
      }
    }
    // However many samples there were, in no time they say nothing of what comes.
    let early = try piecesOfSamples()
    #expect(try #require(early.last) * 2 >= early[2], "\(early)")
    now = now + 200_000_000
    let counts = try piecesOfSamples()
    // Behind the stop, which is the shorter for it.
    #expect(try #require(counts.last) * 2 < early[2], "\(early) \(counts)")
    // The program may have ended meanwhile.
    let last = try sample(memory, then: RecordedMemory([:], records: []))
    #expect(last.isConsistent && last.files.contains { $0.hasSuffix("/stacks.py") })

    let changed = memory.replacing("stacks.py", by: "stocks.py")
    let torn = try sample(memory, then: changed)
    #expect(!torn.isConsistent)
    // Which of the two it was when the thread was stopped is not known.
    #expect(torn.frames.contains { $0.function == nil && $0.line == nil })
    #expect(!torn.files.contains { $0.hasSuffix("/stacks.py") || $0.hasSuffix("/stocks.py") })
    #expect(!torn.files.isEmpty)
    // From now on in the stop again.
    let whole = try sample(memory, then: changed)
    #expect(whole.isConsistent)
    #expect(whole.files.contains { $0.hasSuffix("/stacks.py") })
    #expect(!whole.files.contains { $0.hasSuffix("/stocks.py") })
  }

  @Test(arguments: Interpreter.onePerVersion)
  func `that do not change take one read`(_ interpreter: Interpreter) throws {
    let program = try interpreter.start("stacks.py")
    let truth = try Truth(program)
    let target = try PythonTarget(pid: program.pid)
    for thread in truth.threads {
      _ = try target.sleepingStack(of: thread.tid)
      let counting = CountingMemory(target.memory)
      let sample = try target.reader.copied(thread.tid, from: counting)
      #expect(counting.reads == 1, "\(thread.name)")
      let again = target.reader.stack(of: sample, from: target.memory)
      #expect(again.frames.map(Truth.Line.init) == thread.frames.map(\.cut))
    }
    try program.assertUntouched()
  }
}

extension PythonTarget {
  /// A stack of which nothing is taken for granted.
  fileprivate func sample(_ tid: Int32, in memory: RecordedMemory) throws -> RuntimeStack {
    try reader.stack(of: tid, from: memory)
  }
}

extension RuntimeStack {
  fileprivate var files: [String] { frames.compactMap { $0.function?.file } }
}

/// Counts the reads that a real process would be asked for.
final class CountingMemory: TargetMemory {
  private let memory: ProcessMemory
  private(set) var reads = 0

  init(_ memory: ProcessMemory) { self.memory = memory }

  func read(_ ranges: ArraySlice<MemoryRange>, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    reads += 1
    return memory.read(ranges, into: buffer)
  }
}

/// What `running.py` can do.
enum PossibleStack {
  static func isPossible(_ stack: RuntimeStack, kind: String) -> Bool {
    guard stack.frames.allSatisfy({ $0.function != nil }) else { return false }
    let names = stack.frames.compactMap { $0.function?.name }
    switch kind {
    case "flat":
      return isOfOneKind(names) && names.contains("flat")
        && (!names.contains { $0.hasPrefix("leaf") } || names.contains { $0.hasPrefix("hot") })
    case "generators":
      return isOfOneKind(names) && names.contains("generators")
        && (!names.contains { $0.hasPrefix("leaf") } || names.contains { $0.hasPrefix("numbers") })
    default:
      return names.contains("churn") && isOfOneModule(stack)
    }
  }

  private static func isOfOneKind(_ names: [String]) -> Bool {
    !(names.contains { $0.hasSuffix("_a") } && names.contains { $0.hasSuffix("_b") })
  }

  /// `f_7` is made in `made_7` alone, and `<module>` is beside it.
  private static func isOfOneModule(_ stack: RuntimeStack) -> Bool {
    let made = stack.frames.compactMap(\.function).filter { $0.file.hasPrefix("made_") }
    let numbers = Set(made.map { $0.file.dropFirst(5) })
    return numbers.count <= 1
      && made.allSatisfy { $0.name == "<module>" || $0.name == "f_" + $0.file.dropFirst(5) }
  }
}

/// Stacks of a thread that runs, each taken in a stop.
struct RunningStacks {
  let target: PythonTarget
  let tid: Int32

  func take(_ count: Int) -> [RuntimeStack] {
    // ptrace belongs to one OS thread; a test's body stays on its own as long as it never awaits.
    let stopper = StoppedThreads()
    var result: [RuntimeStack] = []
    for _ in 0..<count * 4 where result.count < count {
      var prepared = target.reader.prepared(tid)
      guard stopper.seize(tid, tag: 0, mayRestartCall: true) == .requested else { continue }
      var copied: CopiedRuntimeSample?
      stopper.interruptAll().forEachStopped { _ in
        if let sample = prepared.take() { copied = sample.copy(from: target.memory) }
      }
      stopper.releaseOverdue()
      if let copied = copied.take(), copied.isComplete {
        result.append(target.reader.stack(of: copied, from: target.memory))
      }
    }
    // One that got no CPU to stop on is held still, and could not be reaped when the program ends.
    for _ in 0..<20_000 where stopper.isOverdue(tid) {
      MonotonicClock.sleep(for: 1_000_000)
      stopper.releaseOverdue()
    }
    return result
  }
}
