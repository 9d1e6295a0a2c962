internal import ProfileAnalysis
internal import ProfileModel

/// What the thread of a verdict waits for, with whom, and since when.
extension VerdictWords {
  /// A thread with the function that asked for its wait, and what it waits for; nil for one that does not wait.
  func waiting(_ thread: Int) -> String? {
    guard let situation = diagnosis.situations[thread], let wait = situation.wait else {
      return nil
    }
    let frame = named(situation.asker)
    let place = (frame.map { ", in " + name($0) } ?? "") + handlerWords(frame, of: situation)
    let sentence = waits.sentence(wait, lasted: situation.length, in: waits.pid(of: thread))
    return "\(waits.thread(thread))\(place)\(place.isEmpty ? "" : ",") \(sentence)"
  }

  func cycleSentence(_ word: String) -> String {
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

  /// The subject with the function that asked for its wait, and what it waits for.
  func waiting(_ subject: String) -> String {
    guard let wait = situation?.wait else { return subject + " is waiting" }
    let frame = named(verdict.waitPlace)
    let place = (frame.map { ", in " + name($0) } ?? "") + handlerWords(frame)
    return subject + place + (place.isEmpty ? " " : ", ")
      + waits.sentence(wait, lasted: length, in: pid)
  }

  var idleWords: String {
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

  var behindWords: String { behindWords(verdict.behind, chain: verdict.chain) }

  func behindWords(_ behind: Int, chain: [Int]) -> String {
    guard behind > 0 else { return "" }
    let verb = behind == 1 ? "is" : "are"
    let whom = chain.count > 1 ? "them" : "it"
    return "; \(Figures.count(Int64(behind), "more thread")) \(verb) blocked behind \(whom)"
  }

  /// The other threads of an idle program.
  var restWords: String {
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

  var length: WaitLength? {
    verdict.lasted.flatMap { WaitLength($0, isAtLeast: verdict.isAtLeast) }
  }

  /// The same of a cycle; its waits in other processes are looked up now and then, so that how long it has lasted
  /// says more.
  var cycleEvidence: String {
    let isOwn = verdict.chain.allSatisfy { diagnosis.graph.nodes[$0].thread != nil }
    let isTold = !isOwn && verdict.samples > 1 && (verdict.lasted ?? 0) > 0
    return isTold && diagnosis.index.profile.capture.kind != .dump ? "." : evidence
  }
}
