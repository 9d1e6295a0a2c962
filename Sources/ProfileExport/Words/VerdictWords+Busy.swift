internal import ProfileAnalysis
internal import ProfileModel

/// Verdicts about the time on a CPU, or waiting for one.
extension VerdictWords {
  func starved(_ subject: String) -> String {
    guard let shares = verdict.shares else { return "Nothing conclusive." }
    let reason = "The machine is overloaded, or the program's CPU limit is too low."
    return
      "Starved: \(subject) was runnable, but waiting for a CPU, \(percent(shares.waiting)) % of the "
      + "time and ran only \(percent(shares.running)) %\(wouldRun). \(reason)"
  }

  /// Where a starved thread would go on.
  private var wouldRun: String {
    verdict.place.map { ", in \(placeName($0))" + handlerWords($0) } ?? ""
  }

  func busyLoop(_ subject: String) -> String {
    if let handler = verdict.overdue { return overdue(subject, in: handler) }
    let place = verdict.place.map { placeName($0) } ?? "one function"
    let share = verdict.placeShare.map { percent($0 * 100) } ?? "100.0"
    return
      "Busy loop or long computation: \(subject) was on a CPU for "
      + "\(percent(verdict.shares?.running)) % of \(lasted) and stayed in "
      + "\(place)\(handlerWords(verdict.place)) (\(share) % of \(verdict.samples) samples\(busiestWords))"
      + "\(runnableWords)."
  }

  /// The function that most of a busy loop's samples were in.
  private var busiestWords: String {
    guard let busiest = verdict.busiest, let share = verdict.busiestShare else { return "" }
    return ", \(percent(share * 100)) % in \(name(busiest)) itself"
  }

  private func overdue(_ subject: String, in handler: SourceFrame) -> String {
    let loop = situation?.handlerOf?.name ?? "its event loop"
    let words =
      "Busy loop or long computation: \(subject) did not return from \(name(handler)), a handler of "
      + "\(loop), in \(lasted); it was on a CPU \(percent(verdict.shares?.running)) % of that"
    return words + placeWords + runnableWords + "."
  }

  /// Many threads, of which each lived for a short time.
  private func shortLived(_ shares: TimeShares) -> String {
    let info = verdict.thread.map { diagnosis.index.profile.threads[$0] }
    let isProcess = info.map { $0.isMain && $0.process != nil } ?? false
    let threads = Figures.count(
      Int64(verdict.alikeThreads), isProcess ? "short-lived process" : "short-lived thread",
      plural: isProcess ? "short-lived processes" : nil)
    let word = shares.running + shares.waiting >= 50 ? "Busy" : "Partly busy"
    return "\(word): \(threads) \(info?.name.quoted ?? "") were on a CPU for "
      + "\(percent(shares.running)) % of \(lasted), one after the other or together"
      + (verdict.cpuSamples >= 10 ? placeWords : "") + runnableWords + "."
  }

  func slow(_ subject: String) -> String {
    guard let shares = verdict.shares else { return "Nothing conclusive." }
    guard verdict.alikeThreads == 0 else { return shortLived(shares) }
    let rest = shares.running >= 5 ? "Partly busy" : "Mostly idle"
    let word =
      shares.running + shares.waiting >= 50
      ? "Busy" : verdict.waitIdleness != nil ? rest : "Mostly waiting"
    var words = "\(word): \(subject) was on a CPU for \(percent(shares.running)) % of \(lasted)"
    if verdict.cpuSamples >= 10 { words += placeWords }
    words += runnableWords
    if shares.blocked >= 5 { words += "; blocked \(percent(shares.blocked)) %" + mostlyWaiting }
    return words + "."
  }

  /// Where it was on a CPU: in one function, or in many that one calls.
  var placeWords: String {
    guard let place = verdict.place, let share = verdict.placeShare else { return "" }
    let own = Figures.percent(share, error: verdict.placeShareError)
    let all = Figures.count(Int64(verdict.cpuSamples), "sample")
    guard let within = verdict.within, let most = verdict.withinShare else {
      return ", mostly in \(placeName(place)) (\(own) % of \(all))"
    }
    return ", mostly in \(name(within)) and what it calls (\(percent(most * 100)) % of \(all)); "
      + "the busiest single function is \(placeName(place)) (\(own) %)"
  }

  /// How long it could have run, had there been a CPU.
  var runnableWords: String {
    guard let waiting = verdict.shares?.waiting, waiting >= 5 else { return "" }
    return "; runnable, waiting for a CPU \(percent(waiting)) %"
  }

  /// What a thread mostly waited for while it was blocked.
  private var mostlyWaiting: String {
    if let idleness = verdict.waitIdleness { return ", mostly \(idleness.words)" }
    guard let wait = verdict.wait else { return "" }
    let frame = named(verdict.waitPlace)
    return ", mostly \(waits.action(wait, in: pid))" + (frame.map { ", in " + name($0) } ?? "")
  }
}
