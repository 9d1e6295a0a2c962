internal import ProfileAnalysis
internal import ProfileModel

/// The goroutines of a process as a dump shows them: alike ones together.
struct DumpGoroutines {
  private let profile: Profile
  private let isBrief: Bool
  /// How many groups are shown.
  private let limit: Int
  /// For how long no goroutine has run.
  private let quietTime: Int64
  /// What the verdict is about, where that is goroutines.
  private let finding: GoroutineFinding?
  private let waits: WaitWords

  private static let briefLines = 8
  /// The lines of a brief dump, and those that goroutines may have however long the rest of it is.
  private static let (pageLines, leastLines) = (58, 16)

  init(_ diagnosis: Diagnosis, isBrief: Bool) {
    profile = diagnosis.index.profile
    waits = WaitWords(profile)
    finding = diagnosis.verdict.goroutines
    quietTime = profile.goroutines.isEmpty ? 0 : diagnosis.quietTime
    self.isBrief = isBrief
    limit = isBrief ? Int.max : 1000
  }

  /// What a thread runs, as a sentence; nil when it runs no goroutine.
  func running(thread: Int) -> String? {
    let info = profile.threads[thread]
    let pid = info.pid(in: profile.capture.pid)
    for list in profile.goroutines where list.pid == pid {
      for group in list.groups {
        guard let place = group.threads.firstIndex(of: info.tid),
          group.ids.indices.contains(place)
        else { continue }
        let since = list.isSteady ? "" : "a moment later "
        let creator = group.creator.map { ", created by " + words($0) } ?? ""
        let name = group.names.indices.contains(place) ? group.names[place] : ""
        let title = name.isEmpty ? "" : " " + name.quoted
        return "\(since)running \(list.noun) \(group.ids[place])\(title)\(creator)"
      }
    }
    return nil
  }

  func write(to page: inout TextPage<some TextOutputStream>) {
    for (number, list) in profile.goroutines.enumerated() {
      write(list, named: finding?.list == number ? finding?.groups ?? [] : [], to: &page)
    }
  }

  /// The groups of a brief dump: those of the verdict, then those that do something or wait for others, then
  /// those at rest.
  private func ordered(_ list: Goroutines, named: [Int]) -> [GoroutineGroup] {
    guard isBrief else { return list.groups }
    func rank(_ number: Int) -> Int {
      if let place = named.firstIndex(of: number) { return place - named.count }
      return list.isAtRest(list.groups[number]) ? 1 : 0
    }
    return list.groups.indices.sorted { (rank($0), $0) < (rank($1), $1) }.map { list.groups[$0] }
  }

  private func write(
    _ list: Goroutines, named: [Int], to page: inout TextPage<some TextOutputStream>
  ) {
    let own = ordered(list, named: named).filter { !$0.isOfRuntime || !isBrief }
    let hidden = list.groups.filter { $0.isOfRuntime && isBrief }.reduce(0) { $0 + $1.count }
    let count = own.reduce(0) { $0 + $1.count }
    page.space()
    let places = own.count < count ? " in \(Figures.count(Int64(own.count), "place"))" : ""
    var remarks: [String] = []
    if hidden > 0 { remarks.append("\(hidden) of Go's runtime are not shown") }
    if list.isUntracked {
      remarks.append("without those started by themselves: jdk.trackAllThreads is false")
    }
    if list.isCut { remarks.append("there are more than were read") }
    if !list.isSteady { remarks.append("some were running: they may be of different moments") }
    let remark = remarks.isEmpty ? "" : " (\(remarks.joined(separator: "; ")))"
    page.paragraph(
      "\(Figures.count(Int64(count), list.noun))\(places), \(list.version)\(remark)",
      style: .strong)
    let shown = fitting(own, of: list, after: page.lineCount)
    for group in own.prefix(shown) { write(group, of: list, to: &page) }
    writeRest(own.dropFirst(shown), of: list, to: &page)
  }

  /// How many groups there is room for: at least one.
  private func fitting(_ groups: [GoroutineGroup], of list: Goroutines, after lines: Int) -> Int {
    guard isBrief else { return min(limit, groups.count) }
    let all = groups.map { self.lines(of: $0, list) }
    // What is left out has a line or two of its own.
    let page = max(Self.pageLines - lines, Self.leastLines)
    var room = all.reduce(0, +) <= page ? page : page - 3
    var count = 0
    for lines in all {
      room -= lines
      guard room >= 0 || count == 0 else { break }
      count += 1
    }
    return count
  }

