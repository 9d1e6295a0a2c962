internal import ProfileAnalysis
package import ProfileModel

/// The processed format of the Firefox Profiler, version 66: threads with their CPU use, states as
/// categories of the innermost frame, waits as markers.
///
/// A run is two samples, in the middle of its first and of its last tick; their weights are the
/// run's ticks (samples in a dump). The format:
/// https://github.com/firefox-devtools/profiler/blob/main/docs-developer/CHANGELOG-formats.md
package struct FirefoxExporter: ProfileExporter {
  /// The version of the format; newer readers bring it up to their own.
  static let version = 66

  package init() {}

  package func write(_ profile: Profile, to output: inout some TextOutputStream) {
    let document = FirefoxDocument(ProfileIndex(profile))
    JSONWriter.write(to: &output) { json in
      json.object { document.write(to: &$0) }
      json.endLine()
    }
  }
}

/// What a thread did, as one of the format's categories.
private enum Category: Int, CaseIterable {
  case other, running, waiting, blocked, uninterruptible, stopped

  init(_ activity: Activity) {
    self =
      switch activity {
      case .running: .running
      case .waitingForCPU: .waiting
      case .blocked: .blocked
      case .uninterruptible: .uninterruptible
      case .stopped: .stopped
      case .unknown: .other
      }
  }

  var name: String {
    switch self {
    case .other: "Other"
    case .running: "Running"
    case .waiting: "Waiting for a CPU"
    case .blocked: "Blocked"
    case .uninterruptible: "Uninterruptible sleep"
    case .stopped: "Stopped"
    }
  }

  /// One of the reader's own words; it insists on a grey category.
  var color: String {
    switch self {
    case .other: "grey"
    case .running: "green"
    case .waiting: "orange"
    case .blocked: "blue"
    case .uninterruptible: "red"
    case .stopped: "purple"
    }
  }
}

private struct FirefoxDocument {
  private let index: ProfileIndex
  private let stacks: FirefoxStacks
  private let texts: FirefoxTexts
  private let unit: WeightUnit

  private var profile: Profile { index.profile }

  init(_ index: ProfileIndex) {
    self.index = index
    unit = index.profile.runs.contains { $0.weight.ticks > 0 } ? .ticks : .samples
    stacks = FirefoxStacks(index)
    texts = FirefoxTexts(index, stacks)
  }

  func write(to json: inout JSONWriter) {
    json.object("meta") { writeMeta(to: &$0) }
    json.array("libs", of: profile.modules) { json, module in
      json.object { Self.write(module, to: &$0) }
    }
    json.array("pages") { _ in }
    json.object("shared") { json in
      writeStackTable(to: &json)
      writeFrameTable(to: &json)
      writeFunctionTables(to: &json)
      json.array("stringArray", of: texts.list) { $0.value($1) }
    }
    json.array("threads") { json in
      for (thread, info) in profile.threads.enumerated() {
        json.object { write(thread, info, to: &$0) }
      }
    }
  }

  private func writeMeta(to json: inout JSONWriter) {
    let rate = profile.capture.rate
    json.member("interval", rate.isFinite && rate > 0 ? 1000 / rate : 1)
    json.member("startTime", profile.capture.startTime * 1000)
    json.member("processType", 0)
    json.member("product", profile.capture.exportedName)
    json.member("stackwalk", 1)
    json.member("version", 24)
    json.member("preprocessedProfileVersion", FirefoxExporter.version)
    json.member("symbolicated", true)
    json.member("importedFrom", "sprof")
    json.member("usesOnlyOneStackType", true)
    json.member("sourceCodeIsNotOnSearchfox", true)
    json.array("markerSchema") { _ in }
    json.array("categories", of: Category.allCases) { json, category in
      json.object { json in
        json.member("name", category.name)
        json.member("color", category.color)
        json.array("subcategories") { $0.value("Other") }
      }
    }
    json.object("sampleUnits") { json in
      json.member("time", "ms")
      json.member("eventDelay", "ms")
      json.member("threadCPUDelta", "ns")
    }
  }

  private static func write(_ module: Module, to json: inout JSONWriter) {
    json.member("arch", "")
    json.member("name", module.name)
    json.member("path", module.path)
    json.member("debugName", module.name)
    json.member("debugPath", module.path)
    json.member("breakpadId", module.breakpadID)
    json.member("codeId", module.buildID)
  }

  // MARK: - The tables that the threads share

  private func writeStackTable(to json: inout JSONWriter) {
    let rows = stacks.rows
    json.object("stackTable") { json in
      json.array("frame", of: rows) { $0.value($1.frame) }
      // 0 for a root, and the way back to the caller for others.
      json.array("prefixOffset", of: rows.enumerated()) { json, row in
        json.value(row.element.caller.map { row.offset - $0 } ?? 0)
      }
      json.member("length", rows.count)
    }
  }

