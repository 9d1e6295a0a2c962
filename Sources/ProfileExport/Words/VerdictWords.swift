internal import ProfileAnalysis
internal import ProfileModel

/// The verdict in words: a sentence or two, and the chain of threads that wait for each other.
struct VerdictWords {
  let diagnosis: Diagnosis
  let verdict: Verdict
  let waits: WaitWords

  init(_ diagnosis: Diagnosis) {
    self.diagnosis = diagnosis
    verdict = diagnosis.verdict
    waits = WaitWords(diagnosis.index.profile)
  }

  /// The verdict, its evidence, and its chain, at the top of a report.
  ///
  /// With `explains` the rule and the facts by which it was found follow.
  func write(to page: inout TextPage<some TextOutputStream>, explains: Bool = false) {
    page.paragraph(sentence, style: .strong)
    for line in linesBelowSentence() { page.paragraph("  " + line, indent: 4) }
    guard explains else { return page.space() }
    for line in EvidenceWords(words: self).lines { page.paragraph("  " + line, indent: 4) }
    page.space()
  }

  /// The verdict without its chain, and what it does not know of.
  var sentence: String {
    finding + crowdWords + unclearWords + blameWords + awaitedWords + hangingWords
      + WindowWords.sentences(diagnosis.index.profile.capture.windows)
      + unsampledWords
      + unseenWords
  }

  private var finding: String {
    if let goroutines = verdict.goroutines {
      return GoroutineWords(diagnosis: diagnosis, words: self).sentence(
        of: goroutines, verdict.kind)
    }
    let subject = verdict.thread.map { waits.thread($0) } ?? "The program"
    switch verdict.kind {
    case .deadlock: return cycleSentence("Deadlock") + cycleEvidence
    case .possibleDeadlock: return cycleSentence("Possible deadlock") + cycleEvidence
    case .orphanedLock:
      return "Hung: \(waiting(subject)); nobody can unlock it any more" + evidence
    case .hungOnLock, .hungOnIO, .hung: return "Hung: \(waiting(subject))" + behindWords + evidence
    case .froze:
      let sentence = verdict.thread.map { FreezeWords(diagnosis).sentence(of: $0) } ?? inconclusive
      guard verdict.place != nil else { return sentence }
      return sentence + " In all \(subject) was on a CPU for \(percent(verdict.shares?.running)) %"
        + placeWords + runnableWords + "."
    case .busyLoop: return busyLoop(subject)
    case .starved: return starved(subject)
    case .slow: return slow(subject)
    case .running:
      let isOnCPU = situation?.activity == .running
      return
        "Running: \(subject) was \(isOnCPU ? "on" : "runnable, waiting for") a CPU when sampled"
        + (verdict.place.map { ", in " + placeName($0) } ?? "") + handlerWords(verdict.place) + "."
    case .waiting: return "Waiting: \(waiting(subject))" + behindWords + evidence
    case .idle: return "Idle: \(subject) \(idleWords)" + restWords + evidence
    case .frozen: return frozen
    case .stopped: return "Stopped: every thread is stopped by a signal or a debugger."
    case .inconclusive: return inconclusive
    }
  }

  private var frozen: String {
    "Frozen: every thread is kept from running by the freezer of its control group"
      + (verdict.wait?.frozenCgroup.map { " " + $0 } ?? ", which sprof cannot see") + evidence
  }

  private var inconclusive: String {
    let capture = diagnosis.index.profile.capture
    let cost = capture.cost
    if cost.ticksTaken > 0, cost.stops == 0, cost.samplesWithoutStop == 0 {
      return "Nothing conclusive: no thread could be sampled."
    }
    guard capture.kind != .dump, (1..<50_000_000).contains(capture.duration) else {
      return "Nothing conclusive: no thread explains a slowdown."
    }
    return
      "Nothing conclusive: \(Figures.duration(capture.duration)) is too short to sample."
  }

  var pid: Int32 {
    verdict.thread.map { waits.pid(of: $0) } ?? diagnosis.index.profile.capture.pid
  }

  var situation: ThreadSituation? {
    verdict.thread.flatMap { diagnosis.situations[$0] }
  }

  /// A frame, unless its function is only an address, which says nothing to a reader.
  func named(_ frame: SourceFrame?) -> SourceFrame? {
    frame.flatMap { $0.line.isNamed ? $0 : nil }
  }

  /// Which handler of an event loop keeps that loop waiting, when `place` does not say so.
  func handlerWords(_ place: SourceFrame?) -> String {
    situation.map { handlerWords(place, of: $0) } ?? ""
  }

  func handlerWords(_ place: SourceFrame?, of situation: ThreadSituation) -> String {
    guard let loop = situation.handlerOf?.name else { return "" }
    // A thread that runs may be in the loop itself.
    guard let handler = situation.handler else {
      return situation.isAsleep ? ", in a handler of " + loop : ""
    }
    let isPlace =
      handler.line.function == place?.line.function && handler.module == place?.module
    return isPlace ? ", a handler of " + loop : ", in the handler \(name(handler)) of " + loop
  }

  /// In how many samples it was seen.
  var evidence: String {
    " (seen in \(Figures.count(Int64(max(verdict.samples, 1)), "sample")))."
  }

  var lasted: String { Figures.duration(verdict.lasted ?? 0) }

  func percent(_ share: Double?) -> String { Figures.fixed(share ?? 0, decimals: 1) }
}

extension Verdict.Kind {
  /// Whether the chain behind the verdict's thread explains it.
  var hasChain: Bool {
    switch self {
    case .deadlock, .possibleDeadlock, .orphanedLock, .hungOnLock, .hungOnIO, .hung, .waiting: true
    case .froze, .busyLoop, .starved, .slow, .running, .idle, .frozen, .stopped, .inconclusive:
      false
    }
  }
}
