import LinuxProcess
import ProfileModel
import RuntimeReading
import Testing

@testable import PythonReading
@testable import Sampling

@Suite struct `Pause meter` {
  @Test func `gives percentiles within three percent`() {
    var meter = PauseMeter()
    for value in 1...100_000 { meter.add(pause: Nanoseconds(Int64(value))) }
    #expect(meter.count == 100_000 && meter.longest == 100_000)
    for share in [0.01, 0.5, 0.9, 0.99] {
      let exact = share * 100_000
      #expect(abs(Double(meter.percentile(share).rawValue) - exact) <= exact * 0.035)
    }
    #expect(meter.percentile(1) == 100_000)
  }

  @Test func `takes nothing, zero and the largest pause`() {
    var meter = PauseMeter()
    #expect(meter.percentile(0.5) == 0)
    meter.add(pause: 0)
    meter.add(pause: -5)
    meter.add(pause: Nanoseconds(.max))
    #expect(meter.longest == .max && meter.percentile(0.99) == .max)
    #expect(meter.percentile(0.5) == 1)
  }
}

@Suite struct `Sample ring` {
  @Test func `hands over records in order with their bytes, round and round`() {
    let ring = SampleRing(byteCapacity: 1 << 16)
    var written = 0
    var read = 0
    var state: UInt64 = 88_172_645_463_325_252
    func random(_ limit: Int) -> Int {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Int(state >> 33) % limit
    }
    for _ in 0..<20_000 {
      let size = random(9000)
      if random(3) > 0, let place = ring.reserve(size) {
        place.record.pointee.tid = Int32(written)
        place.record.pointee.byteCount = size
        memsetByte(place.bytes, UInt8(truncatingIfNeeded: written), size)
        place.commit()
        written += 1
      } else {
        let took = ring.takeOne(if: { _ in true }) { record, bytes in
          #expect(record.tid == Int32(read))
          #expect(bytes.allSatisfy { $0 == UInt8(truncatingIfNeeded: read) })
        }
        if took { read += 1 }
      }
    }
    while ring.takeOne(if: { _ in true }, { _, _ in }) { read += 1 }
    #expect(read == written && written > 5_000)
  }

  @Test func `says when it is full and has room again when it was read`() {
    let ring = SampleRing(byteCapacity: 1 << 12)
    #expect(!ring.hasRoom(for: 1 << 13))
    var count = 0
    while let place = ring.reserve(1000) {
      place.record.pointee.byteCount = 1000
      place.commit()
      count += 1
    }
    #expect(count == 4 && !ring.hasRoom(for: 1000))
    #expect(ring.takeOne(if: { _ in true }) { _, _ in })
    #expect(ring.takeOne(if: { _ in true }) { _, _ in })
    #expect(ring.hasRoom(for: 1000))
  }

  @Test func `gives a place that was not used out again`() {
    let ring = SampleRing(byteCapacity: 1 << 12)
    for tid in Int32(1)...3 {
      guard let place = ring.reserve(8) else { continue }
      place.record.pointee.tid = tid
      if tid > 1 { place.commit() }
    }
    var taken: [Int32] = []
    while ring.takeOne(if: { _ in true }, { record, _ in taken.append(record.tid) }) {}
    #expect(taken == [2, 3])
  }

  @Test func `keeps what is not ready, and all that is behind it`() {
    let ring = SampleRing(byteCapacity: 1 << 12)
    for number in [UInt64(1), 7, 0] {
      guard let place = ring.reserve(8) else { continue }
      place.record.pointee.runtimeNumber = number
      place.commit()
    }
    var taken: [UInt64] = []
    func take(upTo last: UInt64) {
      while ring.takeOne(
        if: { $0.runtimeNumber <= last },
        { record, _ in
          taken.append(record.runtimeNumber)
        })
      {}
    }
    take(upTo: 6)
    #expect(taken == [1])
    take(upTo: 7)
    #expect(taken == [1, 7, 0])
  }

  private func memsetByte(_ bytes: UnsafeMutableRawPointer, _ value: UInt8, _ count: Int) {
    for index in 0..<count { bytes.storeBytes(of: value, toByteOffset: index, as: UInt8.self) }
  }
}

@Suite struct `Functions of the interpreter` {
  @Test(arguments: [
    "_PyEvalFramePushAndInit", "_PyEvalFramePushAndInit_Ex", "_PyEvalFrameClearAndPop",
    "initialize_locals", "_PyCallMethodDescriptorFastWithKeywords_StackRef",
    "_Py_BuiltinCallFast_StackRef", "_Py_CallBuiltinClass_StackRef", "_Py_VectorCall_StackRefSteal",
    "_Py_Specialize_LoadAttr", "_Py_CheckFunctionResult", "_Py_slot_tp_getattr_hook",
    "wrapperdescr_call", "_Py_call_instrumentation_line", "_PyEvalFramePushAndInit.part.0",
  ])
  func `that bring a call about are machinery`(_ name: String) {
    #expect(PythonNativeCode(path: "").role(ofFunction: name) == .machinery)
  }