  private func writeFrameTable(to json: inout JSONWriter) {
    let frames = stacks.frames
    json.object("frameTable") { json in
      json.array("address", of: frames) { json, frame in
        let address = source(frame)?.address?.rawValue
        json.value(address.flatMap { Int64(exactly: $0) } ?? -1)
      }
      json.array("inlineDepth", of: frames) { $0.value($1.inlineDepth) }
      json.array("category", of: frames) { $0.value($1.category?.rawValue) }
      json.array("subcategory", of: frames) { $0.value($1.category == nil ? nil : 0) }
      json.array("func", of: frames) { json, frame in json.value(function(of: frame)) }
      json.array("nativeSymbol", repeating: nil, count: frames.count)
      json.array("innerWindowID", repeating: 0, count: frames.count)
      json.array("line", of: frames) { json, frame in
        json.value(source(frame).flatMap { $0.line.line > 0 ? $0.line.line : nil })
      }
      json.array("column", repeating: nil, count: frames.count)
      json.array("originalLocation", repeating: nil, count: frames.count)
      json.member("length", frames.count)
    }
  }

  private func source(_ frame: FirefoxStacks.Frame) -> SourceFrame? {
    guard case .source(let number) = frame.item else { return nil }
    return index.stacks.frames[number]
  }

  /// The functions of the source come first, then those that stand for missing frames.
  private func function(of frame: FirefoxStacks.Frame) -> Int {
    if case .source(let number) = frame.item { return index.stacks.function(ofFrame: number) }
    return index.stacks.functions.count + (stacks.standIns.firstIndex(of: frame.item) ?? 0)
  }

  private func writeFunctionTables(to json: inout JSONWriter) {
    let functions = index.stacks.functions
    let count = functions.count + stacks.standIns.count
    let modules = functions.map { profile.position(of: $0.module) ?? -1 }
    json.object("funcTable") { json in
      json.array("name", of: texts.functions + texts.standIns) { $0.value($1) }
      json.array("isJS", of: 0..<count) { json, _ in json.value(false) }
      json.array("relevantForJS", of: 0..<count) { json, _ in json.value(false) }
      let resources = modules + Array(repeating: -1, count: stacks.standIns.count)
      json.array("resource", of: resources) { $0.value($1) }
      let sources = functions.map { $0.file.flatMap { texts.sourceNumber[$0] } }
      json.array("source", of: sources + stacks.standIns.map { _ in nil }) { $0.value($1) }
      json.array("lineNumber", repeating: nil, count: count)
      json.array("columnNumber", repeating: nil, count: count)
      json.array("originalLocation", repeating: nil, count: count)
      json.member("length", count)
    }
    json.object("resourceTable") { json in
      json.array("lib", of: profile.modules.indices) { $0.value($1) }
      json.array("name", of: texts.modules) { $0.value($1) }
      json.array("host", repeating: nil, count: profile.modules.count)
      // 1 is a library.
      json.array("type", repeating: 1, count: profile.modules.count)
      json.member("length", profile.modules.count)
    }
    json.object("nativeSymbols") { json in
      for key: StaticString in ["libIndex", "address", "name", "functionSize"] {
        json.array(key) { _ in }
      }
      json.member("length", 0)
    }
    writeSources(to: &json)
  }

  private func writeSources(to json: inout JSONWriter) {
    let count = texts.sources.count
    json.object("sources") { json in
      json.array("id", repeating: nil, count: count)
      json.array("filename", of: texts.sources) { $0.value($1) }
      json.array("startLine", repeating: 1, count: count)
      json.array("startColumn", repeating: 1, count: count)
      json.array("sourceMapURL", repeating: nil, count: count)
      json.array("content", repeating: nil, count: count)
      json.member("length", count)
    }
    json.object("sourceLocationTable") { json in
      for key: StaticString in ["source", "line", "column"] { json.array(key) { _ in } }
      json.member("length", 0)
    }
  }

  // MARK: - A thread

  private func write(_ thread: Int, _ info: ThreadInfo, to json: inout JSONWriter) {
    let capture = profile.capture
    json.member("name", info.name)
    json.member("pid", String(info.process?.pid ?? capture.pid))
    json.member("tid", info.tid)
    json.member("processName", info.process?.name ?? capture.processName)
    json.member("processType", "default")
    json.member("isMainThread", info.isMain)
    json.member("processStartupTime", 0)
    json.null("processShutdownTime")
    json.key("registerTime")
    json.value(milliseconds: info.firstSeen)
    json.key("unregisterTime")
    if info.hasEnded { json.value(milliseconds: info.lastSeen) } else { json.null() }
    json.array("pausedRanges") { _ in }
    writeSamples(of: thread, to: &json)
    writeMarkers(of: thread, to: &json)
  }

