internal import ProfileModel
internal import SwiftProtobuf

/// The words of a capture that a reader must know again.
enum CaptureWords {
  static let sampleTypes = [
    ("samples", "count"), ("ticks", "count"), ("cpu", "nanoseconds"), ("wall", "nanoseconds"),
    ("delay", "nanoseconds"),
  ]
  static let thread = "thread"
  static let tid = "tid"
  /// Tells apart threads that had the same number one after the other; missing for the first.
  static let tidUse = "tid_use"
  /// The number and the name of the process, where there are several.
  static let pid = "pid"
  static let process = "process"
  static let start = "start"
  static let state = "state"
  static let wait = "wait"
  static let end = "end"
  /// The system name of the place of frames that were left out of a deep stack.
  static let elided = "[sprof:elided]"
  static let interpreted = "[sprof:interpreted]"
}

/// Turns parts of a profile into pprof messages, each of which holds only what is new since the
/// last: one after the other they are one profile.
struct ProfileEncoder {
  private struct FunctionKey: Hashable {
    let name: String
    let linkageName: String?
    let file: String?
  }

  private struct KnownThread {
    var name: String
    let tid: Int32
    let use: Int64
    var process: OwningProcess?
    /// The bytes of its labels; empty until a run asks for them.
    var labels: [UInt8] = []
  }

  private var strings: [String: Int64] = [:]
  private var stringCount: Int64 = 0
  private var functions: [FunctionKey: UInt64] = [:]
  private var mappings: Set<Int32> = []
  private var threads: [Int: KnownThread] = [:]
  private var usesOfTid: [Int32: Int64] = [:]
  private var message = Perftools_Profiles_Profile()
  private var samples = SampleEncoder()

  /// Whether labels that only sprof reads are left out.
  private let isPlain: Bool

  /// Begins with the types of samples.
  init(isPlain: Bool = false) {
    self.isPlain = isPlain
    _ = index(of: "")
    for (type, unit) in CaptureWords.sampleTypes { message.sampleType.append(value(type, unit)) }
  }

  /// Begins with the types of samples and what is known of the capture.
  init(_ capture: CaptureInfo) {
    self.init()
    describe(capture)
  }

  /// Says which values viewers are to show, when and for how long the capture was; once.
  mutating func describe(_ capture: CaptureInfo) {
    // A look has no duration.
    message.defaultSampleType = index(of: capture.kind == .dump ? "samples" : "wall")
    if capture.rate >= 1, capture.rate.isFinite {
      message.periodType = value("wall", "nanoseconds")
      message.period = Int64(1e9 / capture.rate)
    }
    let start = capture.startTime * 1e9
    if abs(start) < 9e18 { message.timeNanos = Int64(start) }
    message.durationNanos = capture.duration
  }

  /// The number of samples that wait to be taken.
  var sampleCount: Int { samples.count }

  /// Everything added since the last call, as the bytes of one message.
  mutating func take() -> [UInt8] {
    // Only required fields, which proto3 has not, and messages of 2 GB can fail.
    let bytes: [UInt8] = (try? message.serializedBytes()) ?? []
    message = Perftools_Profiles_Profile()
    return bytes + samples.take()
  }

  mutating func add(comment: String) { message.comment.append(index(of: comment)) }

  /// Adds a line that no other text is the same as.
  mutating func add(_ comment: CaptureComment) {
    message.comment.append(append(comment.line))
  }

  mutating func setDuration(_ duration: Int64) { message.durationNanos = duration }

  /// Adds a module as mapping `number` + 1, once.
  mutating func add(_ module: Module, number: Int32) {
    guard mappings.insert(number).inserted else { return }
    var mapping = Perftools_Profiles_Mapping()
    mapping.id = UInt64(number) + 1
    mapping.filename = index(of: module.path)
    mapping.buildID = module.buildID.map { index(of: $0) } ?? 0
    // All that can be known of the names is in the file: pprof is not to look for more.
    mapping.hasFunctions_p = true
    mapping.hasFilenames_p = true
    mapping.hasLineNumbers_p = true
    mapping.hasInlineFrames_p = true
    message.mapping.append(mapping)
  }

  /// Adds a frame as location `id` + 1; its module must be known.
  mutating func add(_ id: FrameID, _ frame: Frame, named symbol: ResolvedFrame?) {
    var location = Perftools_Profiles_Location()
    location.id = UInt64(id.rawValue) + 1
    switch frame {
    case .elided(let count):
      location.line = [
        line(SourceLine(function: "…", linkageName: CaptureWords.elided, line: count))
      ]
    case .interpreted(let source):
      location.line = [
        line(
          SourceLine(
            function: source.function, linkageName: CaptureWords.interpreted, file: source.file,
            line: source.line))
      ]
    case .code(let code):
      if code.module.rawValue >= 0 { location.mappingID = UInt64(code.module.rawValue) + 1 }
      location.address = code.address.rawValue
      let lines = (symbol ?? ResolvedFrame(unknown: frame)).lines
      location.line = lines.map { line($0) }
    }
    message.location.append(location)
  }

  /// Makes a thread known, or known by another name.
  mutating func add(_ thread: ThreadInfo, index: Int) {
    guard threads[index] == nil else {
      threads[index]?.name = thread.name
      threads[index]?.process = thread.process
      threads[index]?.labels = []
      return
    }
    let use = usesOfTid[thread.tid, default: 0] + 1
    usesOfTid[thread.tid] = use
    threads[index] = KnownThread(
      name: thread.name, tid: thread.tid, use: use, process: thread.process)
  }

