internal import ProfileAnalysis
internal import ProfileModel

/// A profile as the page reads it: names and numbers as JSON, stacks and runs as columns.
struct PageProfile {
  /// What the page shows of a function besides its name: by colour and shape.
  private enum FunctionKind: Int {
    case native, python, kernel, standIn, java
  }

  private let index: ProfileIndex
  private let hasStacks: Bool
  /// By path of the profile: its number on the page; 0 for the empty one and those not used.
  private var numbers: [UInt32]
  /// The paths of the page, the empty one left out.
  private var paths: [Int] = []
  private var lines = Numbering<Int>()
  private var functions = Numbering<Int>()
  private var files = Numbering<String>()
  private var kinds = Numbering<RunKind>()
  private var processes = Numbering<OwningProcess>()
  /// The numbers of the kinds of the runs, thread after thread.
  private var runKinds: [UInt64] = []

  private struct RunKind: Hashable {
    let activity: Activity
    let end: StackEnd
    let wait: RunWaits.Finding?
    let hasManyWaits, goesOnWaiting: Bool
  }

  private var profile: Profile { index.profile }

  /// A diagnosed profile, with its stacks or, for a picture of its threads alone, without.
  ///
  /// `index` has the stacks that are shown, where those are not all of the diagnosis.
  init(_ diagnosis: Diagnosis, _ index: ProfileIndex? = nil, withStacks: Bool = true) {
    let index = index ?? diagnosis.index
    self.index = index
    hasStacks = withStacks
    numbers = Array(repeating: 0, count: index.stacks.linePaths.count)
    if withStacks { numberPaths() }
    numberKinds(diagnosis)
    for process in index.profile.threads.lazy.compactMap(\.process) { processes.add(process) }
    for line in lines.items { functions.add(index.stacks.lines[line].function) }
    for function in functions.items {
      if let file = index.stacks.functions[function].file { files.add(file) }
    }
  }

  private mutating func numberKinds(_ diagnosis: Diagnosis) {
    var waits = RunWaits(diagnosis)
    for thread in profile.threads.indices {
      // Hiding frames leaves the runs in their places.
      let runs = zip(index.runs(of: thread), diagnosis.index.runs(of: thread))
      for (run, whole) in runs {
        let kind = RunKind(
          activity: run.activity, end: hasStacks ? run.end : .complete,
          wait: waits.finding(of: whole), hasManyWaits: run.hasManyWaits,
          goesOnWaiting: run.goesOnWaiting)
        kinds.add(kind)
        runKinds.append(UInt64(kinds.number(of: kind)))
      }
    }
  }

  /// Numbers the paths that runs take, callers first.
  private mutating func numberPaths() {
    let table = index.stacks.linePaths
    var isUsed = Array(repeating: false, count: table.count)
    for run in profile.runs {
      var path = table.path(of: run.stack)
      while path != 0 && !isUsed[path] {
        isUsed[path] = true
        path = table.caller(of: path)
      }
    }
    // A caller has the smaller number in the table, too.
    for path in isUsed.indices where isUsed[path] {
      paths.append(path)
      numbers[path] = UInt32(clamping: paths.count)
      lines.add(table.item(of: path))
    }
  }

  /// Writes the members of the profile, and its columns.
  func write(
    to json: inout JSONWriter, _ columns: inout PageColumns, sources: PageSources? = nil
  ) {
    json.object("capture") { $0.members(ofPage: profile.capture) }
    writeThreads(to: &json)
    json.array("modules", of: profile.modules) { json, module in
      json.object { json in
        json.member("name", module.name)
        json.member("path", module.path)
      }
    }
    json.array("files", of: files.items) { $0.value($1) }
    writeFunctions(to: &json)
    writeKinds(to: &json)
    json.object("counts") { json in
      json.member("paths", paths.count)
      json.member("runs", runs.reduce(0) { count, _ in count + 1 })
    }
    json.object("columns") { json in
      writePaths(to: &json, &columns)
      writeRuns(to: &json, &columns)
    }
    if let sources { write(sources, to: &json) }
  }

