internal import ProfileAnalysis
internal import ProfileModel

/// The layout of the JSON reports: what each key means stands in `docs/json.md`.
struct JSONDocument: Encodable {
  let sprof: Sprof
  let capture: Capture
  let cost: Cost
  let modules: [JSONModule]
  let frames: [JSONFrame]
  let stacks: [[Int]]
  let threads: [JSONThread]
  let tree: [JSONNode]

  init(_ index: ProfileIndex, threads: [Int]) {
    let profile = index.profile
    sprof = Sprof(version: SprofVersion.current, schema: JSONReport.schema)
    capture = Capture(profile.capture)
    cost = Cost(profile.capture)
    modules = profile.modules.map(JSONModule.init)
    var numbering = StackNumbering(index)
    let tables = LineTable.tables(index, groups: threads.map { [$0] })
    self.threads = zip(threads, tables).map { JSONThread($0, $1, index, &numbering) }
    frames = numbering.frames
    stacks = numbering.stacks
    tree = CallTree(index, groups: threads.map { [$0] }).jsonNodes(index)
  }

  struct Sprof: Encodable {
    let version: String
    let schema: Int
  }
}

/// A value that is written as `null` when it is not known, so that every object has all its keys.
struct OrNull<Value: Encodable>: Encodable {
  let value: Value?

  init(_ value: Value?) { self.value = value }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    guard let value else { return try container.encodeNil() }
    try container.encode(value)
  }
}

/// Spares the encoder a container for each of very many values.
extension KeyedEncodingContainer {
  mutating func encode(_ value: OrNull<Int>, forKey key: Key) throws {
    guard let value = value.value else { return try encodeNil(forKey: key) }
    try encode(value, forKey: key)
  }

  mutating func encode(_ value: OrNull<String>, forKey key: Key) throws {
    guard let value = value.value else { return try encodeNil(forKey: key) }
    try encode(value, forKey: key)
  }
}

/// Numbers the stacks and frames that a report uses, in the order of their first use.
private struct StackNumbering {
  private let index: ProfileIndex
  private var numberOfFrame: [Int]
  private var numberOfStack: [StackID: Int] = [:]
  private(set) var frames: [JSONFrame] = []
  private(set) var stacks: [[Int]] = []

  init(_ index: ProfileIndex) {
    self.index = index
    numberOfFrame = Array(repeating: -1, count: index.stacks.frames.count)
  }

  mutating func number(of stack: StackID) -> Int {
    if let known = numberOfStack[stack] { return known }
    let table = index.profile.stacks
    let isKnown = Int(stack.rawValue) < table.stackCount
    let numbers = (isKnown ? table.frames(of: stack) : []).flatMap { frame in
      index.stacks.sourceFrames(of: frame)
    }.map { number(ofFrame: $0) }
    numberOfStack[stack] = stacks.count
    stacks.append(numbers)
    return stacks.count - 1
  }

  private mutating func number(ofFrame frame: Int) -> Int {
    if numberOfFrame[frame] < 0 {
      numberOfFrame[frame] = frames.count
      frames.append(JSONFrame(index.stacks.frames[frame], index.profile))
    }
    return numberOfFrame[frame]
  }
}

extension JSONDocument {
  struct Capture: Encodable {
    let kind: String
    let pid: Int32
    let process: String
    let executable: OrNull<String>
    let commandLine: [String]
    let host: String
    let kernel: String
    let startTime: Double
    let duration: Int64
    let rate: Double
    let ending: String
    let notes: [String]

    enum CodingKeys: String, CodingKey {
      case kind, pid, process, executable, host, kernel, ending, notes
      case commandLine = "command_line"
      case startTime = "start_time"
      case duration = "duration_ns"
      case rate = "rate_hz"
    }

    init(_ capture: CaptureInfo) {
      kind = capture.kind.rawValue
      pid = capture.pid
      process = capture.processName
      executable = OrNull(capture.executable)
      commandLine = capture.commandLine
      host = capture.hostName
      kernel = capture.kernel
      startTime = capture.startTime.finite
      duration = capture.duration
      rate = capture.rate.finite
      ending = capture.ending.rawValue
      notes = capture.notes
    }
  }

  struct Cost: Encodable {
    let ticksPlanned, ticksTaken, ticksLate, looksWithoutStop, stops: Int64
    let pauseMedian, pause99, pauseMax, stoppedTime: Int64
    let stoppedShare: Double
    let ownCPU, looksDropped: Int64

