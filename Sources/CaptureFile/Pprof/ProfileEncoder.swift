internal import ProfileModel
internal import SwiftProtobuf

/// Turns parts of a profile into pprof messages, each with what is new since the last; together
/// they are one profile.
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
  private var functions: [FunctionKey: UInt64] = [:]
  private var mappings: Set<Int32> = []
  private var threads: [Int: KnownThread] = [:]
  private var usesOfTid: [Int32: Int64] = [:]
  private var message = Perftools_Profiles_Profile()
  private var facts: [UInt8] = []
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

  /// Sets the values that viewers show, and when and for how long the capture was; call it once: pprof
  /// refuses a profile with two times of its start.
  mutating func describe(_ capture: CaptureInfo) {
    // A dump has no duration.
    message.defaultSampleType = index(of: capture.kind == .dump ? "samples" : "wall")
    if capture.rate >= 1, capture.rate.isFinite {
      message.periodType = value("wall", "nanoseconds")
      message.period = Int64(1e9 / capture.rate)
    }
    let start = capture.startTime * 1e9
    if abs(start) < 9e18 { message.timeNanos = Int64(start) }
    message.durationNanos = capture.duration
  }

  /// The number of samples since the last `take`.
  var sampleCount: Int { samples.count }

  /// Everything added since the last call, as the bytes of one message.
  mutating func take() -> [UInt8] {
    // It fails only for required fields, which proto3 does not have, and for messages of 2 GB.
    let bytes: [UInt8] = (try? message.serializedBytes()) ?? []
    message = Perftools_Profiles_Profile()
    defer { facts.removeAll(keepingCapacity: true) }
    return bytes + facts + samples.take()
  }

  mutating func add(comment: String) { message.comment.append(index(of: comment)) }

  /// Adds the one comment of a capture: other tools show it above their reports.
  mutating func addComment() {
    add(
      comment: "sprof \(SprofVersion.current): for threads, waits and the verdict, use sprof report"
    )
  }

  mutating func add(_ added: CaptureFacts) {
    let text = added.text.utf8
    facts.beginField(CaptureFacts.field, count: text.count)
    facts += text
  }

  mutating func setDuration(_ duration: Int64) { message.durationNanos = duration }

  /// Adds a module as mapping `number` + 1, once.
  mutating func add(_ module: Module, number: Int32) {
    guard mappings.insert(number).inserted else { return }
    var mapping = Perftools_Profiles_Mapping()
    mapping.id = UInt64(number) + 1
    mapping.filename = index(of: module.path)
    mapping.buildID = module.buildID.map { index(of: $0) } ?? 0
    // The file has all names: pprof need not look for more.
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
            function: source.function, linkageName: CaptureWords.mark(of: source.language),
            file: source.file,
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

  /// Adds a thread, or gives it another name.
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

  /// Adds a run of a thread that was added before; its frames (innermost first) may be added later.
  mutating func add(_ run: Run, frames: [FrameID]) {
    guard let thread = labels(ofThread: run.thread) else { return }
    let kind =
      samples.labels(of: run) ?? samples.keep(labels(of: run), as: run)
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

  /// The bytes of a thread's labels; nil for one that was not added.
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
  private mutating func labels(of run: Run) -> [UInt8] {
    var bytes = label(CaptureWords.state, run.activity.rawName)
    if let wait = run.activity.wait { bytes += label(CaptureWords.wait, wait) }
    guard !isPlain else { return bytes }
    if run.activity.awaitsInterpreterLock {
      bytes += label(CaptureWords.lock, CaptureWords.interpreterLock)
    }
    if run.end != .complete { bytes += label(CaptureWords.end, run.end.rawName) }
    if !run.unseenSleeps.isEmpty {
      bytes += label(CaptureWords.slept, Int64(run.unseenSleeps.rawValue))
    }
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
    let index = Int64(strings.count)
    message.stringTable.append(text)
    strings[text] = index
    return index
  }
}