  /// Adds a run, whose thread must be known; its frames (innermost first) may be told later.
  mutating func add(_ run: Run, frames: [FrameID]) {
    guard let thread = labels(ofThread: run.thread) else { return }
    let kind =
      samples.labels(of: run) ?? samples.keep(labels(of: run.activity, run.end), as: run)
    guard !isPlain else { return samples.add(run, frames: frames, labels: [thread, kind]) }
    let start = SampleEncoder.SampleLabel(
      key: index(of: CaptureWords.start), number: run.start, unit: index(of: "nanoseconds"))
    samples.add(run, frames: frames, labels: [thread, start.bytes, kind])
  }

  // MARK: - Parts

  private mutating func line(_ source: SourceLine) -> Perftools_Profiles_Line {
    let key = FunctionKey(
      name: source.function, linkageName: source.linkageName, file: source.file)
    var line = Perftools_Profiles_Line()
    line.line = Int64(source.line)
    if let known = functions[key] {
      line.functionID = known
      return line
    }
    var function = Perftools_Profiles_Function()
    function.id = UInt64(functions.count) + 1
    function.name = index(of: source.function)
    function.systemName = source.linkageName.map { index(of: $0) } ?? 0
    function.filename = source.file.map { index(of: $0) } ?? 0
    message.function.append(function)
    functions[key] = function.id
    line.functionID = function.id
    return line
  }

  /// The bytes of a thread's labels; nil for one that is not known.
  private mutating func labels(ofThread number: Int) -> [UInt8]? {
    guard let thread = threads[number] else { return nil }
    guard thread.labels.isEmpty else { return thread.labels }
    var bytes = label(CaptureWords.thread, thread.name) + label(CaptureWords.tid, Int64(thread.tid))
    if let process = thread.process {
      bytes += label(CaptureWords.pid, Int64(process.pid))
      bytes += label(CaptureWords.process, process.name)
    }
    if thread.use > 1, !isPlain { bytes += label(CaptureWords.tidUse, thread.use) }
    threads[number]?.labels = bytes
    return bytes
  }

  /// The bytes of the labels of what a thread did.
  private mutating func labels(of activity: Activity, _ end: StackEnd) -> [UInt8] {
    var bytes = label(CaptureWords.state, activity.rawName)
    if let wait = activity.wait { bytes += label(CaptureWords.wait, wait) }
    if end != .complete, !isPlain { bytes += label(CaptureWords.end, end.rawName) }
    return bytes
  }

  private mutating func label(_ key: String, _ text: String) -> [UInt8] {
    SampleEncoder.SampleLabel(key: index(of: key), text: index(of: text)).bytes
  }

  private mutating func label(_ key: String, _ number: Int64) -> [UInt8] {
    SampleEncoder.SampleLabel(key: index(of: key), number: number).bytes
  }

  private mutating func value(_ type: String, _ unit: String) -> Perftools_Profiles_ValueType {
    var value = Perftools_Profiles_ValueType()
    value.type = index(of: type)
    value.unit = index(of: unit)
    return value
  }

  private mutating func index(of text: String) -> Int64 {
    if let known = strings[text] { return known }
    let index = append(text)
    strings[text] = index
    return index
  }

  /// The index of a text that is not looked for again.
  private mutating func append(_ text: String) -> Int64 {
    message.stringTable.append(text)
    stringCount += 1
    return stringCount - 1
  }
}

extension ProfileEncoder {
  /// Adds what is known of the capture as a whole, its threads and its modules.
  mutating func addFacts(of profile: Profile) {
    var comment = CaptureComment()
    comment.version = SprofVersion.current
    comment.complete = true
    comment.capture = CaptureComment.Capture(profile.capture)
    let problems = profile.modules.enumerated().compactMap { number, module in
      module.problem.map { CaptureComment.Problem(module: number, problem: $0) }
    }
    if !problems.isEmpty { comment.problems = problems }
    add(comment)
    add(Array(profile.threads.enumerated().map { ($0.offset, $0.element) }))
    add(profile.blockings)
    for tasks in profile.tasks {
      for part in CaptureComment.Tasks.parts(of: tasks) {
        var comment = CaptureComment()
        comment.tasks = part
        add(comment)
      }
    }
    for (number, module) in profile.modules.enumerated() { add(module, number: Int32(number)) }
  }

  /// Adds what is known of threads as comments of no more than 100 each.
  mutating func add(_ threads: [(index: Int, info: ThreadInfo)]) {
    for start in stride(from: 0, to: threads.count, by: 100) {
      var comment = CaptureComment()
      comment.threads = threads[start..<min(start + 100, threads.count)].map {
        CaptureComment.Thread($0.index, $0.info)
      }
      add(comment)
    }
  }

  /// Adds what threads wait for, as comments of no more than 100 each.
  private mutating func add(_ blockings: [Blocking]) {
    for start in stride(from: 0, to: blockings.count, by: 100) {
      var comment = CaptureComment()
      comment.waits = blockings[start..<min(start + 100, blockings.count)].map {
        CaptureComment.Waiting($0)
      }
      add(comment)
    }
  }
}
