internal import ProfileAnalysis
package import ProfileModel

/// The processed format of the Firefox Profiler, version 66: threads with their CPU use, states as
/// categories of the innermost frame, waits as markers with what is known of them.
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
enum FirefoxCategory: Int, CaseIterable {
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

/// A profile with the tables that the format has of it.
struct FirefoxDocument {
  let index: ProfileIndex
  let stacks: FirefoxStacks
  let texts: FirefoxTexts
  let unit: WeightUnit
  /// What threads were found to wait for, by thread.
  let blockings: [Int: [Blocking]]
  /// When threads were frozen, by thread.
  let freezes: [Int: [FreezeMarker]]

  var profile: Profile { index.profile }

  init(_ index: ProfileIndex) {
    self.index = index
    unit = index.profile.runs.contains { $0.weight.ticks > 0 } ? .ticks : .samples
    stacks = FirefoxStacks(index)
    texts = FirefoxTexts(index, stacks)
    blockings = Self.blockings(of: index.profile)
    freezes = Self.freezes(of: Diagnosis(index))
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
    writeMarkerSchema(to: &json)
    json.array("categories", of: FirefoxCategory.allCases) { json, category in
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

  /// The functions of the source come first, then the stand-ins for missing frames.
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