  private func writeSamples(of thread: Int, to json: inout JSONWriter) {
    let samples = index.runs(of: thread).flatMap { run in
      FirefoxSample.samples(of: run, unit, stack: stacks.row(of: run))
    }
    json.object("samples") { json in
      json.array("stack", of: samples) { $0.value($1.stack) }
      json.array("time", of: samples) { $0.value(milliseconds: $1.time) }
      json.array("weight", of: samples) { $0.value($1.weight) }
      json.member("weightType", "samples")
      json.array("threadCPUDelta", of: samples) { $0.value(max(0, $1.cpu)) }
      json.member("length", samples.count)
    }
  }

  private func writeMarkers(of thread: Int, to json: inout JSONWriter) {
    let waits = index.runs(of: thread).filter { $0.activity.isWait }
    json.object("markers") { json in
      json.array("data", repeating: nil, count: waits.count)
      json.array("name", of: waits) { $0.value(texts.number(of: $1.activity)) }
      json.array("startTime", of: waits) { $0.value(milliseconds: $1.start) }
      json.array("endTime", of: waits) { json, run in
        json.value(milliseconds: run.start &+ max(0, run.weight.wall))
      }
      // 1 is an interval with a start and an end.
      json.array("phase", repeating: 1, count: waits.count)
      json.array("category", of: waits) { $0.value(Category($1.activity).rawValue) }
      json.member("length", waits.count)
    }
  }
}

extension JSONWriter {
  /// Nanoseconds as milliseconds, to the last digit; not below 0.
  fileprivate mutating func value(milliseconds nanoseconds: Int64) {
    let nanoseconds = max(0, nanoseconds)
    value(millionths: nanoseconds)
  }
}

extension Module {
  /// The build ID as a breakpad symbol server has it, empty without one.
  ///
  /// Its first 16 bytes as a little-endian GUID in upper-case hex, and an age of 0.
  fileprivate var breakpadID: String {
    var digits = Array((buildID ?? "").utf8.prefix(32))
    guard !digits.isEmpty, digits.count.isMultiple(of: 2) else { return "" }
    digits += Array(repeating: UInt8(ascii: "0"), count: 32 - digits.count)
    let pairs = stride(from: 0, to: 32, by: 2).map { digits[$0..<$0 + 2] }
    let order = [3, 2, 1, 0, 5, 4, 7, 6] + Array(8..<16)
    let guid = order.flatMap { pairs[$0] }
    return String(decoding: guid, as: UTF8.self).uppercased() + "0"
  }
}

/// A sample of the format.
private struct FirefoxSample {
  let stack: Int?
  /// Nanoseconds.
  let time: Int64
  let weight: Int64
  /// CPU time since the sample before, in nanoseconds.
  let cpu: Int64

  /// The samples of a run: the reader draws each as far as half way to its neighbours, so a long
  /// run has one at either end.
  static func samples(of run: Run, _ unit: WeightUnit, stack: Int?) -> [FirefoxSample] {
    let (weight, wall) = (run.weight[unit], max(0, run.weight.wall))
    let half = weight > 0 ? wall / weight / 2 : wall / 2
    let first = run.start &+ half
    guard weight > 1 else {
      return [FirefoxSample(stack: stack, time: first, weight: weight, cpu: run.weight.cpu)]
    }
    let cpu = run.weight.cpu / weight
    return [
      FirefoxSample(stack: stack, time: first, weight: 1, cpu: cpu),
      FirefoxSample(
        stack: stack, time: run.start &+ (wall - half), weight: weight - 1,
        cpu: run.weight.cpu &- cpu),
    ]
  }
}

/// The stacks as the format has them: one table of frames, one of frames and their callers.
private struct FirefoxStacks {
  struct Frame: Hashable {
    /// The index of a source frame is one into `SourceStacks.frames`.
    let item: ExportedFrame
    /// What the thread did, for an innermost frame; others have none of their own.
    let category: Category?
    let inlineDepth: Int
  }

  struct Row: Hashable {
    let frame: Int
    let caller: Int?
  }

  private struct Place: Hashable {
    let stack: StackID
    let root: ExportedFrame?
  }

  private struct Leaf: Hashable {
    let place: Place
    let category: Category
  }

  private(set) var frames: [Frame] = []
  /// A caller stands before those it called.
  private(set) var rows: [Row] = []
  private(set) var standIns: [ExportedFrame] = []
  private var frameNumbers: [Frame: Int] = [:]
  private var rowNumbers: [Row: Int] = [:]
  private var rowOfPlace: [Place: Int?] = [:]
  private var rowOfLeaf: [Leaf: Int?] = [:]

