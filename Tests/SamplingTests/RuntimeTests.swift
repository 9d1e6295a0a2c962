import LinuxProcess
import ProfileModel
import RuntimeReading
import TestSupport
import Testing

@testable import Sampling

/// A runtime's thread that has one frame, and counts its steps.
private final class MadeThread: RuntimeThread {
  let code: RemoteAddress
  private(set) var steps = ""

  init(_ number: UInt64) { code = RemoteAddress(number) }

  func warmUp(from memory: some TargetMemory) { steps += "w" }
  func prepare() { steps += "p" }
  func isInTransit(at instruction: RemoteAddress) -> Bool { instruction == code }
  var isCopyInTransit: Bool { false }

  func copy(
    at place: ThreadPlace, from memory: some TargetMemory, reads: Int,
    until deadline: MonotonicClock.Instant,
    isStopped: Bool
  ) -> Bool {
    steps += "c"
    return code.rawValue % 2 == 0
  }

  func finish() -> RuntimeStack {
    steps += "f"
    var stack = RuntimeStack()
    stack.frames = [RuntimeFrame(function: nil, code: code, line: nil)]
    stack.groups = [RuntimeFrameGroup(frameCount: 1, anchor: code)]
    return stack
  }
}

private struct NoMemory: TargetMemory {
  func read(_ ranges: ArraySlice<MemoryRange>, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    0
  }
}

@Suite struct `A sample of several runtimes` {
  @Test func `is of those that know the thread, and joins their stacks by anchors`() {
    if PreparedRuntimeSample([]) != nil { Issue.record("a sample of no runtime") }
    let threads = [MadeThread(20), MadeThread(11)]
    guard let prepared = PreparedRuntimeSample(threads) else {
      Issue.record("no sample")
      return
    }
    var isInTransit: [Bool] = []
    for place in [UInt64(11), 20, 30] {
      isInTransit.append(prepared.isInTransit(at: RemoteAddress(place)))
    }
    #expect(isInTransit == [true, true, false])
    let copied = prepared.copy(from: NoMemory())
    let isComplete = copied.isComplete
    #expect(!isComplete)
    let stack = copied.finish()
    #expect(stack.frames.map(\.code.rawValue) == [11, 20])
    #expect(threads.map(\.steps) == ["pcf", "pcf"])
  }
}

@Suite struct `The samples of a tick` {
  private func sample(_ number: UInt64) -> CopiedRuntimeSample? {
    guard let prepared = PreparedRuntimeSample([MadeThread(number)]) else { return nil }
    return prepared.copy(from: NoMemory())
  }

  @Test func `come back in their order with ascending numbers, however many they are`() {
    var batch = RuntimeBatch()
    for turn in UInt64(0)..<3 {
      for index in UInt64(1)...5000 {
        guard let sample = sample(index) else { return }
        let number = batch.add(sample, of: Int32(index))
        #expect(number == turn * 5000 + index)
      }
      let count = batch.copiedCount
      #expect(count == 5000)
      var next: Int32 = 1
      batch.finish { tid, stack in
        #expect(tid == next && stack.frames.first?.code.rawValue == UInt64(tid))
        next += 1
      }
      let (copied, unconfirmed) = (batch.copiedCount, batch.unconfirmedCount)
      #expect(copied == 0 && unconfirmed == 5000)
      let stacks = batch.take { $0.reject() }
      #expect(stacks.map(\.number) == Array(turn * 5000 + 1...turn * 5000 + 5000))
      #expect(stacks.allSatisfy { $0.stack?.frames.isEmpty == true })
      let rest = batch.unconfirmedCount
      #expect(rest == 0)
    }
    // What is not read when the capture ends is let go with it.
    if let sample = sample(1) { _ = batch.add(sample, of: 1) }
  }
}

@Suite struct `What keeps a runtime from being read` {
  @Test func `is said in a note of the report`() {
    let build = RuntimeBuild(language: "Python", version: "3.13.0", peculiarity: .withoutLock)
    let problems: [RuntimeProblem] = [
      .unknownBuild(build, known: Interpreter.versions),
      .unreadable(.namelessFrames, language: "Python", title: "CPython 3.11.7"),
      .unknownBuild(RuntimeBuild(title: "Java on OpenJ9"), known: "HotSpot of JDK 10 and later"),
      .unknownBuild(
        RuntimeBuild(title: "Go of an unknown version", hasNativeFrames: true),
        known: "Go 1.18 to 1.27"),
      .goroutinesNotFound(title: "go1.22.10"),
    ]
    #expect(
      problems.map(\.note) == [
        "Native frames only: this is Python 3.13.0 without the GIL (free-threaded), and sprof reads "
          + "\(Interpreter.versions).",
        "Native frames only: cannot read the Python interpreter (CPython 3.11.7: no frame with a name).",
        "Native frames only: this is Java on OpenJ9, and sprof reads HotSpot of JDK 10 and later.",
        "Goroutines are not shown: this is Go of an unknown version, and sprof reads Go 1.18 to 1.27.",
        "Goroutines are not shown: the list of them was not found in memory (go1.22.10).",
      ])
  }
}

@Suite struct `Waits that a runtime tells of` {
  private func wait(
    _ kind: WaitKind, at object: UInt64, owner: Int32? = nil
  ) -> RuntimeWait {
    RuntimeWait(
      kind: kind, flavor: nil, object: RemoteAddress(object), type: "Lock", owner: owner)
  }

  @Test func `last where both looks found the same`() {
    let before: [Int32: RuntimeWait] = [
      1: wait(.mutex, at: 16, owner: 2), 2: wait(.mutex, at: 32, owner: 1), 3: wait(.mutex, at: 48),
      4: wait(.conditionVariable, at: 64), 5: wait(.mutex, at: 80, owner: 1),
    ]
    var after = before
    // The collector may have moved what these wait for; no owner shows that 3 waits for the same lock.
    after[1] = wait(.mutex, at: 160, owner: 2)
    after[3] = wait(.mutex, at: 49)
    after[4] = wait(.conditionVariable, at: 65)
    after[5] = wait(.mutex, at: 80, owner: 2)
    let lasting = RuntimeWaitSurvey.lasting(before, after)
    #expect(lasting.keys.sorted() == [1, 2, 4, 5])
    #expect(lasting[5]?.owner == nil)
  }

  @Test func `make no circle of one lock that goes from hand to hand`() {
    let handed: [Int32: RuntimeWait] = [
      1: wait(.mutex, at: 16, owner: 2), 2: wait(.mutex, at: 16, owner: 1),
    ]
    let waits = RuntimeWaitSurvey.lasting(handed, handed)
    #expect(waits.count == 2 && waits.values.allSatisfy { $0.owner == nil })
    #expect(RuntimeWaitSurvey.ofOneMoment(handed) == waits)
    let deadlock: [Int32: RuntimeWait] = [
      1: wait(.mutex, at: 16, owner: 2), 2: wait(.mutex, at: 32, owner: 1),
    ]
    #expect(RuntimeWaitSurvey.lasting(deadlock, deadlock) == deadlock)
    #expect(RuntimeWaitSurvey.ofOneMoment(deadlock) == deadlock)
    // A thread that waits for its own end.
    let joined: [Int32: RuntimeWait] = [1: wait(.join, at: 16, owner: 1)]
    #expect(RuntimeWaitSurvey.lasting(joined, joined) == joined)
  }
}
