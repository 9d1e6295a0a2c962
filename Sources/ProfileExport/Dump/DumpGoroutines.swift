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

  private static let briefGroups = 12
  private static let briefLines = 8

  init(_ diagnosis: Diagnosis, isBrief: Bool) {
    profile = diagnosis.index.profile
    quietTime = profile.goroutines.isEmpty ? 0 : diagnosis.quietTime
    self.isBrief = isBrief
    limit = isBrief ? Self.briefGroups : 1000
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
        return "\(since)running goroutine \(group.ids[place])\(creator)"
      }
    }
    return nil
  }

  func write(to page: inout TextPage<some TextOutputStream>) {
    for list in profile.goroutines { write(list, to: &page) }
  }

  private func write(_ list: Goroutines, to page: inout TextPage<some TextOutputStream>) {
    let own = list.groups.filter { !$0.isOfRuntime || !isBrief }
    let hidden = list.groups.filter { $0.isOfRuntime && isBrief }.reduce(0) { $0 + $1.count }
    let count = own.reduce(0) { $0 + $1.count }
    page.space()
    let places = own.count < count ? " in \(Figures.count(Int64(own.count), "place"))" : ""
    var remarks: [String] = []
    if hidden > 0 { remarks.append("\(hidden) of Go's runtime are not shown") }
    if list.isCut { remarks.append("there are more than were read") }
    if !list.isSteady { remarks.append("some were running: they may be of different moments") }
    let remark = remarks.isEmpty ? "" : " (\(remarks.joined(separator: "; ")))"
    page.paragraph(
      "\(Figures.count(Int64(count), "goroutine"))\(places), \(list.version)\(remark)",
      style: .strong)
    for group in own.prefix(limit) { write(group, of: list, to: &page) }
    let left = own.dropFirst(limit)
    guard !left.isEmpty else { return }
    page.space()
    let rest = left.reduce(0) { $0 + $1.count }
    let goroutines = Figures.count(Int64(rest), "more goroutine")
    let groups = Figures.count(Int64(left.count), "place")
    page.line(
      "… \(goroutines) in \(groups) (\(isBrief ? "--all shows" : "--json has") them)")
  }

  private func write(
    _ group: GoroutineGroup, of list: Goroutines, to page: inout TextPage<some TextOutputStream>
  ) {
    page.space()
    page.paragraph("\(group.title)  \(state(of: group, list))", style: .strong)
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
      if group.state != .running { page.line("    (no stack could be read)") }
      return
    }
    let own = stack.filter { !$0.isOfGoRuntime }
    let shown = isBrief && !own.isEmpty ? own : stack
    FrameLines(profile, shown.map { SourceFrame(interpreted: $0) }, isBrief: isBrief).write(
      to: &page, indent: 2, limit: isBrief ? Self.briefLines : FrameLines.limit,
      hint: isBrief ? "--all" : "--json")
  }

  private func state(of group: GoroutineGroup, _ list: Goroutines) -> String {
    let phrase = list.wait(of: group)?.phrase ?? group.phrase
    let object = group.object.map { " \($0)" } ?? ""
    let isStill = group.state == .waiting || group.state == .systemCall
    let least = max(group.waited, isStill ? quietTime : 0)
    let most = max(group.longestWait, least)
    guard most > 0 else { return phrase + object }
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
