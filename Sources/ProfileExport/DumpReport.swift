internal import ProfileAnalysis
package import ProfileModel

/// What one look at every thread saw, as plain text for a person.
package struct DumpReport {
  private let index: ProfileIndex
  private let options: ReportOptions
  private let groups: [DumpGroup]

  private var profile: Profile { index.profile }

  /// A report on `profile`; of the options, the thread filter, colour and width count.
  package init(_ profile: Profile, options: ReportOptions = ReportOptions()) {
    index = ProfileIndex(profile)
    self.options = options
    groups = DumpGroup.groups(index, threads: index.threads(matching: options.threadFilter))
  }

  /// Writes the report; each line ends with a newline and stays within the width of the options.
  package func write(to output: inout some TextOutputStream) {
    var page = Page(output, width: options.width, color: options.color)
    writeCapture(to: &page)
    for group in groups {
      page.space()
      writeHeading(of: group, to: &page)
      FrameLines(index, stack: group.look.stack, end: group.look.end).write(to: &page, indent: 2)
    }
    if groups.isEmpty {
      page.space()
      page.paragraph(
        options.threadFilter.map { "No thread matches \"\($0.glob.replacingQuotes)\"." }
          ?? "No thread was seen.")
    }
    output = page.output
  }

  private func writeCapture(to page: inout Page<some TextOutputStream>) {
    let capture = profile.capture
    let cost = capture.cost
    let pause = cost.stops > 0 ? " (longest pause \(Figures.duration(cost.pauseMax)))" : ""
    let threads = Figures.count(Int64(profile.threads.count), "thread")
    page.clauses(
      [
        """
        sprof dump: \(capture.program), \(threads), \
        looked at in \(Figures.duration(capture.duration))
        """,
        """
        \(Figures.count(cost.looksWithoutStop, "look")) without a stop, \
        \(Figures.count(cost.stops, "stop"))\(pause)
        """,
      ], style: .strong)
    if cost.looksDropped > 0 {
      page.paragraph("note: \(Figures.count(cost.looksDropped, "look")) lost, sprof fell behind")
    }
    for note in capture.notes { page.paragraph("note: \(note)", indent: 6) }
  }

  private func writeHeading(of group: DumpGroup, to page: inout Page<some TextOutputStream>) {
    let infos = group.threads.map { profile.threads[$0] }
    let cpu = Figures.seconds(infos.reduce(0) { $0 &+ $1.cpuSinceStart })
    let state = group.look.state
    if let info = infos.first, infos.count == 1 {
      let role = info.isMain ? " (main)" : ""
      page.paragraph(
        "Thread \(info.tid) \"\(info.title.shortName)\"\(role)  \(state), CPU used so far \(cpu) s",
        style: .strong)
    } else if let info = infos.first {
      let isSame = infos.allSatisfy { $0.name == info.name }
      let own = isSame ? info.name : info.namePattern
      let name = (info.process.map { "\($0.title)/\(own)" } ?? own).shortName
      page.paragraph(
        "Threads ×\(infos.count) \"\(name)\"  \(state), CPU used so far \(cpu) s together",
        style: .strong)
      page.paragraph("  tids \(tidRanges(infos.map(\.tid)))", indent: 7)
    }
    if let call = systemCall(of: infos) { page.paragraph("  in \(call)", indent: 5) }
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

/// Threads that a dump shows together: one, or more than four idle ones with the same stack.
private struct DumpGroup {
  /// The fewest threads that are shown as one.
  private static let mergeLimit = 5

  let threads: [Int]
  let look: Look

  /// What a thread was found doing; equal for threads that may be shown together.
  struct Look: Hashable {
    let process: OwningProcess?
    let stack: StackID
    let end: StackEnd
    let activity: Activity
    let namePattern: String
    let state: String
  }

  static func groups(_ index: ProfileIndex, threads: [Int]) -> [DumpGroup] {
    var looks: [Look] = []
    var members: [Look: [Int]] = [:]
    for thread in threads {
      let look = Look(index, thread: thread)
      if members[look] == nil { looks.append(look) }
      members[look, default: []].append(thread)
    }
    let groups = looks.flatMap { look in
      let alike = members[look] ?? []
      let apart = alike.filter { !look.isIdle || index.profile.threads[$0].isMain }
      let idle = look.isIdle ? alike.filter { !index.profile.threads[$0].isMain } : []
      let single = (idle.count < mergeLimit ? idle : []) + apart
      return single.map { DumpGroup(threads: [$0], look: look) }
        + (idle.count < mergeLimit ? [] : [DumpGroup(threads: idle, look: look)])
    }
    let ranks = ProcessTable(index.profile).ranks
    return groups.sorted { left, right in
      let rank = [left, right].map { $0.look.process.flatMap { ranks[$0] } ?? 0 }
      return rank[0] != rank[1]
        ? rank[0] < rank[1] : left.key(index.profile) < right.key(index.profile)
    }
  }

  /// Main first, then what runs, what cannot be woken, what sleeps; merged ones after others.
  private func key(_ profile: Profile) -> (Int, Int, Int, Int64, Int32) {
    let info = profile.threads[threads[0]]
    let interest =
      switch look.activity {
      case .running: 0
      case .waitingForCPU: 1
      case .uninterruptible: 2
      case .blocked: 3
      case .stopped: 4
      case .unknown: 5
      }
    return (
      info.isMain ? 0 : 1, interest, threads.count > 1 ? 1 : 0, 0 &- info.cpuSinceStart, info.tid
    )
  }
}

extension DumpGroup.Look {
  init(_ index: ProfileIndex, thread: Int) {
    let info = index.profile.threads[thread]
    process = info.process
    let heaviest = HeaviestStack(index, thread: thread)
    stack = heaviest?.stack ?? .empty
    end = heaviest?.end ?? .truncated(.noStack)
    activity = heaviest?.activity ?? .unknown
    namePattern = info.namePattern
    state = info.hasEnded ? "ended during the look" : activity.state(letter: info.state)
  }

  /// Whether several of these may be shown as one: nothing goes on there.
  var isIdle: Bool {
    switch activity {
    case .blocked, .uninterruptible, .stopped, .unknown: true
    case .running, .waitingForCPU: false
    }
  }
}

extension Activity {
  /// The state of a thread in a dump; the kernel's letter where the look itself told nothing.
  fileprivate func state(letter: Character?) -> String {
    switch self {
    case .running: "running"
    case .waitingForCPU: "waiting for a CPU"
    case .blocked(let reason): "asleep " + place(reason)
    case .uninterruptible(let reason): "in uninterruptible sleep " + place(reason)
    case .stopped: letter == "t" ? "stopped by a debugger" : "stopped by a signal"
    case .unknown:
      switch letter {
      case "Z", "X": "ended, not yet reaped"
      case "R": "running, not looked at"
      case "D": "in uninterruptible sleep"
      case "S": "asleep"
      case "I": "idle in the kernel"
      case "T": "stopped by a signal"
      case "t": "stopped by a debugger"
      default: "state not known"
      }
    }
  }

  private func place(_ reason: WaitReason) -> String {
    reason.systemCall.map { "in " + $0 } ?? "outside any system call"
  }
}
