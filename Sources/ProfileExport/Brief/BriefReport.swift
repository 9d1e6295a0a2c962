internal import ProfileAnalysis
package import ProfileModel

/// The verdict and its evidence alone, for a program or a person with little room: in less than 2 kB,
/// whatever was captured.
package struct BriefReport {
  /// Bytes that text and JSON stay below.
  package static let sizeLimit = 2000
  /// The most threads, and the most frames of each.
  private static let limits = (threads: 6, frames: 5)

  private let diagnosis: Diagnosis
  private let words: VerdictWords
  private let options: ReportOptions
  private let threads: [BriefThread]

  private var profile: Profile { diagnosis.index.profile }

  package init(_ profile: Profile, options: ReportOptions = ReportOptions()) {
    diagnosis = Diagnosis(ProfileIndex(profile), freezes: options.freezes)
    words = VerdictWords(diagnosis)
    self.options = options
    let subjects = diagnosis.verdictThreads.filter { thread in
      options.threadFilter.map { $0.matches(profile.threads[thread]) } ?? true
    }
    threads = subjects.prefix(Self.limits.threads).compactMap { [diagnosis] in
      BriefThread(diagnosis, thread: $0, frames: Self.limits.frames)
    }
  }

  /// Writes it as text, or as a JSON object in one line.
  package func write(asJSON: Bool, to output: inout some TextOutputStream) {
    var text = ""
    for room in Room.all {
      text = ""
      if asJSON { writeJSON(room, to: &text) } else { writeText(room, to: &text) }
      if text.utf8.count < Self.sizeLimit { break }
    }
    output.write(text)
  }

  /// How much of each part is written; less where the whole would be too long.
  private struct Room {
    let threads: Int
    let frames: Int
    let chain: Int
    /// Characters of a sentence, and of a name.
    let sentence: Int
    let name: Int

    static let all = [
      Room(threads: 6, frames: 5, chain: 8, sentence: 600, name: 100),
      Room(threads: 4, frames: 5, chain: 6, sentence: 400, name: 60),
      Room(threads: 3, frames: 4, chain: 4, sentence: 300, name: 50),
      Room(threads: 2, frames: 3, chain: 2, sentence: 240, name: 36),
      Room(threads: 1, frames: 2, chain: 1, sentence: 200, name: 24),
    ]

    func sentence(_ text: String) -> String { Self.cut(text, sentence) }
    func name(_ text: String) -> String { Self.cut(text, name) }

    private static func cut(_ text: String, _ length: Int) -> String {
      PlainText.shortenedInMiddle(PlainText.printable(text), to: length)
    }
  }

  private func writeText(_ room: Room, to output: inout String) {
    let capture = profile.capture
    if options.showsVerdict && capture.hasVerdict {
      output += room.sentence(words.sentence) + "\n"
      for line in words.chainLines.prefix(room.chain) { output += "  \(room.sentence(line))\n" }
    }
    output += "\(room.name(capture.processName)) (pid \(capture.pid)), "
    output += "\(capture.kind.rawValue), \(Figures.duration(capture.duration))\n"
    for thread in threads.prefix(room.threads) {
      output +=
        "Thread \(thread.tid) \"\(room.name(thread.name))\": \(room.sentence(thread.state))\n"
      for frame in thread.frames.prefix(room.frames) {
        output += "  \(room.name(frame.function))"
        output += frame.place.map { "  \(room.name($0))" } ?? ""
        output += "\n"
      }
    }
  }

  private func writeJSON(_ room: Room, to output: inout String) {
    let capture = profile.capture
    JSONWriter.write(to: &output) { json in
      json.object { json in
        json.member("schema", 1)
        json.member("sprof", SprofVersion.current)
        json.member("pid", capture.pid)
        json.member("process", room.name(capture.processName))
        json.member("capture", capture.kind.rawValue)
        json.member("duration_ns", capture.duration)
        if options.showsVerdict && capture.hasVerdict {
          json.member("kind", diagnosis.verdict.kind.rawValue)
          json.member("verdict", room.sentence(words.sentence))
        } else {
          json.null("kind")
          json.null("verdict")
        }
        json.array("chain", of: words.chainLines.prefix(room.chain)) {
          $0.value(room.sentence($1))
        }
        json.member("lasted_ns", diagnosis.verdict.lasted)
        json.array("threads", of: threads.prefix(room.threads)) { json, thread in
          json.object { $0.members(of: thread, room.frames, name: room.name, room.sentence) }
        }
      }
      json.endLine()
    }
  }
}

