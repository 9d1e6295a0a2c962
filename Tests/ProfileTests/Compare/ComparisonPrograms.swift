internal import Foundation
internal import ProfileModel

/// The same numbers for the same seed.
struct SeededNumbers: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 0x1234_5678_9ABC_DEF1 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  mutating func uniform() -> Double { Double.random(in: 0..<1, using: &self) }
  mutating func exponential(_ mean: Double) -> Double { -mean * log(1 - uniform()) }

  mutating func normal() -> Double {
    (-2 * log(1 - uniform())).squareRoot() * cos(2 * .pi * uniform())
  }
}

/// A level that drifts about 1, with a memory of some seconds: load, phases of work.
struct Drift {
  private let spread: Double
  private let memory: Double
  private var level: Double
  private var time = 0.0

  init(spread: Double, memory: Double, _ random: inout SeededNumbers) {
    self.spread = spread
    self.memory = memory
    level = spread * random.normal()
  }

  /// The level at a time that does not run backwards; 1 on average.
  mutating func factor(at now: Double, _ random: inout SeededNumbers) -> Double {
    let decay = exp(-(now - time) / memory)
    level = level * decay + spread * (1 - decay * decay).squareRoot() * random.normal()
    time = now
    return exp(level - spread * spread / 2)
  }
}

/// A made-up server: workers take requests, a cruncher never rests, and idle threads wait.
///
/// Costs are known, so the true change between two variants is, too.
struct SyntheticProgram {
  struct Step {
    /// Functions below the request's handler, outermost first.
    var functions: [Int]
    /// Seconds of CPU for one request, on average.
    var cpu: Double
  }

  struct Request {
    let handler: Int
    /// Requests a second, of each worker.
    let rate: Double
    var steps: [Step]
  }

  struct Wait {
    let request: Int
    let function: Int
    /// Part of the requests that wait, and for how many seconds on average.
    let chance: Double
    let mean: Double
  }

  var names: [String]
  var requests: [Request]
  var wait: Wait?
  /// Functions that the compiler inlined into their callers.
  var inlined: Set<Int> = []
  /// The cruncher's functions and the seconds that one turn takes in each, on average.
  var crunch: [Step]
  var workers = 2
  /// Index of a function of a step, to be changed by tests.
  let target: Int
  let crunchTarget: Int
  let lock: Int

  init(seed: UInt64) {
    var random = SeededNumbers(seed)
    var names = [
      "_start", "main", "start_thread", "worker_main", "crunch_main", "poll_requests", "idle_wait",
      "lock_orders",
    ]
    func add(_ name: String) -> Int {
      names.append(name)
      return names.count - 1
    }
    let helpers = (0..<10).map { add("helper_\($0)") }
    let target = add("parse_row")
    var requests: [Request] = []
    for number in 0..<3 {
      let handler = add("handle_\(number)")
      let steps = (0..<Int.random(in: 3...6, using: &random)).map { step in
        let middle = add("step_\(number)_\(step)")
        let functions =
          random.uniform() < 0.6
          ? [middle, helpers[Int.random(in: 0..<10, using: &random)]] : [middle]
        return Step(functions: functions, cpu: 0.0002 + 0.0006 * random.uniform())
      }
      requests.append(Request(handler: handler, rate: 20 + 20 * random.uniform(), steps: steps))
    }
    requests[0].steps.append(Step(functions: [target], cpu: 0.12 / requests[0].rate))
    self.target = target
    crunchTarget = add("hash_block")
    crunch = [Step(functions: [crunchTarget], cpu: 0.002)]
    for number in 0..<4 {
      crunch.append(
        Step(functions: [add("crunch_\(number)")], cpu: 0.001 + 0.002 * random.uniform()))
    }
    lock = 7
    self.names = names
    self.requests = requests
  }

  /// Makes the steps that end in a function take `factor` times as long.
  mutating func slow(_ function: Int, by factor: Double) {
    for request in requests.indices {
      for step in requests[request].steps.indices
      where requests[request].steps[step].functions.last == function {
        requests[request].steps[step].cpu *= factor
      }
    }
    for step in crunch.indices where crunch[step].functions.last == function {
      crunch[step].cpu *= factor
    }
  }

