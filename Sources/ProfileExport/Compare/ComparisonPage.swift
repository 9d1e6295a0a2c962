package import ProfileAnalysis
package import ProfileModel

/// What changed between two sides, as one page: a differential flame graph, the tables of `compare`,
/// and the threads of both sides over time.
package struct ComparisonPage {
  /// The most captures of a side whose timelines are shown.
  private static let timelineLimit = 4

  private let comparison: Comparison
  private let options: ComparisonOptions
  private let before: [Profile]
  private let after: [Profile]

  /// A page on `comparison`, made of the profiles `before` and `after`.
  package init(
    _ comparison: Comparison, options: ComparisonOptions, before: [Profile], after: [Profile]
  ) {
    self.comparison = comparison
    self.options = options
    self.before = before
    self.after = after
  }

  /// Writes the page; `compress` turns bytes into one gzip member.
  package func write(
    compress: PageExporter.Compressor? = nil, to output: inout some TextOutputStream
  ) {
    HTMLPage(title: title).write(compress: compress, to: &output) { json, columns in
      json.member("kind", "compare")
      let sides = [before, after].enumerated().flatMap { side, profiles in
        profiles.prefix(Self.timelineLimit).map { (side, $0) }
      }
      json.array("profiles", of: sides) { json, entry in
        json.object { write(entry.1, side: entry.0, to: &$0, &columns) }
      }
      json.object("comparison") { json in
        json.array("words", of: comparison.verdictLines) { $0.value($1.words) }
        json.array("findingWords", of: comparison.findings) { $0.value(comparison.sentence($1)) }
        json.member("needWords", comparison.needWords)
        json.array("notes", of: comparison.functions) { $0.value($1.note) }
        ComparisonJSON(comparison, options: options).writeMembers(to: &json)
        writeTree(to: &json)
      }
    }
  }

  private var title: String {
    let target = after.first?.capture ?? before.first?.capture
    let name = target.map(\.processName) ?? "captures"
    let start = after.map(\.capture.startTime).filter { $0 > 0 }.min()
    let time = start.map { " · " + CalendarTime($0).words } ?? ""
    return "\(name) before and after\(time) · sprof"
  }

  private func write(
    _ profile: Profile, side: Int, to json: inout JSONWriter, _ columns: inout PageColumns
  ) {
    let diagnosis = Diagnosis(profile)
    json.member("side", side)
    json.members(ofPageWaitsOf: diagnosis)
    PageProfile(diagnosis, withStacks: false).write(to: &json, &columns)
  }

  /// The nodes as columns: who called them, what they are, and what they did themselves, in
  /// thread-seconds per second.
  private func writeTree(to json: inout JSONWriter) {
    json.object("tree") { json in
      json.array("parent", of: comparison.tree) { $0.value($1.parent) }
      json.array("function", of: comparison.tree) { $0.value($1.function) }
      json.array("threads", of: comparison.tree) { $0.value($1.threads) }
      json.array("before") { writeTimes(comparison.tree.lazy.map(\.before), to: &$0) }
      json.array("after") { writeTimes(comparison.tree.lazy.map(\.after), to: &$0) }
      json.array("paths", of: comparison.paths) { $0.value($1.node) }
    }
  }

  private func writeTimes(
    _ times: some Sequence<Comparison.Times>, to json: inout JSONWriter
  ) {
    for time in times {
      for part in [time.cpu, time.blocked, time.delay] {
        json.value(millionths: Int64((min(max(part, 0), 1e9) * 1e6).rounded()))
      }
    }
  }
}