  /// The lines of a group in a brief dump, with the empty one before it.
  private func lines(of group: GoroutineGroup, _ list: Goroutines) -> Int {
    let head = 2 + (group.count > 1 ? 1 : 0) + (group.creator == nil ? 0 : 1)
    return head + min(shownStack(of: group, list).count, Self.briefLines)
  }

  /// What is left out, by what it does.
  private func writeRest(
    _ left: ArraySlice<GoroutineGroup>, of list: Goroutines,
    to page: inout TextPage<some TextOutputStream>
  ) {
    guard !left.isEmpty else { return }
    page.space()
    let rest = left.reduce(0) { $0 + $1.count }
    let goroutines = Figures.count(Int64(rest), "more " + list.noun)
    let groups = Figures.count(Int64(left.count), "place")
    var phrases: [(words: String, count: Int)] = []
    for group in left where isBrief {
      let words = phrase(of: group, list)
      if let known = phrases.firstIndex(where: { $0.words == words }) {
        phrases[known].count += group.count
      } else {
        phrases.append((words, group.count))
      }
    }
    let kinds = phrases.sorted { ($0.count, $1.words) > ($1.count, $0.words) }.prefix(3)
      .map { "\($0.count) \($0.words)" }.joined(separator: ", ")
    page.paragraph(
      "… \(goroutines) in \(groups)\(kinds.isEmpty ? "" : ": \(kinds)")"
        + "\(phrases.count > 3 ? ", …" : "") (\(isBrief ? "--all shows" : "--json has") them)")
  }

  private func write(
    _ group: GoroutineGroup, of list: Goroutines, to page: inout TextPage<some TextOutputStream>
  ) {
    page.space()
    page.paragraph("\(list.title(of: group))  \(state(of: group, list))", style: .strong)
    if group.count > 1, !group.ids.isEmpty {
      let more = group.ids.count < group.count ? ", …" : ""
      let ids = group.ids.prefix(8).map(String.init).joined(separator: ", ")
      page.paragraph("  ids \(ids)\(group.ids.count > 8 ? ", …" : more)", indent: 6)
    }
    if let creator = group.creator {
      page.paragraph("  created by \(words(creator))", indent: 5)
    }
    let stack = list.stack(of: group)
    guard !stack.isEmpty else {
      // A virtual thread that has not begun has none.
      let hasNone = list.kind == .virtualThread && group.state == .runnable
      if group.state != .running, !hasNone { page.line("    (no stack could be read)") }
      return
    }
    let shown = shownStack(of: group, list)
    FrameLines(profile, shown.map { SourceFrame(interpreted: $0) }, isBrief: isBrief).write(
      to: &page, indent: 2, limit: isBrief ? Self.briefLines : FrameLines.limit,
      hint: isBrief ? "--all" : "--json")
  }

  private func shownStack(of group: GoroutineGroup, _ list: Goroutines) -> [SourceLine] {
    isBrief ? list.shownStack(of: group) : list.stack(of: group)
  }

  private func phrase(of group: GoroutineGroup, _ list: Goroutines) -> String {
    list.phrase(of: group, waits)
  }

  private func state(of group: GoroutineGroup, _ list: Goroutines) -> String {
    let phrase = phrase(of: group, list)
    // What Java's objects are called says more than where they are, which changes.
    let object = group.wait == nil ? group.object.map { " \($0)" } ?? "" : ""
    let isStill =
      list.kind == .goroutine && (group.state == .waiting || group.state == .systemCall)
    let least = max(group.waited, isStill ? quietTime : 0)
    let most = max(group.longestWait, least)
    guard most > 0 else { return phrase + object }
    guard least > 0 else {
      return "\(phrase)\(object), the longest for at least \(Figures.duration(most))"
    }
    let range =
      most - least <= most / 10
      ? "for at least \(Figures.duration(least))"
      : "for at least \(Figures.duration(least)), the longest \(Figures.duration(most))"
    return "\(phrase)\(object), \(range)"
  }

  private func words(_ line: SourceLine) -> String {
    let place = line.file.map { file in
      " (\(file.lastPathPart.shortName)" + (line.line > 0 ? ":\(line.line)" : "") + ")"
    }
    return PlainText.shortenedInMiddle(line.function, to: 60) + (place ?? "")
  }
}