  /// Thread-seconds a second that all workers spend in steps that end in a function.
  func trueRate(_ function: Int, load: Double = 0) -> Double {
    var rate = 0.0
    for request in requests {
      for step in request.steps where step.functions.last == function {
        rate += request.rate * step.cpu * Double(workers)
      }
    }
    if let wait, wait.function == function {
      rate += requests[wait.request].rate * wait.chance * wait.mean * Double(workers)
    }
    let turn = crunch.reduce(0) { $0 + $1.cpu }
    let share = crunch.filter { $0.functions.last == function }.reduce(0) { $0 + $1.cpu } / turn
    // What never rests loses to the load what it takes; what rests takes it from its rest.
    return rate + share / (1 + load)
  }

  var trueBusy: Double {
    requests.reduce(1) { sum, request in
      sum + Double(workers) * request.rate * request.steps.reduce(0) { $0 + $1.cpu }
    }
  }
}

/// How a synthetic program is captured.
struct SyntheticCapture {
  var seconds = 10.0
  var rate = 250.0
  /// Other programs' load: the time waiting for a CPU for each second on one.
  var load = 0.0
  /// How much the work drifts about its mean, with a memory of about half a second.
  var drift = 0.35
  var seed: UInt64

  func profile(of program: SyntheticProgram) -> Profile {
    var random = SeededNumbers(seed)
    var recorder = Recorder(program, self)
    var load = Drift(spread: 0.5, memory: 0.4, &random)
    _ = load.factor(at: 0, &random)
    recorder.addIdle("main", ["_start", "main", "idle_wait"], isMain: true, call: "epoll_wait")
    for worker in 0..<program.workers {
      var own = SeededNumbers(random.next())
      recorder.begin("worker-\(worker)")
      runWorker(program, &recorder, &own)
    }
    var own = SeededNumbers(random.next())
    recorder.begin("cruncher")
    runCruncher(program, &recorder, &own)
    for pool in 0..<3 {
      recorder.addIdle("pool-\(pool)", ["start_thread", "idle_wait"], isMain: false, call: "futex")
    }
    return recorder.finish()
  }

  private func runWorker(
    _ program: SyntheticProgram, _ recorder: inout Recorder, _ random: inout SeededNumbers
  ) {
    let base = [2, 3]
    let poll = recorder.stack(base + [5])
    var phase = Drift(spread: self.drift, memory: 0.6, &random)
    var drift = Drift(spread: 0.5, memory: 0.4, &random)
    let total = program.requests.reduce(0) { $0 + $1.rate }
    var arrival = 0.0
    while recorder.now < seconds {
      arrival += random.exponential(1 / (total * phase.factor(at: arrival, &random)))
      if arrival > recorder.now {
        recorder.spend(arrival - recorder.now, poll, .blocked(WaitReason(systemCall: "epoll_wait")))
      }
      var choice = random.uniform() * total
      let number = program.requests.firstIndex { request in
        choice -= request.rate
        return choice < 0
      }
      let kind = number ?? program.requests.count - 1
      let request = program.requests[kind]
      for step in request.steps {
        let stack = recorder.stack(base + [request.handler] + step.functions)
        run(random.exponential(step.cpu), stack, &recorder, &drift, &random)
      }
      if let wait = program.wait, wait.request == kind, random.uniform() < wait.chance {
        recorder.spend(
          random.exponential(wait.mean), recorder.stack(base + [request.handler, wait.function]),
          .blocked(WaitReason(systemCall: "futex")))
      }
    }
  }

  private func runCruncher(
    _ program: SyntheticProgram, _ recorder: inout Recorder, _ random: inout SeededNumbers
  ) {
    var phase = Drift(spread: self.drift, memory: 0.5, &random)
    var drift = Drift(spread: 0.5, memory: 0.4, &random)
    while recorder.now < seconds {
      let factor = phase.factor(at: recorder.now, &random)
      for (number, step) in program.crunch.enumerated() {
        let mean = step.cpu * (number % 2 == 1 ? factor : 1)
        run(
          random.exponential(mean), recorder.stack([2, 4] + step.functions), &recorder, &drift,
          &random)
      }
    }
  }