    enum CodingKeys: String, CodingKey {
      case ticksPlanned = "ticks_planned"
      case ticksTaken = "ticks_taken"
      case ticksLate = "ticks_late"
      case looksWithoutStop = "looks_without_stop"
      case stops
      case pauseMedian = "pause_p50_ns"
      case pause99 = "pause_p99_ns"
      case pauseMax = "pause_max_ns"
      case stoppedTime = "stopped_ns"
      case stoppedShare = "stopped_share"
      case ownCPU = "own_cpu_ns"
      case looksDropped = "looks_dropped"
    }

    init(_ capture: CaptureInfo) {
      let cost = capture.cost
      ticksPlanned = cost.ticksPlanned
      ticksTaken = cost.ticksTaken
      ticksLate = cost.ticksLate
      looksWithoutStop = cost.looksWithoutStop
      stops = cost.stops
      pauseMedian = cost.pauseMedian
      pause99 = cost.pause99
      pauseMax = cost.pauseMax
      stoppedTime = cost.stoppedTime
      stoppedShare = cost.stoppedShare(of: capture.duration)
      ownCPU = cost.ownCPU
      looksDropped = cost.looksDropped
    }
  }
}

struct JSONModule: Encodable {
  let path: String
  let buildID: OrNull<String>
  let problem: OrNull<String>

  enum CodingKeys: String, CodingKey {
    case path, problem
    case buildID = "build_id"
  }

  init(_ module: Module) {
    path = module.path
    buildID = OrNull(module.buildID)
    problem = OrNull(module.problem)
  }
}

struct JSONFrame: Encodable {
  let function: String
  let linkageName: OrNull<String>
  let file: OrNull<String>
  let line: OrNull<Int>
  let inlined: Bool
  let elided: Bool
  let module: OrNull<Int>
  let address: OrNull<String>

  enum CodingKeys: String, CodingKey {
    case function, file, line, inlined, elided, module, address
    case linkageName = "linkage_name"
  }

  init(_ frame: SourceFrame, _ profile: Profile) {
    function = frame.line.function
    linkageName = OrNull(frame.line.linkageName)
    file = OrNull(frame.line.file)
    line = OrNull(frame.line.line > 0 ? frame.line.line : nil)
    inlined = frame.line.isInlined
    elided = frame.isElided
    module = OrNull(profile.index(of: frame.module))
    address = OrNull(frame.address?.description)
  }
}

struct JSONThread: Encodable {
  let tid: Int32
  let name: String
  let main: Bool
  let ended: Bool
  let state: OrNull<String>
  let cpu, delay, cpuSinceStart, firstSeen, lastSeen: Int64
  let running, waiting, blocked, stopped, unknown: OrNull<Double>
  let systemCall: OrNull<Call>
  let runs: [JSONRun]
  let lines: [JSONLine]

  enum CodingKeys: String, CodingKey {
    case tid, name, main, ended, state, runs, lines
    case cpu = "cpu_ns"
    case delay = "delay_ns"
    case cpuSinceStart = "cpu_since_start_ns"
    case firstSeen = "first_seen_ns"
    case lastSeen = "last_seen_ns"
    case running = "running_percent"
    case waiting = "waiting_percent"
    case blocked = "blocked_percent"
    case stopped = "stopped_percent"
    case unknown = "unknown_percent"
    case systemCall = "system_call"
  }

  struct Call: Encodable {
    let name: String
    let arguments: [String]
  }

  fileprivate init(
    _ thread: Int, _ table: LineTable, _ index: ProfileIndex, _ numbering: inout StackNumbering
  ) {
    let info = index.profile.threads[thread]
    tid = info.tid
    name = info.name
    main = info.isMain
    ended = info.hasEnded
    state = OrNull(info.state.map(String.init))
    cpu = info.cpu
    delay = info.delay
    cpuSinceStart = info.cpuSinceStart
    firstSeen = info.firstSeen
    lastSeen = info.lastSeen
    let shares = TimeShares(index, thread: thread)
    running = OrNull(shares?.running)
    waiting = OrNull(shares?.waiting)
    blocked = OrNull(shares?.blocked)
    stopped = OrNull(shares?.stopped)
    unknown = OrNull(shares?.unknown)
    systemCall = OrNull(
      info.systemCall.map { call in
        Call(name: call.name, arguments: call.arguments.map { "0x" + String($0, radix: 16) })
      })
    var runs: [JSONRun] = []
    for run in index.runs(of: thread) {
      runs.append(JSONRun(run, stack: numbering.number(of: run.stack)))
    }
    self.runs = runs
    lines = table.rows.map { JSONLine($0, index) }
  }
}

