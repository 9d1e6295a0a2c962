internal import ProfileAnalysis
package import ProfileModel

/// The verdict and its evidence alone, for a program or a person with little room: in less than 2 kB,
/// whatever was captured.
package struct BriefReport {
  /// Bytes that text and JSON stay below.
  package static let sizeLimit = 2000

  private let diagnosis: Diagnosis
  private let words: VerdictWords
  private let options: ReportOptions
  /// The threads that the verdict is about.
  private let threads: [BriefThread]
  private let goroutines: [BriefGoroutines]

  private var profile: Profile { diagnosis.index.profile }

  package init(_ profile: Profile, options: ReportOptions = ReportOptions()) {
    diagnosis = Diagnosis(ProfileIndex(profile), freezes: options.freezes)
    words = VerdictWords(diagnosis)
    self.options = options
    let subjects = diagnosis.verdictThreads.filter { thread in
      options.threadFilter.map { $0.matches(profile.threads[thread]) } ?? true
    }
    threads = subjects.compactMap { [diagnosis] in BriefThread(diagnosis, thread: $0) }
    goroutines = BriefGoroutines.all(diagnosis)
  }

  /// Writes it as text, or as a JSON object in one line.
  package func write(asJSON: Bool, to output: inout some TextOutputStream) {
    var text = ""
    for room in diagnosis.verdict.isCycle ? BriefRoom.forCycle : BriefRoom.forChain {
      text = ""
      if asJSON { writeJSON(room, to: &text) } else { writeText(room, to: &text) }
      if text.utf8.count < Self.sizeLimit { break }
    }
    output.write(text)
  }

  private func writeText(_ room: BriefRoom, to output: inout String) {
    let capture = profile.capture
    if options.showsVerdict && capture.hasVerdict {
      output += room.sentence(words.sentence) + "\n"
      for line in words.linesBelowSentence(atMost: room.chain) {
        output += "  \(room.sentence(line))\n"
      }
    }
    output += "\(room.name(capture.processName)) (pid \(capture.pid)), "
    output += "\(capture.kind.rawValue), \(Figures.duration(capture.duration))\n"
    let shown = room.threads(of: threads)
    for thread in shown {
      output +=
        "Thread \(thread.tid) \"\(room.name(thread.name.replacingQuotes))\": \(room.sentence(thread.state))\n"
      write(thread.frames(atMost: room.frames), room, to: &output)
    }
    for group in goroutines.prefix(room.threads) {
      output += "\(group.title): \(group.state)\n"
      write(group.frames.prefix(room.frames), room, to: &output)
    }
    let rest = threads.count - shown.count
    if rest > 0 { output += "and \(Figures.count(Int64(rest), "more thread"))\n" }
  }

  private func write(
    _ frames: some Sequence<BriefThread.Frame>, _ room: BriefRoom, to output: inout String
  ) {
    for frame in frames {
      output += "  \(room.name(frame.function))"
      output += frame.place.map { "  \(room.name($0))" } ?? ""
      output += "\n"
    }
  }

  private func writeJSON(_ room: BriefRoom, to output: inout String) {
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
        json.array("chain", of: words.linesBelowSentence(atMost: room.chain)) {
          $0.value(room.sentence($1))
        }
        json.member("lasted_ns", diagnosis.verdict.lasted)
        json.member("lasted_at_least", diagnosis.verdict.isAtLeast)
        let shown = room.threads(of: threads)
        json.array("threads", of: shown) { json, thread in
          json.object { $0.members(of: thread, room.frames, name: room.name, room.sentence) }
        }
        json.member("more_threads", threads.count - shown.count)
        json.array("goroutines", of: goroutines.prefix(room.threads)) { json, group in
          json.object { json in
            json.member("title", group.title)
            json.member("state", group.state)
            json.frames(group.frames.prefix(room.frames), name: room.name)
          }
        }
      }
      json.endLine()
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
    member("waited_ns", thread.length?.time)
    member("waited_at_least", thread.length?.isAtLeast ?? false)
    member("owner_tid", thread.owner)
    self.frames(thread.frames(atMost: frames), name: name)
  }

  fileprivate mutating func frames(
    _ frames: ArraySlice<BriefThread.Frame>, name: (String) -> String
  ) {
    array("frames", of: frames) { json, frame in
      json.object { json in
        json.member("function", name(frame.function))
        json.member("file", frame.file.map(name))
        json.member("line", frame.line)
        json.member("module", frame.module.map(name))
      }
    }
  }
}
