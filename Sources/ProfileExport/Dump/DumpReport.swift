internal import ProfileAnalysis
package import ProfileModel

/// One sample of every thread, as plain text for a person.
package struct DumpReport {
  private let index: ProfileIndex
  private let options: ReportOptions
  private let groups: [DumpGroup]
  private let diagnosis: Diagnosis
  private let words: WaitWords
  private let tasks: DumpTasks
  private let goroutines: DumpGoroutines
  /// Whether it is to fit a screen or two: threads at rest have no stack, and long stacks no middle.
  private let isBrief: Bool
  private let resting: [ThreadGroups.Group]

  private var profile: Profile { index.profile }

  /// A report on `profile`.
  ///
  /// Of the options' views only `all` matters, for every thread with its whole stack; unit and sort
  /// order are not used.
  package init(_ profile: Profile, options: ReportOptions = ReportOptions()) {
    diagnosis = Diagnosis(profile)
    index = diagnosis.shownIndex(withNative: options.showsNative)
    self.options = options
    words = WaitWords(profile)
    tasks = DumpTasks(profile, limit: options.rows)
    let threads = index.threads(matching: options.threadFilter)
    isBrief = !options.views.contains(.all) && options.threadFilter == nil
    goroutines = DumpGoroutines(diagnosis, isBrief: isBrief)
    groups = DumpGroup.groups(diagnosis, index, threads: threads, tasks: tasks, isBrief: isBrief)
    let busy = threads.filter(tasks.hasTasks)
    resting =
      isBrief ? ThreadGroups(diagnosis, index, threads: threads, busy: busy).resting : []
  }

  /// Writes the report; each line ends with a newline and stays within the width of the options.
  package func write(to output: inout some TextOutputStream) {
    var page = TextPage(output, width: options.width, color: options.color)
    if options.showsVerdict && profile.capture.hasVerdict {
      VerdictWords(diagnosis).write(to: &page, explains: options.explainsVerdict)
    }
    writeCapture(to: &page)
    let atRest = Set(resting.flatMap(\.threads))
    let active = groups.filter { group in !group.threads.allSatisfy(atRest.contains) }
    let stackLines =
      isBrief ? min(max(Self.lines(for: groups) / max(active.count, 1) - 4, 4), 16) : nil
    var room = isBrief ? Self.lines(for: groups) : Int.max
    var shown = 0
    for group in active {
      let frames = FrameLines(
        profile,
        isBrief
          ? index.userFrames(of: group.likeness.stack) : index.frames(of: group.likeness.stack),
        end: group.likeness.end, isBrief: isBrief)
      room -= min(frames.count, stackLines ?? 0) + 4
      guard room >= 0 || shown == 0 else { break }
      shown += 1
      page.space()
      writeHeading(of: group, to: &page)
      frames.write(
        to: &page, indent: 2, limit: stackLines ?? FrameLines.limit,
        hint: isBrief ? "--all" : "--json")
      if group.threads.count == 1 { tasks.write(thread: group.threads[0], to: &page) }
    }
    writeRest(active.dropFirst(shown), to: &page)
    if options.threadFilter == nil {
      tasks.writeOthers(to: &page)
      goroutines.write(to: &page)
    }
    if groups.isEmpty {
      page.space()
      page.paragraph(
        options.threadFilter.map { "No thread matches \"\($0.glob.replacingQuotes)\"." }
          ?? "No threads were sampled.")
    }
    output = page.output
  }

  /// The lines that all stacks together may have; a program of very many threads has a second screen.
  private static func lines(for groups: [DumpGroup]) -> Int {
    groups.reduce(0) { $0 + $1.threads.count } > 20 ? 76 : 48
  }

  /// Says what of a brief report is left out.
  private func writeRest(
    _ hidden: ArraySlice<DumpGroup>, to page: inout TextPage<some TextOutputStream>
  ) {
    if !hidden.isEmpty {
      let count = hidden.reduce(0) { $0 + $1.threads.count }
      page.space()
      page.line("… \(Figures.count(Int64(count), "more thread")) (--all shows them)")
    }
    guard !resting.isEmpty else { return }
    page.space()
    page.paragraph("At rest: \(resting.words) (--all shows their stacks)")
  }

  private func writeCapture(to page: inout TextPage<some TextOutputStream>) {
    let capture = profile.capture
    let cost = capture.cost
    let pause = cost.stops > 0 ? " (longest pause \(Figures.duration(cost.pauseMax)))" : ""
    let threads = Figures.count(Int64(profile.threads.count), "thread")
    page.clauses(
      [
        """
        sprof dump: \(capture.program), \(threads), \
        sampled in \(Figures.duration(capture.duration))
        """, cost.sampleWords + pause,
      ], style: .strong)
    page.notes(of: capture, atMost: isBrief ? 6 : .max)
  }

  private func writeHeading(of group: DumpGroup, to page: inout TextPage<some TextOutputStream>) {
    let infos = group.threads.map { profile.threads[$0] }
    let cpu = Figures.seconds(infos.reduce(0) { $0 &+ $1.cpuSinceStart })
    let state = group.likeness.state
    if let info = infos.first, infos.count == 1 {
      let role = info.isMain ? " (main)" : ""
      page.paragraph(
        "Thread \(info.tid) \"\(info.title.shortName)\"\(role)  \(state), \(cpu) s CPU so far",
        style: .strong)
    } else if let info = infos.first {
      let isSame = infos.allSatisfy { $0.name == info.name }
      let own = isSame ? info.name : info.namePattern
      let isOneProcess = infos.allSatisfy { $0.process == info.process }
      let process = isOneProcess ? info.process?.title : info.process?.name
      let name = (process.map { "\($0)/\(own)" } ?? own).shortName
      let count =
        group.likeness.idleness.map { $0.counted(infos.count) + " " } ?? "Threads ×\(infos.count) "
      page.paragraph(
        "\(count)\"\(name)\"  \(state), \(cpu) s CPU so far in total", style: .strong)
      page.paragraph("  tids \(tidRanges(infos.map(\.tid)))", indent: 7)
    }
    if let wait = wait(of: group) { page.paragraph("  \(wait)", indent: 5) }
    if let call = systemCall(of: infos), !isExplained(group) {
      page.paragraph("  in \(call)", indent: 5)
    }
    if infos.count == 1, let task = tasks.running(thread: group.threads[0]) {
      page.paragraph("  \(task)", indent: 5)
    }
    if infos.count == 1, let goroutine = goroutines.running(thread: group.threads[0]) {
      page.paragraph("  \(goroutine)", indent: 5)
    }
  }

  /// What the threads of a group wait for; nil when no more is known than their system call.
  private func wait(of group: DumpGroup) -> String? {
    let situations = told(group)
    guard let first = situations.first, var wait = first.wait else { return nil }
    var lasted = first.length
    if group.threads.count > 1 {
      lasted = nil
      wait.timeLeft = nil
      let isSame = situations.allSatisfy { situation in
        var other = situation.wait
        other?.timeLeft = nil
        return other == wait
      }
      if !isSame { wait = Wait(kind: wait.kind) }
    }
    let phrase =
      wait.hasWords ? words.phrase(wait, lasted: lasted, in: words.pid(of: first.thread)) : nil
    guard let idleness = first.idleness, let phrase else {
      return first.idleness?.words ?? phrase
    }
    // Where the wait was not inspected, its kind says no more than the idleness.
    if group.threads.count == 1, first.blocking == nil { return idleness.words }
    return idleness.isImplied(by: wait.kind) ? phrase : "\(idleness.words): \(phrase)"
  }

  /// The threads of a group whose waits were looked up, where those of the others are the same.
  ///
  /// That is so in the same call on the same descriptor or address; on a busy machine there is not time
  /// to look up all.
  private func told(_ group: DumpGroup) -> [ThreadSituation] {
    let situations = group.threads.compactMap { diagnosis.situations[$0] }
    let known = situations.filter { $0.blocking != nil }
    let calls = group.threads.map { profile.threads[$0].systemCall }
    let isSame = calls.allSatisfy { call in
      call != nil && call?.name == calls[0]?.name
        && call?.arguments.first == calls[0]?.arguments.first
    }
    return known.isEmpty || !isSame ? situations : known
  }

  /// Whether the words for the wait say all that the system call's arguments would.
  private func isExplained(_ group: DumpGroup) -> Bool {
    group.threads.allSatisfy { thread in
      guard let situation = diagnosis.situations[thread], situation.blocking != nil else {
        return false
      }
      return situation.wait?.hasWords ?? false && situation.wait?.kind != .futex
    }
  }

  /// The system call that the threads are in; an argument that is not the same for all is `…`.
  private func systemCall(of infos: [ThreadInfo]) -> String? {
    let calls = infos.compactMap(\.systemCall)
    guard let first = calls.first, calls.count == infos.count,
      calls.allSatisfy({ $0.name == first.name && $0.arguments.count == first.arguments.count })
    else { return nil }
    let arguments = first.arguments.enumerated().map { position, argument in
      calls.allSatisfy { $0.arguments[position] == argument } ? SystemCall.number(argument) : "…"
    }
    return "\(first.name)(\(arguments.joined(separator: ", ")))"
  }
}

extension Activity {
  /// The state of a thread in a dump: the kernel's letter (proc(5)) where the sample says nothing.
  func state(letter: Character?) -> String {
    switch self {
    case .stopped: letter == "t" ? "stopped by a debugger" : "stopped by a signal"
    case .unknown:
      switch letter {
      case "Z", "X": "ended, not yet reaped"
      case "R": "running, not sampled"
      case "D": "in uninterruptible sleep"
      case "S": "blocked"
      case "I": "idle in the kernel"
      case "T": "stopped by a signal"
      case "t": "stopped by a debugger"
      default: "state unknown"
      }
    case .running, .waitingForCPU, .blocked, .uninterruptible: words
    }
  }
}

extension Wait {
  /// Whether its kind has words of its own.
  fileprivate var hasWords: Bool {
    switch kind {
    case .otherCall: false
    case .unknown: kernelFunction != nil
    default: true
    }
  }
}