  @Test(arguments: [
    "list_sort", "builtin_sum", "unicode_concatenate", "unpack_iterable", "gen_close",
    "dict_update",
    "lock_PyThread_acquire_lock", "take_gil", "PyEval_RestoreThread", "property_descr_get",
    "mappingproxy_get", "_PyUnicodeWriter_Init", "type_init", "frame_dealloc",
  ])
  func `that do a program's work are seen`(_ name: String) {
    #expect(PythonNativeCode(path: "").role(ofFunction: name) == .builtin)
  }

  @Test(arguments: ["_PyEval_EvalFrameDefault", "_PyEval_EvalFrameDefault.cold", "_TAIL_CALL_NOP"])
  func `that run code are loops`(_ name: String) {
    #expect(PythonNativeCode(path: "").role(ofFunction: name) == .loop)
  }
}

@Suite struct `Runtime stacks` {
  /// A stack that can be told from others.
  private func stack(_ number: UInt64) -> RuntimeStack {
    var stack = RuntimeStack()
    stack.end = .unreadable(RemoteAddress(number))
    return stack
  }

  @Test func `come to the samples that carry their numbers`() {
    let stacks = RuntimeStacks()
    #expect(stacks.lastNumber == 0)
    stacks.put([])
    stacks.put([(1, stack(1)), (2, nil), (4, stack(4))])
    #expect(stacks.lastNumber == 4)
    #expect(stacks.take(1)?.end == stack(1).end)
    // A sample that came to nothing, and one whose stack nobody asks for.
    #expect(stacks.take(2) == nil)
    stacks.put([(5, stack(5)), (6, stack(6))])
    #expect(stacks.take(5)?.end == stack(5).end)
    #expect(stacks.take(4) == nil)
    #expect(stacks.take(6)?.end == stack(6).end && stacks.take(6) == nil)
  }

  @Test func `give a thread no name of an earlier one with its number`() {
    let stacks = RuntimeStacks()
    stacks.addNames([7: "payments", 8: "mail"], at: 200)
    #expect(stacks.name(of: 7, seenSince: 0) == "payments")
    #expect(stacks.name(of: 7, seenSince: 201) == nil && stacks.name(of: 9, seenSince: 0) == nil)
    stacks.addNames([7: "reports"], at: 300)
    #expect(stacks.name(of: 7, seenSince: 201) == "reports")
    #expect(stacks.name(of: 8, seenSince: 0) == "mail")
  }

  @Test func `stay in their order however many wait`() {
    let stacks = RuntimeStacks()
    var next: UInt64 = 1
    for number in UInt64(1)...20_000 {
      stacks.put([(number, stack(number))])
      // The reader falls back, and now and then takes all.
      guard number % 3 > 0 || number % 5000 == 0 else { continue }
      repeat {
        #expect(stacks.take(next)?.end == stack(next).end)
        next += 1
      } while number % 5000 == 0 && next <= number
    }
    #expect(next == 20_001)
  }
}

@Suite struct `Profile builder` {
  @Test func `lengthens a run while stack and activity stay the same`() {
    var builder = ProfileBuilder()
    let thread = builder.add(ThreadInfo(tid: 1, name: "main", isMain: true))
    let frame = builder.stacks.id(
      of: .code(CodeAddress(module: ModuleID(0), address: FileAddress(16))))
    let stack = builder.stacks.stack(of: frame, calledBy: .empty)
    let tick = Weight(samples: 1, ticks: 1, cpu: 2, wall: 10)
    for time in [Int64(10), 20, 30] {
      builder.sample(
        thread: thread, stack: stack, end: .complete, activity: .running, time: time, weight: tick)
    }
    builder.extend(thread: thread, by: Weight(samples: 1, ticks: 2, wall: 20))
    builder.sample(
      thread: thread, stack: stack, end: .complete, activity: .stopped, time: 60, weight: tick)
    let profile = builder.finish(
      capture: CaptureInfo(kind: .attach, pid: 1, processName: "x"), modules: [])
    #expect(profile.runs.count == 2)
    #expect(profile.runs[0].weight == Weight(samples: 4, ticks: 5, cpu: 6, wall: 50))
    #expect(profile.runs[0].start == 0 && profile.runs[1].start == 50)
  }