/// A thread of the verdict as a brief report shows it.
private struct BriefThread {
  struct Frame {
    let function: String
    let file: String?
    let line: Int?
    let module: String?

    var place: String? {
      file.map { $0.lastTwoParts + (line.map { ":\($0)" } ?? "") } ?? module.map { "(\($0))" }
    }
  }

  let tid: Int32
  let name: String
  let state: String
  let wait: WaitKind?
  let waited: Int64?
  let owner: Int32?
  let frames: [Frame]

  init?(_ diagnosis: Diagnosis, thread: Int, frames limit: Int) {
    guard let situation = diagnosis.situations[thread] else { return nil }
    let profile = diagnosis.index.profile
    let info = profile.threads[thread]
    tid = info.tid
    name = info.name
    let words = WaitWords(profile)
    state =
      situation.idleness?.words
      ?? situation.wait.map {
        words.sentence(
          $0, lasted: situation.waited > 0 ? situation.waited : nil, in: words.pid(of: thread))
      } ?? situation.activity.words
    wait = situation.wait?.kind
    waited = situation.waited > 0 ? situation.waited : nil
    owner = situation.wait?.owners.lazy.compactMap(\.thread).first
    let all = diagnosis.index.userFrames(of: Self.stack(of: situation, diagnosis))
    // The call that it is in, and then what the program's own functions are.
    let own = situation.asker.flatMap { asker in all.firstIndex { $0 == asker } } ?? 1
    let shown = all.count <= limit ? all[...] : all.prefix(1) + all.dropFirst(max(own, 1))
    frames = shown.prefix(limit).map { frame in
      Frame(
        function: frame.line.function, file: frame.line.file,
        line: frame.line.line > 0 ? frame.line.line : nil,
        module: profile.position(of: frame.module).map { profile.modules[$0].name })
    }
  }

  /// Of a thread that computes, or froze, the stack that took most.
  private static func stack(of situation: ThreadSituation, _ diagnosis: Diagnosis) -> StackID {
    switch diagnosis.verdict.kind {
    case .froze:
      let longest = diagnosis.freezes.freezes.filter { $0.thread == situation.thread }
        .max { $0.length < $1.length }
      return longest?.stack ?? situation.stack
    case .busyLoop, .running, .starved, .slow:
      return DistinctStacks(diagnosis.index, threads: [situation.thread], sortedBy: .cpu)
        .entries.first?.stack ?? situation.stack
    case .deadlock, .possibleDeadlock, .orphanedLock, .hungOnLock, .hungOnIO, .hung, .waiting,
      .idle, .frozen, .stopped, .inconclusive:
      return situation.stack
    }
  }
}

extension WaitOwner {
  /// The thread that it is, where one is known.
  fileprivate var thread: Int32? {
    switch self {
    case .thread(let tid), .dead(let tid): tid
    case .process(_, let tid, _): tid
    case .readers: nil
    }
  }
}

extension JSONWriter {
  fileprivate mutating func members(
    of thread: BriefThread, _ frames: Int, name: (String) -> String, _ sentence: (String) -> String
  ) {
    member("tid", thread.tid)
    member("name", name(thread.name))
    member("state", sentence(thread.state))
    member("wait", thread.wait?.rawValue)
    member("waited_ns", thread.waited)
    member("owner_tid", thread.owner)
    array("frames", of: thread.frames.prefix(frames)) { json, frame in
      json.object { json in
        json.member("function", name(frame.function))
        json.member("file", frame.file.map(name))
        json.member("line", frame.line)
        json.member("module", frame.module.map(name))
      }
    }
  }
}