  init(_ index: ProfileIndex) {
    for run in index.profile.runs { add(run, index) }
  }

  /// The row of a run's innermost frame; nil for a run that no thread has.
  func row(of run: Run) -> Int? { rowOfLeaf[leaf(of: run)] ?? nil }

  private func leaf(of run: Run) -> Leaf {
    let root = ExportedFrame.root(of: run.end, isEmpty: run.stack == .empty)
    return Leaf(
      place: Place(stack: run.stack, root: root), category: Category(run.activity))
  }

  private mutating func add(_ run: Run, _ index: ProfileIndex) {
    let leaf = leaf(of: run)
    guard rowOfLeaf[leaf] == nil else { return }
    if let root = leaf.place.root, !standIns.contains(root) { standIns.append(root) }
    let table = index.profile.stacks
    let isKnown = Int(run.stack.rawValue) < table.stackCount
    guard isKnown, let innermost = table.innermostFrame(of: run.stack) else {
      let root = leaf.place.root ?? .noStack
      if !standIns.contains(root) { standIns.append(root) }
      rowOfLeaf[leaf] = row(root, leaf.category, depth: 0, caller: nil)
      return
    }
    let caller = Place(stack: table.caller(of: run.stack), root: leaf.place.root)
    rowOfLeaf[leaf] = addRows(
      of: innermost, leaf.category, below: row(of: caller, index), index)
  }

  /// The row of the innermost frame of `place`, whose callers are added first where they are new.
  private mutating func row(of place: Place, _ index: ProfileIndex) -> Int? {
    let table = index.profile.stacks
    var missing: [StackID] = []
    var stack = place.stack
    // Ends: a stack's caller was made before it.
    while stack != .empty, rowOfPlace[Place(stack: stack, root: place.root)] == nil {
      missing.append(stack)
      stack = table.caller(of: stack)
    }
    var caller =
      stack == .empty
      ? place.root.map { row($0, nil, depth: 0, caller: nil) }
      : rowOfPlace[Place(stack: stack, root: place.root)] ?? nil
    for stack in missing.reversed() {
      if let frame = table.innermostFrame(of: stack) {
        caller = addRows(of: frame, nil, below: caller, index)
      }
      rowOfPlace[Place(stack: stack, root: place.root)] = caller
    }
    return caller
  }

  /// The rows of a frame and of the calls inlined into it; gives the innermost.
  private mutating func addRows(
    of frame: FrameID, _ category: Category?, below caller: Int?, _ index: ProfileIndex
  ) -> Int? {
    let sources = index.stacks.sourceFrames(of: frame)
    var caller = caller
    for source in sources.reversed() {
      caller = row(
        .source(source), source == sources.lowerBound ? category : nil,
        depth: sources.upperBound - 1 - source, caller: caller)
    }
    return caller
  }

  private mutating func row(
    _ item: ExportedFrame, _ category: Category?, depth: Int, caller: Int?
  ) -> Int {
    let frame = Frame(item: item, category: category, inlineDepth: depth)
    let row = Row(frame: number(of: frame), caller: caller)
    if let known = rowNumbers[row] { return known }
    rowNumbers[row] = rows.count
    rows.append(row)
    return rows.count - 1
  }

  private mutating func number(of frame: Frame) -> Int {
    if let known = frameNumbers[frame] { return known }
    frameNumbers[frame] = frames.count
    frames.append(frame)
    return frames.count - 1
  }
}

/// The texts of the format, which refers to them by number.
private struct FirefoxTexts {
  private(set) var list: [String] = []
  private var numbers: [String: Int] = [:]
  /// Numbers of the names, by function, by stand-in and by module.
  private(set) var functions: [Int] = []
  private(set) var standIns: [Int] = []
  private(set) var modules: [Int] = []
  /// Numbers of the names of the source files, and the place of each file among them.
  private(set) var sources: [Int] = []
  private(set) var sourceNumber: [String: Int] = [:]

  init(_ index: ProfileIndex, _ stacks: FirefoxStacks) {
    for function in index.stacks.functions {
      functions.append(add(function.name))
      guard let file = function.file, sourceNumber[file] == nil else { continue }
      sourceNumber[file] = sources.count
      sources.append(add(file))
    }
    for standIn in stacks.standIns { standIns.append(add(standIn.standInName ?? "")) }
    for module in index.profile.modules { modules.append(add(module.name)) }
    for run in index.profile.runs where run.activity.isWait { _ = add(run.activity.words) }
  }

  /// The number of the words for what a thread did.
  func number(of activity: Activity) -> Int { numbers[activity.words] ?? 0 }

  private mutating func add(_ text: String) -> Int {
    if let known = numbers[text] { return known }
    numbers[text] = list.count
    list.append(text)
    return list.count - 1
  }
}