  // MARK: - Names

  private func writeThreads(to json: inout JSONWriter) {
    json.array("processes", of: processes.items) { json, process in
      json.object { json in
        json.member("pid", process.pid)
        json.member("title", process.title)
      }
    }
    json.array("threads", of: profile.threads.enumerated()) { json, entry in
      let (number, thread) = entry
      json.object { json in
        json.member("tid", thread.tid)
        json.member("name", thread.name)
        json.member("main", thread.isMain)
        json.member("ended", thread.hasEnded)
        if let lock = thread.lockUse?.shares {
          json.object("gil") { json in
            json.member("held", lock.held)
            json.member("awaited", lock.awaited)
          }
        }
        if let process = thread.process { json.member("process", processes.number(of: process)) }
        json.member("runs", index.runs(of: number).reduce(0) { count, _ in count + 1 })
      }
    }
  }

  private func writeFunctions(to json: inout JSONWriter) {
    var interpreted: [Int: FunctionKind] = [:]
    for (number, frame) in index.stacks.frames.enumerated()
    where frame.address == nil && !frame.isElided && !frame.isUnseen {
      interpreted[index.stacks.function(ofFrame: number)] =
        switch frame.line.language {
        case nil: .python
        case .java: .java
        }
    }
    json.array("functions", of: functions.items) { json, number in
      let function = index.stacks.functions[number]
      let module = profile.position(of: function.module)
      json.array { json in
        json.value(function.name)
        json.value(function.file.map { files.number(of: $0) } ?? -1)
        json.value(module ?? -1)
        json.value((interpreted[number] ?? kind(of: function)).rawValue)
      }
    }
    json.array("lines") { json in
      for number in lines.items {
        let line = index.stacks.lines[number]
        json.value(functions.number(of: line.function))
        json.value(line.line)
      }
    }
  }

  private func kind(of function: SourceFunction) -> FunctionKind {
    if function.isElided { return .standIn }
    let module = profile.position(of: function.module).map { profile.modules[$0].path } ?? ""
    let isKernel =
      module.hasPrefix("[kernel") || module.hasPrefix("[guest.kernel") || module.hasSuffix(".ko")
      || module.hasSuffix("/vmlinux")
    return isKernel ? .kernel : .native
  }

  private func writeKinds(to json: inout JSONWriter) {
    let words = WaitWords(profile)
    json.array("kinds", of: kinds.items) { json, kind in
      json.object { json in
        json.member("state", ProfileFilter.State(kind.activity).rawValue)
        json.member("wait", kind.activity.wait)
        json.member("words", kind.activity.words)
        json.member("end", kind.end.rawName)
        if case .truncated(let reason) = kind.end { json.member("why", reason.words) }
        if let wait = kind.wait {
          let known = Wait(kind: wait.kind, systemCall: kind.activity.wait)
          json.member("group", wait.kind.pageGroup.rawValue)
          json.member("aim", words.action(known, in: profile.capture.pid))
          json.member("rest", wait.isAtRest)
        }
        // Each sample of such a run is of a wait of its own.
        if kind.hasManyWaits { json.member("many", true) }
        // It only goes on with the last wait of the run before.
        if kind.goesOnWaiting { json.member("on", true) }
      }
    }
  }

  // MARK: - Columns

  /// The runs, thread after thread.
  private var runs: some Sequence<Run> {
    profile.threads.indices.lazy.flatMap { index.runs(of: $0) }
  }

