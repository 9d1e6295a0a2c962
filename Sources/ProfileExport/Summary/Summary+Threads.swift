internal import ProfileAnalysis
internal import ProfileModel

extension Summary {
  /// The threads in groups: a row for those that do something, a sentence for those at rest.
  func writeThreads(to page: inout TextPage<some TextOutputStream>) {
    let all = groups.active + groups.resting
    let count = all.reduce(0) { $0 + $1.threads.count }
    let processes = Set(all.flatMap { $0.threads.map { profile.threads[$0].process } }).count
    page.heading("Threads: \(count)" + (processes > 1 ? " of \(processes) processes" : ""))
    let shown = chosen
    if !shown.isEmpty { writeRows(shown, to: &page) }
    let isShown = Set(shown.map { $0.threads[0] })
    let hidden = groups.active.filter { !isShown.contains($0.threads[0]) }
    if !hidden.isEmpty {
      let threads = hidden.reduce(0) { $0 + $1.threads.count }
      let cpu = hidden.reduce(Int64(0)) { $0 &+ $1.cpu }
      page.paragraph(
        """
        … \(Figures.count(Int64(threads), "more thread")), \(Figures.seconds(cpu, decimals: 2)) s \
        CPU (--view threads)
        """)
    }
    if !groups.resting.isEmpty { page.paragraph("At rest: " + groups.resting.words) }
  }

  /// The groups with a row: those of the verdict, then those with most CPU time.
  private var chosen: [ThreadGroups.Group] {
    let named = Set(diagnosis.verdictThreads)
    let ranked = groups.active.enumerated().sorted { left, right in
      let isNamed = [left, right].map { $0.element.threads.contains { named.contains($0) } }
      if isNamed[0] != isNamed[1] { return isNamed[0] }
      return (0 &- left.element.cpu, left.offset) < (0 &- right.element.cpu, right.offset)
    }
    return ranked.prefix(limits.threads).sorted { $0.offset < $1.offset }.map(\.element)
  }

  private func writeRows(
    _ groups: [ThreadGroups.Group], to page: inout TextPage<some TextOutputStream>
  ) {
    let names = groups.map { group in
      let count = group.threads.count > 1 ? " ×\(group.threads.count)" : ""
      return PlainText.printable(group.name.shortName) + (group.isMain ? " (main)" : "") + count
    }
    let width = min(max(names.lazy.map { PlainText.columns($0) }.max() ?? 0, 4), 34)
    let header = PlainText.paddedAtRight("name", to: width)
    page.line(Span("\(header)    cpu s    % run   % wait  % block  mostly", .dim))
    for (group, name) in zip(groups, names) {
      let shares =
        group.shares.map {
          [$0.running, $0.waiting, $0.blocked].map { Figures.fixed($0, decimals: 1) }
        }
        ?? ["-", "-", "-"]
      let figures =
        PlainText.paddedAtLeft(Figures.seconds(group.cpu, decimals: 2), to: 9)
        + shares.map { PlainText.paddedAtLeft($0, to: 9) }.joined()
      let cell = PlainText.paddedAtRight(PlainText.shortenedInMiddle(name, to: width), to: width)
      page.line(Span("\(cell)\(figures)  \(activity(of: group))"))
    }
  }

  /// What the threads of a group mostly did, and in which function.
  private func activity(of group: ThreadGroups.Group) -> String {
    guard let heaviest = group.heaviest else { return "never sampled" }
    let ended = group.hasEnded ? "ended, " : ""
    let frames = report.index.frames(of: heaviest.stack)
    let situation = diagnosis.situations[group.threads[0]]
    let isAsleep = heaviest.activity.isWait
    let position =
      frames.firstIndex(where: \.isInterpreted) ?? frames.firstIndex { $0.line.isNamed }
    let own = position.map { report.index.programFrame(at: $0, of: frames) }
    let place = isAsleep ? situation?.asker ?? own : own
    let words = situation?.idleness.map { isAsleep ? $0.words : nil } ?? nil
    let name = place.map { " in " + PlainText.shortenedInMiddle($0.line.function, to: 40) } ?? ""
    return ended + (words ?? heaviest.activity.entry + name)
  }
}

extension [ThreadGroups.Group] {
  /// Groups at rest in a sentence, those of a kind together.
  var words: String {
    var kinds: [(words: String, names: [String])] = []
    for group in self {
      let words = group.idleness?.words ?? ""
      let count = group.threads.count > 1 ? " ×\(group.threads.count)" : ""
      let name = group.name.shortName + (group.isMain ? " (main)" : "") + count
      if let known = kinds.firstIndex(where: { $0.words == words }) {
        kinds[known].names.append(name)
      } else {
        kinds.append((words, [name]))
      }
    }
    let shown = kinds.prefix(4).map { kind in
      let more = kind.names.count > 4 ? " and \(kind.names.count - 4) more" : ""
      return kind.names.prefix(4).joined(separator: ", ") + more + " (\(kind.words))"
    }
    let rest = kinds.count > 4 ? "; \(Figures.count(Int64(kinds.count - 4), "more kind"))" : ""
    return shown.joined(separator: "; ") + rest
  }
}
