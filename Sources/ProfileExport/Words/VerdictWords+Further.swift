internal import ProfileAnalysis
internal import ProfileModel

/// What follows the finding of a verdict: what else is known, and what is not.
extension VerdictWords {
  /// When the main thread, or that of the verdict, may have frozen.
  var unclearWords: String {
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
  var awaitedWords: String {
    verdict.awaitedBy.flatMap { waiting($0) }.map { " Meanwhile \($0)." } ?? ""
  }

  /// What a thread hangs on that the verdict is not about.
  var hangingWords: String {
    guard let hanging = verdict.hanging, let words = waiting(hanging.thread) else { return "" }
    let begin = verdict.awaitedBy == nil ? "Meanwhile" : "Also,"
    let behind = behindWords(hanging.behind, chain: hanging.chain)
    guard hanging.more > 0 else { return " \(begin) \(words)\(behind)." }
    let others = Figures.count(Int64(hanging.more), "other thread")
    let verb = hanging.more == 1 ? "has" : "have"
    return " \(begin) \(words)\(behind). \(others) \(verb) been waiting for 1 s or more, too."
  }

  /// What a runtime keeps to itself may be the very thing that matters.
  var unseenWords: String {
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
  var blameWords: String {
    verdict.blame.map { " " + BlameWords($0.tree, waits).sentence(of: $0) } ?? ""
  }

  /// What was not sampled may be the very thing that matters.
  var unsampledWords: String {
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

  /// That the program's own threads have the CPUs that they wait for.
  var crowdWords: String {
    guard let wanting = verdict.wantingThreads,
      let processors = diagnosis.index.profile.capture.processors
    else { return "" }
    let threads = Figures.count(Int64(wanting), "thread")
    return
      " The program has more runnable threads than CPUs: \(threads) at a time wanted to run on "
      + Figures.count(Int64(processors), "CPU") + "."
  }
}
