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

  /// When the main thread, or that of the verdict, may have frozen.
  private var unclearWords: String {
    switch verdict.kind {
    case .froze, .slow, .waiting, .idle, .inconclusive: break
    case .deadlock, .possibleDeadlock, .orphanedLock, .hungOnLock, .hungOnIO, .hung, .busyLoop,
      .starved, .running, .frozen, .stopped:
      return ""
    }
    let profile = diagnosis.index.profile
    let thread = verdict.thread ?? profile.threads.indices.first { profile.isMainThread($0) }
    return thread.map { FreezeWords(diagnosis).unclearSentence(of: $0) } ?? ""
  }

  /// What the main thread does meanwhile, which waits for this one or for another busy one.
  private var awaitedWords: String {
    verdict.awaitedBy.flatMap { waiting($0) }.map { " Meanwhile \($0)." } ?? ""
  }

  /// What a thread hangs on that the verdict is not about.
  private var hangingWords: String {
    guard let hanging = verdict.hanging, let words = waiting(hanging.thread) else { return "" }
    let begin = verdict.awaitedBy == nil ? "Meanwhile" : "Also,"
    let behind = behindWords(hanging.behind, chain: hanging.chain)
    guard hanging.more > 0 else { return " \(begin) \(words)\(behind)." }
    let others = Figures.count(Int64(hanging.more), "other thread")
    let verb = hanging.more == 1 ? "has" : "have"
    return " \(begin) \(words)\(behind). \(others) \(verb) been waiting for 1 s or more, too."
  }

  /// A thread with the function that asked for its wait, and what it waits for; nil for one that does not wait.
  private func waiting(_ thread: Int) -> String? {
    guard let situation = diagnosis.situations[thread], let wait = situation.wait else {
      return nil
    }
    let frame = named(situation.asker)
    let place = (frame.map { ", in " + name($0) } ?? "") + handlerWords(frame, of: situation)
    let sentence = waits.sentence(wait, lasted: situation.length, in: waits.pid(of: thread))
    return "\(waits.thread(thread))\(place)\(place.isEmpty ? "" : ",") \(sentence)"
  }

  /// What a runtime keeps to itself may be the very thing that matters.
  private var unseenWords: String {
    switch verdict.unseen {
    case .goroutines: " Its goroutines were not read."
    case .javaThreads: " What Java threads wait for is not seen."
    case nil: goroutineWords
    }
  }

  /// What goroutines do, where the verdict is about a thread that does nothing.
  private var goroutineWords: String {
    switch verdict.kind {
    case .idle, .waiting, .inconclusive:
      verdict.goroutines == nil ? GoroutineWords(diagnosis: diagnosis, words: self).summary : ""
    case .deadlock, .possibleDeadlock, .orphanedLock, .hungOnLock, .hungOnIO, .hung, .froze,
      .busyLoop, .starved, .slow, .running, .frozen, .stopped:
      ""
    }
  }

  /// Who held up the thread.
  private var blameWords: String {
    verdict.blame.map { " " + BlameWords($0.tree, waits).sentence(of: $0) } ?? ""
  }

  /// What was not sampled may be the very thing that matters.
  private var unsampledWords: String {
    let unsampled = diagnosis.index.profile.capture.unsampled
    let parts = [
      unsampled.threads > 0 ? Figures.count(Int64(unsampled.threads), "thread") : nil,
      unsampled.processes > 0
        ? Figures.count(Int64(unsampled.processes), "process", plural: "processes") : nil,
    ].compactMap { $0 }
    let used =
      unsampled.cpu > 0
      ? " Threads used \(Figures.duration(unsampled.cpu)) of CPU time after their last sample or between two."
      : ""
    guard !parts.isEmpty else { return used }
    let isOne = unsampled.threads + unsampled.processes == 1
    return " \(parts.joined(separator: " and ")) \(isOne ? "was" : "were") not sampled." + used
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

  private func starved(_ subject: String) -> String {
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

  // MARK: - Kinds

  private func cycleSentence(_ word: String) -> String {
    let count = verdict.chain.count
    let time = length?.words
    let end = (time.map { " for " + $0 } ?? "") + (verdict.isTimed ? ", until a timeout" : "")
    if count == 1 {
      let verb = time == nil ? "is waiting" : "has been waiting"
      return "\(word): \(verdict.thread.map { waits.thread($0) } ?? "a thread") \(verb) for itself"
        + end + behindWords + outsiderWords
    }
    let names = verdict.chain.prefix(3).map { waits.node(diagnosis.graph.nodes[$0]) }
    let more = count > 3 ? " and \(count - 3) more" : ""
    let list = count == 2 ? names.joined(separator: " and ") : names.joined(separator: ", ") + more
    let verb = time == nil ? "are waiting" : "have been waiting"
    return "\(word): \(list) \(verb) for each other" + end + behindWords
      + outsiderWords
  }

  private func busyLoop(_ subject: String) -> String {
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

  private func slow(_ subject: String) -> String {
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
  private var placeWords: String {
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
  private var runnableWords: String {
    guard let waiting = verdict.shares?.waiting, waiting >= 5 else { return "" }
    return "; runnable, waiting for a CPU \(percent(waiting)) %"
  }

  /// That the program's own threads have the CPUs that they wait for.
  private var crowdWords: String {
    guard let wanting = verdict.wantingThreads,
      let processors = diagnosis.index.profile.capture.processors
    else { return "" }
    let threads = Figures.count(Int64(wanting), "thread")
    return
      " The program has more runnable threads than CPUs: \(threads) at a time wanted to run on "
      + Figures.count(Int64(processors), "CPU") + "."
  }

  /// What a thread mostly waited for while it was blocked.
  private var mostlyWaiting: String {
    if let idleness = verdict.waitIdleness { return ", mostly \(idleness.words)" }
    guard let wait = verdict.wait else { return "" }
    let frame = named(verdict.waitPlace)
    return ", mostly \(waits.action(wait, in: pid))" + (frame.map { ", in " + name($0) } ?? "")
  }

  // MARK: - Parts

  private var pid: Int32 {
    verdict.thread.map { waits.pid(of: $0) } ?? diagnosis.index.profile.capture.pid
  }

  private var situation: ThreadSituation? {
    verdict.thread.flatMap { diagnosis.situations[$0] }
  }

  /// The subject with the function that asked for its wait, and what it waits for.
  private func waiting(_ subject: String) -> String {
    guard let wait = situation?.wait else { return subject + " is waiting" }
    let frame = named(verdict.waitPlace)
    let place = (frame.map { ", in " + name($0) } ?? "") + handlerWords(frame)
    return subject + place + (place.isEmpty ? " " : ", ")
      + waits.sentence(wait, lasted: length, in: pid)
  }

  /// A frame, unless its function is only an address, which says nothing to a reader.
  func named(_ frame: SourceFrame?) -> SourceFrame? {
    frame.flatMap { $0.line.isNamed ? $0 : nil }
  }

  /// Which handler of an event loop keeps that loop waiting, when `place` does not say so.
  private func handlerWords(_ place: SourceFrame?) -> String {
    situation.map { handlerWords(place, of: $0) } ?? ""
  }

  private func handlerWords(_ place: SourceFrame?, of situation: ThreadSituation) -> String {
    guard let loop = situation.handlerOf?.name else { return "" }
    // A thread that runs may be in the loop itself.
    guard let handler = situation.handler else {
      return situation.isAsleep ? ", in a handler of " + loop : ""
    }
    let isPlace =
      handler.line.function == place?.line.function && handler.module == place?.module
    return isPlace ? ", a handler of " + loop : ", in the handler \(name(handler)) of " + loop
  }

  private var idleWords: String {
    if let idleness = situation?.idleness { return idleness.predicate + dialogWords }
    guard let wait = situation?.wait else { return "is waiting" }
    return waits.sentence(wait, lasted: length, in: pid)
  }

  /// The handler that runs the loop in which the thread rests: that of a modal dialog.
  private var dialogWords: String {
    guard let situation, situation.handlerOf != nil else { return "" }
    return ", run by " + (situation.handler.map { "the handler " + name($0) } ?? "a handler")
      + ", as for a modal dialog"
  }

  private var behindWords: String { behindWords(verdict.behind, chain: verdict.chain) }

  private func behindWords(_ behind: Int, chain: [Int]) -> String {
    guard behind > 0 else { return "" }
    let verb = behind == 1 ? "is" : "are"
    let whom = chain.count > 1 ? "them" : "it"
    return "; \(Figures.count(Int64(behind), "more thread")) \(verb) blocked behind \(whom)"
  }

  /// The other threads of an idle program.
  private var restWords: String {
    let others = diagnosis.situations.compactMap { $0 }.filter { $0.thread != verdict.thread }
    let rests = others.compactMap(\.idleness)
    let waiting = others.count - rests.count
    var words = ""
    if !rests.isEmpty {
      let verb = rests.count == 1 ? "is" : "are"
      let threads = Figures.count(Int64(rests.count), "other thread")
      let isSame = rests.allSatisfy { $0 == situation?.idleness }
      words += isSame ? "; so \(verb) \(threads)" : "; \(threads) \(verb) also idle"
    }
    if waiting > 0 {
      words +=
        "; " + Figures.count(Int64(waiting), "thread") + (waiting == 1 ? " is" : " are")
        + " waiting"
    }
    return words
  }

  /// In how many samples it was seen.
  private var evidence: String {
    " (seen in \(Figures.count(Int64(max(verdict.samples, 1)), "sample")))."
  }

  private var length: WaitLength? {
    verdict.lasted.flatMap { WaitLength($0, isAtLeast: verdict.isAtLeast) }
  }

  /// The same of a cycle; its waits in other processes are looked up now and then, so that how long it has lasted
  /// says more.
  private var cycleEvidence: String {
    let isOwn = verdict.chain.allSatisfy { diagnosis.graph.nodes[$0].thread != nil }
    let isTold = !isOwn && verdict.samples > 1 && (verdict.lasted ?? 0) > 0
    return isTold && diagnosis.index.profile.capture.kind != .dump ? "." : evidence
  }

  private var lasted: String { Figures.duration(verdict.lasted ?? 0) }

  private func percent(_ share: Double?) -> String { Figures.fixed(share ?? 0, decimals: 1) }
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
