internal import ProfileAnalysis
internal import ProfileModel

extension TextReport {
  /// The table of threads: where each one's time went.
  func writeThreads(to page: inout TextPage<some TextOutputStream>) {
    let count = rows.reduce(0) { $0 + $1.threads.count }
    // A build starts thousands of processes.
    let rows = hasProcesses ? detailedRows : rows[...]
    page.heading("Threads: \(count)" + (hasMerged ? " (similar idle ones share a row)" : ""))
    let cells = rows.map(threadCells)
    let tidWidth = max(cells.lazy.map(\.tid.count).max() ?? 0, 7)
    let nameWidth = min(max(cells.lazy.map { PlainText.columns($0.name) }.max() ?? 0, 4), 34)
    let cpuWidth = max(cells.lazy.map(\.cpu.count).max() ?? 0, 8)
    let header = ThreadCells(
      tid: "tid", name: "name", cpu: "cpu s", shares: ["% run", "% wait", "% block"],
      activity: "mostly")
    page.line(Span(header.line(tidWidth, nameWidth, cpuWidth), .dim))
    for cell in cells { page.line(Span(cell.line(tidWidth, nameWidth, cpuWidth))) }
    page.line(
      Span("% run: on a CPU; % wait: runnable, waiting for a CPU; % block: blocked", .dim))
    for row in rows where row.threads.count > 1 {
      page.paragraph("\(row.name.shortName) ×\(row.threads.count): tids \(tids(of: row))")
    }
    if hasProcesses { writeRest(to: &page) }
    writeLockUse(to: &page)
  }

  /// Who held the GIL, and who waited for it: the threads that did either, most first.
  private func writeLockUse(to page: inout TextPage<some TextOutputStream>) {
    let all = rows.flatMap(\.threads).map { profile.threads[$0] }
    let users = all.compactMap { info in
      info.lockUse?.shares.map { (info: info, held: $0.held, awaited: $0.awaited) }
    }.filter { $0.held > 0 || $0.awaited > 0 }
    guard !users.isEmpty else { return }
    page.heading("Python's global interpreter lock (GIL)")
    page.line(Span("    tid   % held   % wait  name", .dim))
    let sorted = users.sorted {
      ($0.held + $0.awaited, $1.info.tid) > ($1.held + $1.awaited, $0.info.tid)
    }
    for user in sorted.prefix(options.rows) {
      let columns =
        PlainText.paddedAtLeft(String(user.info.tid), to: 7)
        + PlainText.paddedAtLeft(Figures.fixed(user.held, decimals: 1), to: 9)
        + PlainText.paddedAtLeft(Figures.fixed(user.awaited, decimals: 1), to: 9)
      page.line(Span(columns + "  " + PlainText.printable(user.info.title)))
    }
    page.line(Span("% held: share of ticks with the GIL; % wait: waiting for it", .dim))
  }

  private var hasProcesses: Bool { rows.contains { profile.threads[$0.threads[0]].process != nil } }

  /// The table of processes, where there are several.
  func writeProcesses(to page: inout TextPage<some TextOutputStream>) {
    let table = ProcessTable(profile, threads: rows.flatMap(\.threads))
    guard table.rows.count > 1 else { return }
    let total = table.rows.reduce(Int64(0)) { $0 &+ $1.cpu }
    page.heading("Processes: \(table.rows.count), \(Figures.seconds(total)) s CPU in total")
    page.line(Span("    pid  threads    cpu s   % cpu     from       to  name", .dim))
    for row in table.rows.prefix(options.rows) {
      let figures = [
        (String(row.process.pid), 7), (String(row.threads), 9), (Figures.seconds(row.cpu), 9),
        (Figures.percent(row.cpu, of: total), 8),
        (Figures.seconds(row.firstSeen, decimals: 2) + " s", 9),
        (Figures.seconds(row.lastSeen, decimals: 2) + " s", 9),
      ]
      let columns = figures.map { PlainText.paddedAtLeft($0.0, to: $0.1) }.joined()
      let name = PlainText.printable(row.process.name)
      page.line("\(columns)  \(name)\(row.hasEnded ? ", ended" : "")")
    }
    let hidden = table.rows.dropFirst(options.rows)
    guard !hidden.isEmpty else { return }
    let rest = hidden.reduce(Int64(0)) { $0 &+ $1.cpu }
    page.line(
      """
      … \(Figures.count(Int64(hidden.count), "more process", plural: "more processes")), \
      \(Figures.seconds(rest)) s CPU (raise --top to see them)
      """)
  }

  private var hasMerged: Bool { rows.contains { $0.threads.count > 1 } }

  private func threadCells(_ row: ThreadTable.Row) -> ThreadCells {
    let tid =
      row.threads.count == 1
      ? String(profile.threads[row.threads[0]].tid) : "×\(row.threads.count)"
    var activity = row.activity?.entry ?? "never sampled"
    if isKernelWorker(row.threads[0]), row.activity?.wait == nil {
      activity = "kernel worker, " + (row.activity == .running ? "running" : "blocked")
    }
    if let shares = row.shares {
      for (other, share) in [(Activity.stopped, shares.stopped), (.unknown, shares.unknown)]
      where share >= 0.05 {
        let percent = " \(Figures.fixed(share, decimals: 1)) %"
        activity += (row.activity == other ? "" : ", " + other.entry) + percent
      }
    }
    if row.hasEnded { activity = "ended, " + activity }
    let shares = row.shares.map { [$0.running, $0.waiting, $0.blocked] }
    return ThreadCells(
      tid: tid, name: PlainText.printable(row.name) + (row.isMain ? " (main)" : ""),
      cpu: Figures.seconds(row.cpu),
      shares: shares?.map { Figures.fixed($0, decimals: 1) } ?? ["-", "-", "-"],
      activity: activity)
  }

  private func isKernelWorker(_ thread: Int) -> Bool {
    index.lastRun(of: thread)?.end == .truncated(.kernelWorker)
  }

  /// The tids of a merged row, consecutive ones as `from-to`.
  private func tids(of row: ThreadTable.Row) -> String {
    tidRanges(row.threads.map { profile.threads[$0].tid })
  }
}

/// Thread numbers in order, three and more consecutive ones as `from-to`.
func tidRanges(_ tids: [Int32]) -> String {
  var ranges: [(first: Int32, last: Int32)] = []
  for tid in tids.sorted() {
    if let last = ranges.last?.last, last != .max, tid == last + 1 {
      ranges[ranges.count - 1].last = tid
    } else {
      ranges.append((tid, tid))
    }
  }
  return ranges.map { first, last in
    first == last ? "\(first)" : first + 1 == last ? "\(first) \(last)" : "\(first)-\(last)"
  }.joined(separator: " ")
}

private struct ThreadCells {
  let tid: String
  let name: String
  let cpu: String
  let shares: [String]
  let activity: String

  func line(_ tidWidth: Int, _ nameWidth: Int, _ cpuWidth: Int) -> String {
    let shown = PlainText.shortenedInMiddle(name, to: nameWidth)
    return PlainText.paddedAtLeft(tid, to: tidWidth) + "  "
      + PlainText.paddedAtRight(shown, to: nameWidth) + "  "
      + PlainText.paddedAtLeft(cpu, to: cpuWidth)
      + shares.map { PlainText.paddedAtLeft($0, to: 9) }.joined() + "  " + activity
  }
}
