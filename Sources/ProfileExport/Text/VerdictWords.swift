internal import ProfileAnalysis
internal import ProfileModel

/// The verdict in words: a sentence or two, and the chain of threads that wait for each other.
struct VerdictWords {
  /// Longer chains lose their middle.
  static let chainLimit = 12

  let diagnosis: Diagnosis
  let verdict: Verdict
  let waits: WaitWords

  init(_ diagnosis: Diagnosis) {
    self.diagnosis = diagnosis
    verdict = diagnosis.verdict
    waits = WaitWords(diagnosis.index.profile)
  }

  /// The verdict, its evidence, and its chain, at the top of a report.
  func write(to page: inout Page<some TextOutputStream>) {
    page.paragraph(sentence, style: .strong)
    for line in chainLines { page.paragraph("  " + line, indent: 4) }
    page.space()
  }

  /// The verdict without its chain.
  var sentence: String {
    let subject = verdict.thread.map { waits.thread($0) } ?? "The program"
    switch verdict.kind {
    case .deadlock: return cycleSentence("Deadlock") + evidence
    case .possibleDeadlock: return cycleSentence("Possibly a deadlock") + evidence
    case .orphanedLock:
      return "Hung: \(subject) \(wait), so that nobody will ever let go" + evidence
    case .hungOnLock, .hungOnIO, .hung: return "Hung: \(subject) \(wait)" + behindWords + evidence
    case .busyLoop: return busyLoop(subject)
    case .starved:
      return "Starved: \(subject) was ready to run, but without a CPU, "
        + "\(percent(verdict.shares?.waiting)) % of the time; it ran "
        + "\(percent(verdict.shares?.running)) % of it. The machine is overloaded, or its limit low."
    case .slow: return slow(subject)
    case .running:
      return "Running: \(subject) was on a CPU at this one look"
        + (verdict.place.map { ", in " + name($0) } ?? "") + handlerWords(verdict.place) + "."
    case .waiting: return "Waiting: \(subject) \(wait)" + behindWords + evidence
    case .idle: return "Idle: \(subject) \(idleWords)" + restWords + evidence
    case .stopped: return "Stopped: every thread is stopped by a signal or a debugger."
    case .inconclusive: return "Nothing conclusive: no thread tells why the program would be slow."
    }
  }

  // MARK: - Kinds

  private func cycleSentence(_ word: String) -> String {
    let count = verdict.chain.count
    let time = verdict.lasted.map { $0 > 0 ? ", for \(Figures.duration($0)) now" : "" } ?? ""
    let end = time + (verdict.isTimed ? ", until a time limit ends it" : "")
    if count == 1 {
      return "\(word): \(verdict.thread.map { waits.thread($0) } ?? "a thread") waits for itself"
        + end + behindWords
    }
    let names = verdict.chain.prefix(3).map { waits.node(diagnosis.graph.nodes[$0]) }
    let more = count > 3 ? " and \(count - 3) more" : ""
    let list = count == 2 ? names.joined(separator: " and ") : names.joined(separator: ", ") + more
    return "\(word): \(list) wait for each other" + end + behindWords
  }

  private func busyLoop(_ subject: String) -> String {
    let place = verdict.place.map { name($0) } ?? "one function"
    let share = verdict.placeShare.map { percent($0 * 100) } ?? "100.0"
    return
      "Busy loop, or long work: \(subject) was on a CPU \(percent(verdict.shares?.running)) % of "
      + "\(lasted), and stayed in \(place)\(handlerWords(verdict.place)) "
      + "(\(share) % of \(verdict.samples) looks)\(readyWords)."
  }

  private func slow(_ subject: String) -> String {
    guard let shares = verdict.shares else { return "Nothing conclusive." }
    let word =
      shares.running + shares.waiting >= 50
      ? "Busy" : verdict.waitIdleness != nil ? "Partly busy" : "Mostly waiting"
    var words = "\(word): \(subject) was on a CPU \(percent(shares.running)) % of \(lasted)"
    if let place = verdict.place, let share = verdict.placeShare, verdict.samples >= 10 {
      words +=
        ", most in \(name(place)) (\(percent(share * 100)) % of "
        + Figures.count(Int64(verdict.samples), "look") + ")"
    }
    words += readyWords
    if shares.blocked >= 5 { words += "; asleep \(percent(shares.blocked)) %" + mostlyWaiting }
    return words + "."
  }

  /// How long it could have run, had there been a CPU.
  private var readyWords: String {
    guard let waiting = verdict.shares?.waiting, waiting >= 5 else { return "" }
    return "; ready without a CPU \(percent(waiting)) %"
  }

  /// What most of a thread's sleep was for.
  private var mostlyWaiting: String {
    if let idleness = verdict.waitIdleness { return ": " + idleness.words }
    guard let wait = verdict.wait else { return "" }
    let frame = verdict.waitPlace.flatMap { $0.line.isNamed ? $0 : nil }
    return ", most \(waits.subject(wait, in: pid))" + (frame.map { ", in " + name($0) } ?? "")
  }

  // MARK: - Parts

  private var pid: Int32 {
    verdict.thread.map { waits.pid(of: $0) } ?? diagnosis.index.profile.capture.pid
  }

  private var situation: ThreadSituation? {
    verdict.thread.flatMap { diagnosis.situations[$0] }
  }

  /// What the subject waits for, with how long.
  private var wait: String {
    guard let wait = situation?.wait else { return "waits" }
    // An address says nothing to a reader.
    let frame = verdict.waitPlace.flatMap { $0.line.isNamed ? $0 : nil }
    let place = frame.map { ", in " + name($0) } ?? ""
    return waits.sentence(wait, lasted: verdict.lasted, in: pid) + place + handlerWords(frame)
  }