struct JSONRun: Encodable {
  let start: Int64
  let stack: Int
  let end: String
  let activity: String
  let wait: OrNull<String>
  let samples, ticks, cpu, wall, delay: Int64

  enum CodingKeys: String, CodingKey {
    case stack, end, activity, wait, samples, ticks
    case start = "start_ns"
    case cpu = "cpu_ns"
    case wall = "wall_ns"
    case delay = "delay_ns"
  }

  init(_ run: Run, stack: Int) {
    start = run.start
    self.stack = stack
    end = run.end.rawName
    activity = run.activity.rawName
    wait = OrNull(run.activity.wait)
    samples = run.weight.samples
    ticks = run.weight.ticks
    cpu = run.weight.cpu
    wall = run.weight.wall
    delay = run.weight.delay
  }
}

struct JSONLine: Encodable {
  let function, file: OrNull<String>
  let module, line: OrNull<Int>
  let cpu, cpuCumulative, ticks, ticksCumulative, samples, samplesCumulative: Int64

  enum CodingKeys: String, CodingKey {
    case function, file, module, line, ticks, samples
    case cpu = "cpu_ns"
    case cpuCumulative = "cpu_cum_ns"
    case ticksCumulative = "ticks_cum"
    case samplesCumulative = "samples_cum"
  }

  init(_ row: LineTable.Row, _ index: ProfileIndex) {
    let place = row.line.map { index.stacks.lines[$0] }
    let source = place.map { index.stacks.functions[$0.function] }
    function = OrNull(source?.name)
    file = OrNull(source?.file)
    module = OrNull(source.flatMap { index.profile.index(of: $0.module) })
    line = OrNull(place.flatMap { $0.line > 0 ? $0.line : nil })
    cpu = row.own.cpu
    cpuCumulative = row.cumulative.cpu
    ticks = row.own.ticks
    ticksCumulative = row.cumulative.ticks
    samples = row.own.samples
    samplesCumulative = row.cumulative.samples
  }
}

struct JSONWeight: Encodable {
  let samples, ticks, cpu, wall, delay: Int64

  enum CodingKeys: String, CodingKey {
    case samples, ticks
    case cpu = "cpu_ns"
    case wall = "wall_ns"
    case delay = "delay_ns"
  }

  init(_ weight: Weight) {
    samples = weight.samples
    ticks = weight.ticks
    cpu = weight.cpu
    wall = weight.wall
    delay = weight.delay
  }
}

struct JSONNode: Encodable {
  let kind: String
  let reason: OrNull<String>
  let parent: OrNull<Int>
  let thread: Int
  let function, file: OrNull<String>
  let module: OrNull<Int>
  let inlined: Bool
  let inclusive, own: JSONWeight

  enum CodingKeys: String, CodingKey {
    case kind, reason, parent, thread, function, file, module, inlined, inclusive
    case own = "self"
  }
}

extension CallTree {
  /// The nodes in their own order; groups of one thread each.
  fileprivate func jsonNodes(_ index: ProfileIndex) -> [JSONNode] {
    var thread = -1
    return nodes.map { node in
      var function: SourceFunction?
      var reason: StackEnd.Reason?
      let kind: String
      switch node.kind {
      case .threads(let number):
        thread = number
        kind = "thread"
      case .function(let number):
        function = index.stacks.functions[number]
        kind = function?.isElided == true ? "elided" : "function"
      case .missingCallers(let why):
        reason = why
        kind = "callers_unknown"
      case .noStack: kind = "no_stack"
      }
      return JSONNode(
        kind: kind, reason: OrNull(reason?.rawValue), parent: OrNull(node.parent), thread: thread,
        function: OrNull(function?.name), file: OrNull(function?.file),
        module: OrNull(function.flatMap { index.profile.index(of: $0.module) }),
        inlined: node.isInlined, inclusive: JSONWeight(node.inclusive), own: JSONWeight(node.own))
    }
  }
}

extension Profile {
  /// The module's place in `modules`, nil for code in no file.
  fileprivate func index(of module: ModuleID) -> Int? {
    let index = Int(module.rawValue)
    return modules.indices.contains(index) ? index : nil
  }
}

extension Double {
  /// JSON has no word for infinity and for what is not a number.
  fileprivate var finite: Double { isFinite ? self : 0 }
}
