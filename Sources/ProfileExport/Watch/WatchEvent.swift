package import ProfileAnalysis
package import ProfileModel

/// What a flight recorder has to say, as a line of its log or a line of JSON.
package enum WatchEvent {
  /// There is no program of that name yet, or no more.
  case waiting(name: String)
  /// It begins to watch a program.
  case watching(process: String, pid: Int32, threshold: Int64, folder: String)
  /// A freeze has reached the threshold, and goes on.
  case frozen(AbsenceReport, tid: Int32, length: Int64)
  /// A freeze that is over, or that its capture has a part of, and the file; nil where there is none.
  case captured(AbsenceReport, RecordedFreeze, path: String?)
  /// A freeze is over; what it was follows with its capture, unless that ended before.
  case thawed(tid: Int32, isMain: Bool, length: Int64, isAtLeast: Bool)
  /// Something could not be kept.
  case failed(reason: String)
  /// It ends, having watched for some nanoseconds.
  case ended(WatchSummary, process: String, pid: Int32, watched: Int64, isProgramOver: Bool)
}

extension WatchEvent {
  /// Writes the event's lines; `stamp` is the time of day.
  package func write(to output: inout some TextOutputStream, stamp: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for (number, line) in lines.enumerated() {
      let lead = number == 0 ? "\(stamp)  " : ""
      output.write(lead + String(line).printable + "\n")
    }
  }

  private var text: String {
    switch self {
    case .waiting(let name): return "waiting for a process named \(name.shortName)"
    case .watching(let process, let pid, let threshold, let folder):
      return "watching \(process.shortName) (pid \(pid)) for freezes of "
        + "\(Figures.duration(threshold)) or longer; captures go to \(folder)"
    case .frozen(let report, _, let length):
      return "frozen for \(Figures.duration(length)) so far: \(report.subject) is \(report.doing)"
    case .captured(let report, let freeze, let path):
      let verb =
        !freeze.isOver
        ? "was frozen for at least" : freeze.beganBefore ? "froze for at least" : "froze for"
      return "\(verb) \(Figures.duration(freeze.length)): \(report.subject) was \(report.doing)"
        + (path.map { "; \($0)" } ?? "")
    case .thawed(let tid, let isMain, let length, let isAtLeast):
      return (isMain ? "the main thread (\(tid))" : "thread \(tid)")
        + " is back after \(isAtLeast ? "at least " : "")\(Figures.duration(length))"
    case .failed(let reason): return reason
    case .ended(let summary, let process, let pid, let watched, let isProgramOver):
      return ending(
        summary, "\(process.shortName) (pid \(pid))", watched: watched, isProgramOver: isProgramOver
      )
    }
  }

  private func ending(
    _ summary: WatchSummary, _ program: String, watched: Int64, isProgramOver: Bool
  ) -> String {
    let time =
      "watched \(program) for \(Figures.duration(watched))"
      + (isProgramOver ? ", until it ended" : "")
    guard summary.count > 0 else { return time + ": no freeze" }
    let count = Figures.count(Int64(summary.count), "freeze")
    var lines = [
      "\(time): \(count), \(Figures.duration(summary.total)) in total, "
        + "the longest \(Figures.duration(summary.longest))",
      "  count       total     longest  cause",
    ]
    for row in summary.rows {
      lines.append(
        "  " + PlainText.paddedAtLeft("\(row.count)", to: 5)
          + PlainText.paddedAtLeft(Figures.duration(row.total), to: 12)
          + PlainText.paddedAtLeft(Figures.duration(row.longest), to: 12) + "  " + row.words)
    }
    return lines.joined(separator: "\n")
  }
}

extension WatchEvent {
  /// Writes the event as one JSON object in one line; `time` is in seconds since 1970.
  package func writeJSON(to output: inout some TextOutputStream, time: Double) {
    JSONWriter.write(to: &output) { json in
      json.object { json in
        json.member("event", name)
        json.member("time", time)
        writeMembers(to: &json)
      }
      json.endLine()
    }
  }

  private var name: String {
    switch self {
    case .waiting: "waiting"
    case .watching: "watching"
    case .frozen: "frozen"
    case .captured: "freeze"
    case .thawed: "thawed"
    case .failed: "failed"
    case .ended: "end"
    }
  }

  private func writeMembers(to json: inout JSONWriter) {
    switch self {
    case .waiting(let name): json.member("process", name)
    case .watching(let process, let pid, let threshold, let folder):
      json.member("process", process)
      json.member("pid", pid)
      json.member("threshold_ns", threshold)
      json.member("folder", folder)
    case .frozen(let report, let tid, let length):
      json.member("tid", tid)
      json.member("length_ns", length)
      report.writeMembers(to: &json)
    case .captured(let report, let freeze, let path):
      json.member("tid", freeze.tid)
      json.member("start_ns", freeze.start)
      json.member("length_ns", freeze.length)
      json.member("over", freeze.isOver)
      json.member("began_before", freeze.beganBefore)
      json.member("capture", path)
      report.writeMembers(to: &json)
    case .thawed(let tid, _, let length, _):
      json.member("tid", tid)
      json.member("length_ns", length)
    case .failed(let reason): json.member("words", reason)
    case .ended(let summary, let process, let pid, let watched, let isProgramOver):
      json.member("process", process)
      json.member("pid", pid)
      json.member("watched_ns", watched)
      json.member("program_ended", isProgramOver)
      json.member("freezes", summary.count)
      json.member("total_ns", summary.total)
      json.member("longest_ns", summary.longest)
      json.array("causes", of: summary.rows) { json, row in
        json.object { json in
          json.member("words", row.words)
          json.member("count", row.count)
          json.member("total_ns", row.total)
          json.member("longest_ns", row.longest)
        }
      }
    }
  }
}
