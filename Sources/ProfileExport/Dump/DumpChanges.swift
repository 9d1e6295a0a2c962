internal import ProfileAnalysis
package import ProfileModel

/// What changed between two samples of a program, a line for each thread that moved.
package struct DumpChanges {
  private let before: [Int32: Place]
  private let after: [Int32: Place]
  private let isSameVerdict: Bool
  /// Says that the process has executed another program; nil where it has not.
  private let execution: String?
  private let verdict: VerdictWords
  private let options: ReportOptions

  /// What is compared of a thread.
  private struct Place {
    let name: String
    let words: String
    let frames: [SourceLine]
    let activity: Activity
    let cpu: Int64
  }

  /// What a verdict is about, without how long and how often.
  private struct Subject: Equatable {
    struct Member: Equatable {
      let pid: Int32
      let tid: Int32?
    }

    let kind: Verdict.Kind
    let thread: Member?
    let chain: [Member]
    /// The thread that hangs meanwhile, and those that hold it up.
    let hanging: [Member]

    init(_ diagnosis: Diagnosis) {
      let profile = diagnosis.index.profile
      kind = diagnosis.verdict.kind
      func member(thread number: Int) -> Member {
        let info = profile.threads[number]
        return Member(pid: info.pid(in: profile.capture.pid), tid: info.tid)
      }
      func members(_ chain: [Int]) -> [Member] {
        chain.map { number in
          let node = diagnosis.graph.nodes[number]
          return Member(pid: node.pid, tid: node.tid)
        }
      }
      thread = diagnosis.verdict.thread.map(member)
      chain = members(diagnosis.verdict.chain)
      hanging =
        diagnosis.verdict.hanging.map { [member(thread: $0.thread)] + members($0.chain) } ?? []
    }
  }

  /// The changes of the threads that the options choose.
  package init(from old: Profile, to new: Profile, options: ReportOptions = ReportOptions()) {
    let (first, second) = (Diagnosis(old), Diagnosis(new))
    before = Self.places(first, options)
    after = Self.places(second, options)
    isSameVerdict = Subject(first) == Subject(second)
    verdict = VerdictWords(second)
    execution = Self.execution(old.capture, new.capture)
    self.options = options
  }

  /// Writes the changes, each line with `stamp` in front.
  package func write(to output: inout some TextOutputStream, stamp: String) {
    var page = TextPage(output, width: options.width, color: options.color)
    func say(_ text: String) { page.paragraph("\(stamp)  \(text)", indent: stamp.count + 4) }
    if let execution { say(execution) }
    if !isSameVerdict { say(verdict.sentence) }
    for tid in after.keys.sorted() where before[tid] == nil {
      if let place = after[tid] { say("\(place.name) appeared: \(place.words)") }
    }
    for tid in before.keys.sorted() where after[tid] == nil {
      if let place = before[tid] { say("\(place.name) ended") }
    }
    var (still, ran) = (0, 0)
    for (tid, place) in after.sorted(by: { $0.key < $1.key }) {
      guard let last = before[tid] else { continue }
      if place.frames != last.frames || place.activity != last.activity {
        say("\(place.name) moved: \(place.words)")
      } else if place.cpu != last.cpu {
        ran += 1
      } else {
        still += 1
      }
    }
    if ran > 0 { say("\(Figures.count(Int64(ran), "thread")) ran, now back in the same place") }
    if still > 0 { say("\(Figures.count(Int64(still), "thread")) unchanged, did not run") }
    output = page.output
  }

  private static func execution(_ old: CaptureInfo, _ new: CaptureInfo) -> String? {
    // The file of a program that was replaced is named so.
    func path(_ capture: CaptureInfo) -> Substring? {
      let mark = " (deleted)"
      return capture.executable.map { $0.hasSuffix(mark) ? $0.dropLast(mark.count) : $0[...] }
    }
    guard let before = path(old), let now = path(new), before != now else { return nil }
    let (program, former) = (new.processName.shortName, old.processName.shortName)
    return "the process executed \(program); it ran \(former) before"
  }

  private static func places(_ diagnosis: Diagnosis, _ options: ReportOptions) -> [Int32: Place] {
    let index = diagnosis.shownIndex(withNative: options.showsNative)
    let words = WaitWords(index.profile)
    var places: [Int32: Place] = [:]
    for thread in index.threads(matching: options.threadFilter) {
      let info = index.profile.threads[thread]
      guard !info.hasEnded else { continue }
      let situation = diagnosis.situations[thread]
      // One sample is one run.
      let stack = situation == nil ? nil : index.lastRun(of: thread)?.stack
      let frames = stack.map { index.frames(of: $0) } ?? []
      // The first function of the program's own, where there is one with a line.
      let own = frames.firstIndex { $0.line.file != nil } ?? frames.indices.first
      let frame = situation?.asker ?? own.map { index.programFrame(at: $0, of: frames) }
      var text = situation?.idleness?.words ?? situation?.activity.words ?? "not sampled"
      if let wait = situation?.wait, situation?.idleness == nil {
        text = words.phrase(wait, in: words.pid(of: thread))
      }
      if let frame {
        let line = frame.line.line > 0 ? ":\(frame.line.line)" : ""
        text += ", in \(ShortName.bare(frame.line.function).shortName)"
        text += frame.line.file.map { " (\($0.lastPathPart.shortName)\(line))" } ?? ""
      }
      places[info.tid] = Place(
        name: words.thread(thread), words: text, frames: frames.map(\.line),
        activity: situation?.activity ?? .unknown, cpu: info.cpuSinceStart)
    }
    return places
  }
}