  /// Samples one thread, each time in a stack of its own.
  private func builder(_ activities: [Activity]) -> ProfileBuilder {
    var builder = ProfileBuilder()
    let thread = builder.add(ThreadInfo(tid: 1, name: "main", isMain: true))
    for (number, activity) in activities.enumerated() {
      let frame = builder.stacks.id(
        of: .code(CodeAddress(module: ModuleID(0), address: FileAddress(UInt64(number)))))
      builder.sample(
        thread: thread, stack: builder.stacks.stack(of: frame, calledBy: .empty), end: .complete,
        activity: activity, time: Int64(number + 1) * 10,
        weight: Weight(samples: 1, ticks: 1, wall: 10))
    }
    return builder
  }

  private func finish(_ builder: consuming ProfileBuilder) -> Profile {
    builder.finish(capture: CaptureInfo(kind: .attach, pid: 1, processName: "x"), modules: [])
  }

  private let asleep = Activity.blocked(WaitReason(systemCall: "poll"))

  @Test func `credits CPU time to the last run on a CPU, and delay to the last without one`() {
    var builder = builder([.waitingForCPU, .running, asleep])
    builder.credit(thread: 0, Weight(cpu: 7, delay: 5))
    let profile = finish(builder)
    #expect(profile.runs.map(\.weight.cpu) == [0, 7, 0])
    #expect(profile.runs.map(\.weight.delay) == [5, 0, 0])
  }

  @Test func `hands over what was credited to a run after it was handed over`() {
    var builder = builder([.running, asleep])
    let first = builder.takeGrowth { _, _ in Weight() }
    builder.credit(thread: 0, Weight(cpu: 7))
    let second = builder.takeGrowth { _, _ in Weight() }
    #expect(first.runs.map(\.weight.cpu) == [0, 0])
    #expect(second.runs.map(\.weight) == [Weight(cpu: 7)])
    #expect(second.runs.first?.stack == first.runs.first?.stack)
    #expect(second.runs.first?.start == first.runs.first?.start)
    #expect(builder.takeGrowth { _, _ in Weight() }.runs.isEmpty)
    #expect(finish(builder).runs.map(\.weight.cpu) == [7, 0])
  }

  @Test func `spreads what belongs to no run over those on a CPU`() {
    var builder = builder([.running, asleep, .running, .running])
    builder.spread(thread: 0, Weight(cpu: 100, delay: 10))
    let profile = finish(builder)
    #expect(profile.runs.map(\.weight.cpu) == [33, 0, 34, 33])
    #expect(profile.runs.map(\.weight.delay).reduce(0, +) == 10)
  }

  @Test func `says so where a thread ran and no sample saw it`() throws {
    var builder = builder([asleep])
    builder.spread(thread: 0, Weight(cpu: 1_000_000))
    let profile = finish(builder)
    // What it was found in is its last run.
    let run = try #require(profile.runs.first)
    #expect(profile.runs.map(\.weight.cpu) == [1_000_000, 0])
    let frame = try #require(profile.stacks.innermostFrame(of: run.stack))
    #expect(
      profile.stacks[frame] == .interpreted(SourceLine(function: ProfileBuilder.unseenName)))
    #expect(run.activity == .running && run.weight.samples == 0)
  }

  @Test func `leaves what a thread used to wake up for a moment where it sleeps`() {
    var builder = builder([asleep])
    builder.spread(thread: 0, Weight(cpu: 20_000))
    #expect(finish(builder).runs.map(\.weight.cpu) == [20_000])
  }

  @Test func `begins a run where a thread has run since, though it sleeps where it slept`() {
    var builder = builder([asleep])
    let stack = builder.openStack(of: 0) ?? .empty
    for hasRun in [false, true] {
      builder.sample(
        thread: 0, stack: stack, end: .complete, activity: asleep, time: 20,
        weight: Weight(samples: 1, ticks: 1, wall: 10), hasRun: hasRun)
    }
    #expect(finish(builder).runs.map(\.weight.ticks) == [2, 1])
  }

  @Test func `ends a thread that ran after its last sleep with a run of its own`() {
    var builder = builder([.running, asleep])
    builder.end(thread: 0, with: Weight(ticks: 1, cpu: 4, wall: 5), at: 25)
    let profile = finish(builder)
    #expect(profile.runs.map(\.weight.wall) == [10, 10, 5])
    #expect(profile.runs.map(\.weight.cpu) == [0, 0, 0])
    #expect(profile.runs.last?.stack == profile.runs.first?.stack)
    #expect(profile.runs.last?.activity == .running)
  }
}