  /// Which handler of an event loop keeps that loop waiting, when `place` does not say it.
  private func handlerWords(_ place: SourceFrame?) -> String {
    guard let situation, let loop = situation.handlerOf?.name else { return "" }
    // A thread that runs may be in the loop itself.
    guard let handler = situation.handler else {
      return situation.isAsleep ? ", in a handler of " + loop : ""
    }
    let isPlace = handler.line.function == place?.line.function
    return isPlace ? ", a handler of " + loop : ", in the handler \(name(handler)) of " + loop
  }

  private var idleWords: String { situation?.idleness?.words ?? wait }

  private var behindWords: String {
    verdict.behind > 0
      ? "; " + Figures.count(Int64(verdict.behind), "more thread")
        + (verdict.behind == 1 ? " waits" : " wait") + " behind "
        + (verdict.chain.count > 1 ? "them" : "it") : ""
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
      words += isSame ? "; so \(verb) \(threads)" : "; \(threads) \(verb) idle, too"
    }
    if waiting > 0 {
      words += "; " + Figures.count(Int64(waiting), "thread") + (waiting == 1 ? " waits" : " wait")
    }
    return words
  }

  /// How often and how long it was seen.
  private var evidence: String {
    guard verdict.samples > 1 else { return " (seen once)." }
    return " (seen \(verdict.samples) times)."
  }

  private var lasted: String { Figures.duration(verdict.lasted ?? 0) }

  private func percent(_ share: Double?) -> String { Figures.fixed(share ?? 0, decimals: 1) }

  func name(_ frame: SourceFrame) -> String {
    let place = frame.line.file.map { file in
      " (" + file.lastPart.shortName + (frame.line.line > 0 ? ":\(frame.line.line)" : "") + ")"
    }
    let function = PlainText.shortenedInMiddle(frame.line.function.replacingQuotes, to: 60)
    return function + (place ?? "")
  }

  // MARK: - The chain

  /// One line for each thread of the chain, and what the last one does.
  var chainLines: [String] {
    // A process as a whole is named by the thread that waits for it.
    let nodes = verdict.chain.enumerated().filter { position, node in
      diagnosis.graph.nodes[node].tid != nil || position == verdict.chain.count - 1
    }.map(\.element)
    guard nodes.count > 1 || verdict.isCycle else { return [] }
    var lines: [String] = []
    for (position, node) in nodes.enumerated() {
      if nodes.count > Self.chainLimit, position == Self.chainLimit - 2 {
        lines.append("… \(nodes.count - Self.chainLimit) more wait behind each other …")
      }
      let isHidden =
        nodes.count > Self.chainLimit && position >= Self.chainLimit - 2
        && position < nodes.count - 2
      guard !isHidden else { continue }
      let waiter = position > 0 ? diagnosis.graph.nodes[nodes[position - 1]].pid : nil
      lines.append(line(node, for: waiter, isLast: position == nodes.count - 1))
    }
    return lines
  }

  /// `waiter` is the process of the thread that waits for it.
  private func line(_ node: Int, for waiter: Int32?, isLast: Bool) -> String {
    let graph = diagnosis.graph
    let name = waits.node(graph.nodes[node], for: waiter)
    guard let blocking = graph.blocking(of: node) else { return name + " " + doing(node) }
    let end = isLast ? (verdict.isCycle ? ", the first of these" : "") : ", which"
    let situation = graph.nodes[node].thread.flatMap { diagnosis.situations[$0] }
    let isTold = situation?.blocking == graph.nodes[node].blocking
    let wait = waits.sentence(
      (isTold ? situation?.wait : nil) ?? blocking.wait, lasted: diagnosis.lasted(blocking),
      in: blocking.waiter.pid)
    let place = situation?.asker.flatMap { $0.line.isNamed ? $0 : nil }
    return name + (place.map { ", in \(self.name($0))," } ?? "") + " " + wait + end
  }

  /// What a thread does that does not wait as far as is known.
  func doing(_ number: Int) -> String {
    let node = diagnosis.graph.nodes[number]
    if node.isDead { return "will never do anything again" }
    guard let thread = node.thread, let situation = diagnosis.situations[thread] else {
      let profile = diagnosis.index.profile
      let own = profile.threads.filter { $0.pid(in: profile.capture.pid) == node.pid }
      if !own.isEmpty, own.allSatisfy(\.hasEnded) { return "has ended" }
      let threads = diagnosis.graph.successors(of: number)
      guard node.tid == nil, !threads.isEmpty else { return "was not looked at" }
      let allWait = threads.allSatisfy { diagnosis.graph.nodes[$0].blocking != nil }
      return allWait
        ? "may act, should one of its threads wake"
        : "may act: not all of its threads are known to wait"
    }
    if let wait = situation.wait {
      return waits.sentence(
        wait, lasted: situation.waited > 0 ? situation.waited : nil, in: node.pid)
    }
    let frame = diagnosis.index.frames(of: situation.stack).first
    switch situation.activity {
    case .running: return "runs" + (frame.map { " in " + self.name($0) } ?? "")
    case .waitingForCPU: return "waits for a CPU" + (frame.map { " in " + self.name($0) } ?? "")
    case .stopped: return "is stopped by a signal or a debugger"
    case .blocked, .uninterruptible, .unknown: return "does something that is not known"
    }
  }
}

extension Verdict.Kind {
  /// Whether the chain behind the verdict's thread explains it.
  var hasChain: Bool {
    switch self {
    case .deadlock, .possibleDeadlock, .orphanedLock, .hungOnLock, .hungOnIO, .hung, .waiting: true
    case .busyLoop, .starved, .slow, .running, .idle, .stopped, .inconclusive: false
    }
  }
}
