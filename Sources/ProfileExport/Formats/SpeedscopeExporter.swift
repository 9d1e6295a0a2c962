internal import ProfileAnalysis
package import ProfileModel

/// The format of speedscope.app: a profile for each thread, weighed by wall time; by samples for a
/// dump, which has no time.
///
/// The format: https://github.com/jlfwong/speedscope/blob/main/src/lib/file-format-spec.ts
package struct SpeedscopeExporter: ProfileExporter {
  package init() {}

  package func write(_ profile: Profile, to output: inout some TextOutputStream) {
    let document = SpeedscopeDocument(ProfileIndex(profile))
    JSONWriter.write(to: &output) { json in
      json.object { document.write(to: &$0) }
      json.endLine()
    }
  }
}

private struct SpeedscopeDocument {
  private let index: ProfileIndex
  private let unit: WeightUnit
  /// By index into `SourceStacks.functions`: the first line of it that was seen, 0 for none.
  private var lines: [Int]
  /// Stand-ins for missing frames; they follow the functions.
  private var standIns: [ExportedFrame] = []

  init(_ index: ProfileIndex) {
    self.index = index
    let hasTime = index.profile.runs.contains { $0.weight.wall > 0 }
    unit = hasTime ? .wall : .samples
    lines = Array(repeating: 0, count: index.stacks.functions.count)
    for line in index.stacks.lines where line.line > 0 {
      let known = lines[line.function]
      lines[line.function] = known > 0 ? min(known, line.line) : line.line
    }
    for run in index.profile.runs {
      guard let root = root(of: run), !standIns.contains(root) else { continue }
      standIns.append(root)
    }
  }

  func write(to json: inout JSONWriter) {
    let profile = index.profile
    json.member("$schema", "https://www.speedscope.app/file-format-schema.json")
    json.member("exporter", "sprof@\(SprofVersion.current)")
    json.member("name", profile.capture.exportedName)
    json.member("activeProfileIndex", profile.threads.firstIndex { $0.isMain } ?? 0)
    json.object("shared") { json in
      json.array("frames") { writeFrames(to: &$0) }
    }
    json.array("profiles") { json in
      for (thread, info) in profile.threads.enumerated() {
        json.object { write(thread, info, to: &$0) }
      }
    }
  }

  /// Readers distinguish frames by their index, so a function is one frame.
  private func writeFrames(to json: inout JSONWriter) {
    for (number, function) in index.stacks.functions.enumerated() {
      json.object { json in
        json.member("name", function.name)
        if let file = function.file ?? index.moduleName(function.module) {
          json.member("file", file)
        }
        if lines[number] > 0 { json.member("line", lines[number]) }
      }
    }
    for standIn in standIns {
      json.object { $0.member("name", standIn.standInName ?? "") }
    }
  }

  private func write(_ thread: Int, _ info: ThreadInfo, to json: inout JSONWriter) {
    let runs = joinedRuns(of: thread)
    json.member("type", "sampled")
    json.member("name", info.exportedName)
    json.member("unit", unit == .wall ? "nanoseconds" : "none")
    json.member("startValue", 0)
    json.member("endValue", runs.reduce(0) { $0 &+ $1.weight })
    json.array("samples", of: runs) { json, run in
      json.array { json in
        if let root = run.root.flatMap({ standIns.firstIndex(of: $0) }) {
          json.value(index.stacks.functions.count + root)
        }
        for function in index.stacks.functionPaths.items(of: run.path) { json.value(function) }
      }
    }
    json.array("weights", of: runs) { $0.value($1.weight) }
  }

  private struct JoinedRun {
    let path: Int
    let root: ExportedFrame?
    var weight: Int64
  }

  /// The runs of a thread; those that follow each other in the same functions are one.
  private func joinedRuns(of thread: Int) -> [JoinedRun] {
    var joined: [JoinedRun] = []
    for run in index.runs(of: thread) {
      let path = index.stacks.functionPaths.path(of: run.stack)
      let root = root(of: run)
      if let last = joined.last, last.path == path, last.root == root {
        joined[joined.count - 1].weight &+= run.weight[unit]
      } else {
        joined.append(JoinedRun(path: path, root: root, weight: run.weight[unit]))
      }
    }
    return joined
  }

  private func root(of run: Run) -> ExportedFrame? {
    .root(of: run.end, isEmpty: index.stacks.functionPaths.path(of: run.stack) == 0)
  }
}

extension ProfileIndex {
  /// The name of a module's file, nil for code in no file.
  func moduleName(_ module: ModuleID) -> String? {
    profile.position(of: module).map { profile.modules[$0].name }
  }
}
