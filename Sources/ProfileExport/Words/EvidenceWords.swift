internal import ProfileAnalysis
internal import ProfileModel

/// By which rule a verdict was found, and by which facts, in words.
struct EvidenceWords {
  let words: VerdictWords

  private var verdict: Verdict { words.verdict }
  private var diagnosis: Diagnosis { words.diagnosis }

  private var situation: ThreadSituation? {
    verdict.thread.flatMap { diagnosis.situations[$0] }
  }

  /// A line for the rule, and one for each fact.
  var lines: [String] { [rule] + facts }

  /// The facts alone.
  var facts: [String] {
    guard let situation else { return timeFacts }
    return loopFacts(situation.loopEvidence) + waitFacts(situation) + timeFacts + unseenFacts
  }

  private var rule: String {
    switch verdict.rule {
    case .cycle where verdict.outsider != nil:
      "Rule: each thread of the cycle waits for the next, and only that one is known to end its wait."
    case .cycle:
      "Rule: each thread of the cycle waits for the next, and only that one can end its wait."
    case .ownerExited: "Rule: the owner of the lock has exited, so that nobody can unlock it."
    case .allFrozen: "Rule: the freezer of the control group keeps every thread from running."
    case .allStopped: "Rule: every thread is stopped."
    case .neededWait:
      "Rule: the thread should go on, has been waiting for 1 s or more, and is at no place where "
        + "threads rest."
    case .handlerNotReturned:
      "Rule: all samples of 1 s or more are in one handler, and the thread ran whenever it could."
    case .awayFromLoop:
      "Rule: the thread kept its event loop waiting for longer than the threshold (--freeze), and "
        + "returned to it."
    case .oneFunction: "Rule: nearly all samples are in one function and a few that it calls."
    case .withoutCPU: "Rule: the thread was runnable for most of the time, but without a CPU."
    case .mostTime: "Rule: no hang was found; this is what the thread did most of the time."
    case .onCPU: "Rule: the thread was on a CPU at its one sample."
    case .notAtRest:
      "Rule: the thread is at no place where threads are known to rest, and nothing shows that it "
        + "should go on."
    case .atRest: "Rule: the thread is at a place where threads rest that have nothing to do."
    case .goroutinesAsleep:
      "Rule: every goroutine waits for another, none has run between two readings, no thread runs, "
        + "and no timer is set."
    case .goroutineLock:
      "Rule: goroutines wait for a lock, and locks are to be held for a short time only."
    case .virtualThreadLock:
      "Rule: nothing runs, and virtual threads wait for a lock that somebody holds."
    case .goroutineSend:
      "Rule: nothing runs, and goroutines have been waiting for 1 s or more for somebody to receive."
    case .none: "Rule: none applies."
    }
  }

  private func loopFacts(_ evidence: LoopEvidence?) -> [String] {
    guard let evidence else { return [] }
    var lines: [String] = []
    if let loop = evidence.restsIn, let frame = evidence.rest {
      let by = evidence.isByPollFunction ? "a function that polls for it, below " : ""
      lines.append("It waits in \(loop.name) itself: \(by)\(words.name(frame)).")
    }
    if let loop = evidence.handlerOf, let frame = evidence.caller {
      let what = evidence.restsIn == nil ? "It" : "That loop"
      lines.append("\(what) is below \(words.name(frame)), where \(loop.name) calls handlers.")
    }
    if let shares = evidence.sharesEvents {
      lines.append(
        shares
          ? "All such loops of a thread take the same events, the user's among them."
          : "Such a loop takes none of the events of the loop that called the handler.")
    }
    if evidence.descriptors > 0 {
      let count = Figures.count(Int64(evidence.descriptors), "descriptor")
      lines.append(
        evidence.userDescriptors > 0
          ? "It waits for \(count), through which the user's or clients' events come."
          : "It waits for \(count), none of which is a display, a terminal or a listening socket.")
    }
    return lines
  }

  /// The kind as programs read it, with what reports call it where that differs.
  private func kindWords(_ wait: Wait) -> String {
    let isPythons = wait.object?.flavor?.has(.python) ?? false
    return wait.kind.rawValue + (isPythons ? " (a Python lock)" : "")
  }

  private func waitFacts(_ situation: ThreadSituation) -> [String] {
    guard let wait = situation.wait else { return [] }
    var lines = [
      "The wait is of the kind \(kindWords(wait)), in \(wait.systemCall ?? "no call")."
    ]
    if let length = situation.length {
      lines.append("It has lasted \(length.words).")
    } else {
      lines.append("How long it has lasted is not known.")
    }
    if situation.blocking == nil { lines.append("It is known from the stack alone.") }
    return lines
  }

  private var timeFacts: [String] {
    guard let shares = verdict.shares else { return [] }
    func percent(_ share: Double) -> String { Figures.fixed(share, decimals: 1) }
    return [
      "The thread ran \(percent(shares.running)) % of its time, was runnable without a CPU "
        + "\(percent(shares.waiting)) %, and blocked \(percent(shares.blocked)) %."
    ]
  }

  private var unseenFacts: [String] {
    switch verdict.unseen {
    case .goroutines: ["The program is written in Go, and its goroutines were not read."]
    case .javaThreads: ["The program runs a Java VM whose monitors sprof does not read."]
    case nil: []
    }
  }
}