  private func writePaths(to json: inout JSONWriter, _ columns: inout PageColumns) {
    let table = index.stacks.linePaths
    json.member(
      "pathParent",
      columns.add(
        paths.enumerated().lazy.map { place, path in
          UInt64(place + 1) - UInt64(numbers[table.caller(of: path)])
        }))
    json.member(
      "pathLine",
      columns.add(
        paths.lazy.map { path in
          UInt64(lines.number(of: table.item(of: path))) * 2 + (table.isInlined(path) ? 1 : 0)
        }))
  }

  private func writeRuns(to json: inout JSONWriter, _ columns: inout PageColumns) {
    let table = index.stacks.linePaths
    json.member(
      "path", columns.add(runs.lazy.map { UInt64(numbers[table.path(of: $0.stack)]) }))
    json.member("kind", columns.add(runKinds))
    json.member("gap", columns.add(signed: gaps))
    json.member("wall", columns.add(signed: runs.lazy.map(\.weight.wall)))
    json.member("cpu", columns.add(signed: runs.lazy.map(\.weight.cpu)))
    json.member("delay", columns.add(signed: runs.lazy.map(\.weight.delay)))
    json.member("samples", columns.add(signed: runs.lazy.map(\.weight.samples)))
    json.member(
      "ticks", columns.add(signed: runs.lazy.map { $0.weight.ticks &- $0.weight.samples }))
  }

  /// The time between the end of each run and the start of its thread's next.
  private var gaps: [Int64] {
    var thread = -1
    var end: Int64 = 0
    return runs.map { run in
      if run.thread != thread { (thread, end) = (run.thread, 0) }
      let gap = run.start &- end
      end = run.start &+ max(0, run.weight.wall)
      return gap
    }
  }

  // MARK: - Source

  private func write(_ sources: PageSources, to json: inout JSONWriter) {
    var seen: [String: Set<Int>] = [:]
    for number in lines.items {
      let line = index.stacks.lines[number]
      guard line.line > 0, let file = index.stacks.functions[line.function].file else { continue }
      seen[file, default: []].insert(line.line)
    }
    var room = PageSources.sizeLimit
    json.array("sources") { json in
      for (number, file) in files.items.enumerated() {
        guard let wanted = seen[file], let texts = sources.lines(of: file, around: wanted) else {
          continue
        }
        room -= texts.reduce(0) { $0 + $1.1.utf8.count }
        guard room >= 0 else { return }
        json.object { json in
          json.member("file", number)
          json.array("lines") { json in
            for (line, text) in texts {
              json.value(line)
              json.value(text)
            }
          }
        }
      }
    }
  }
}

/// Gives things numbers in the order in which they come.
struct Numbering<Item: Hashable> {
  private(set) var items: [Item] = []
  private var numbers: [Item: Int] = [:]

  mutating func add(_ item: Item) {
    guard numbers[item] == nil else { return }
    numbers[item] = items.count
    items.append(item)
  }

  /// The number of an item that was added; 0 for another one.
  func number(of item: Item) -> Int { numbers[item] ?? 0 }
}

extension ProfileFilter.State {
  /// The state of an activity.
  init(_ activity: Activity) {
    switch activity {
    case .running: self = .running
    case .waitingForCPU: self = .waiting
    case .blocked: self = .blocked
    case .uninterruptible: self = .uninterruptible
    case .stopped: self = .stopped
    case .unknown: self = .unknown
    }
  }
}

extension JSONWriter {
  mutating func member(_ name: StaticString, _ place: PageColumns.Place) {
    array(name) { json in
      json.value(place.start)
      json.value(place.length)
    }
  }

  fileprivate mutating func members(ofPage capture: CaptureInfo) {
    member("kind", capture.kind.rawValue)
    member("name", capture.exportedName)
    array("command", of: capture.commandLine) { $0.value($1) }
    member("host", capture.hostName)
    member("kernel", capture.kernel)
    member("start", capture.startTime)
    member("duration", capture.duration)
    member("rate", capture.rate)
    array("notes", of: capture.notes) { $0.value($1.words) }
    array("words", of: capture.words) { $0.value($1) }
  }
}