  /// Uses CPU time, which load stretches.
  private func run(
    _ cpu: Double, _ stack: StackID, _ recorder: inout Recorder, _ drift: inout Drift,
    _ random: inout SeededNumbers
  ) {
    recorder.spend(cpu, stack, .running)
    guard load > 0 else { return }
    let level = load * drift.factor(at: recorder.now, &random)
    recorder.spend(random.exponential(cpu * level), stack, .waitingForCPU)
  }
}

/// Samples made-up threads as the sampler samples real ones.
private struct Recorder {
  private let plan: SyntheticCapture
  private let module = ModuleID(0)
  private var builder = ProfileBuilder()
  private var frames: [FrameID] = []
  private var symbols: [Frame: ResolvedFrame] = [:]
  private var stacks: [[Int]: StackID] = [:]
  private var inlined: Set<Int>
  private var thread = -1
  private(set) var now = 0.0
  private var nextTick = 1
  private var cpu = 0.0
  private var delay = 0.0

  init(_ program: SyntheticProgram, _ plan: SyntheticCapture) {
    self.plan = plan
    inlined = program.inlined
    for (number, name) in program.names.enumerated() {
      let address = CodeAddress(module: module, address: FileAddress(UInt64(0x1000 + number * 16)))
      frames.append(builder.stacks.id(of: .code(address)))
      symbols[.code(address)] = ResolvedFrame(
        lines: [
          SourceLine(
            function: name, file: "server.c", line: number, isInlined: inlined.contains(number))
        ], module: module)
    }
  }

  mutating func stack(_ functions: [Int]) -> StackID {
    if let known = stacks[functions] { return known }
    let stack = functions.reduce(StackID.empty) {
      builder.stacks.stack(of: frames[$1], calledBy: $0)
    }
    stacks[functions] = stack
    return stack
  }

  mutating func begin(_ name: String, isMain: Bool = false) {
    thread = builder.add(ThreadInfo(tid: Int32(1000 + thread), name: name, isMain: isMain))
    (now, nextTick, cpu, delay) = (0, 1, 0, 0)
  }

  mutating func addIdle(_ name: String, _ functions: [String], isMain: Bool, call: String) {
    begin(name, isMain: isMain)
    let known = ["_start": 0, "main": 1, "start_thread": 2, "idle_wait": 6]
    spend(
      plan.seconds, stack(functions.compactMap { known[$0] }),
      .blocked(WaitReason(systemCall: call)))
  }

  /// Lets time pass in a stack; ticks within that time sample it.
  mutating func spend(_ seconds: Double, _ stack: StackID, _ activity: Activity) {
    let end = min(now + seconds, plan.seconds)
    while Double(nextTick) / plan.rate <= end {
      let tick = Double(nextTick) / plan.rate
      count(tick - now, activity)
      now = tick
      var weight = Weight(samples: 1, ticks: 1, wall: Int64(1e9 / plan.rate))
      // Only a sample that finds the thread on a CPU has CPU time, and so on.
      if activity == .running { weight.cpu = take(&cpu) }
      if activity == .waitingForCPU { weight.delay = take(&delay) }
      builder.sample(
        thread: thread, stack: stack, end: .complete, activity: activity, time: Int64(tick * 1e9),
        weight: weight)
      nextTick += 1
    }
    count(end - now, activity)
    now = end
    if now >= plan.seconds { now = .infinity }
  }

  private func take(_ seconds: inout Double) -> Int64 {
    defer { seconds = 0 }
    return Int64(seconds * 1e9)
  }

  private mutating func count(_ seconds: Double, _ activity: Activity) {
    if activity == .running { cpu += max(0, seconds) }
    if activity == .waitingForCPU { delay += max(0, seconds) }
  }

  func finish() -> Profile {
    var cost = CaptureCost()
    cost.ticksPlanned = Int64(plan.seconds * plan.rate)
    cost.ticksTaken = cost.ticksPlanned
    var profile = builder.finish(
      capture: CaptureInfo(
        kind: .attach, pid: 4242, processName: "server", executable: "/bin/server",
        duration: Int64(plan.seconds * 1e9), rate: plan.rate, cost: cost),
      modules: [Module(path: "/bin/server", buildID: "ab")])
    // The builder numbers the frames anew, in the order of the runs.
    profile.symbols = profile.stacks.frames.map { symbols[$0] ?? ResolvedFrame(unknown: $0) }
    return profile
  }
}
