internal import ProfileAnalysis
internal import ProfileModel

/// A thread of the verdict as a brief report shows it: what it does, and its stack at that moment.
struct BriefThread {
  struct Frame {
    let function: String
    let file: String?
    let line: Int?
    let module: String?

    var place: String? {
      file.map { $0.lastTwoParts + (line.map { ":\($0)" } ?? "") } ?? module.map { "(\($0))" }
    }
  }

  private static let frameLimit = 5

  let tid: Int32
  let name: String
  let state: String
  let wait: WaitKind?
  let length: WaitLength?
  let owner: Int32?
  /// Innermost first: the call that it is in, and then what the program's own functions are.
  private let frames: [Frame]
  /// The position of the first of these.
  private let own: Int

  /// At most so many frames; a single one is of the program's own.
  func frames(atMost limit: Int) -> ArraySlice<Frame> {
    limit == 1 && frames.indices.contains(own) ? frames[own...own] : frames.prefix(limit)
  }

  /// Nil for a thread that was never sampled.
  init?(_ diagnosis: Diagnosis, thread: Int) {
    guard let situation = diagnosis.situations[thread] else { return nil }
    let profile = diagnosis.index.profile
    let info = profile.threads[thread]
    let moment =
      BriefMoment(deciding: diagnosis, situation) ?? BriefMoment(lastOf: situation, diagnosis)
    tid = info.tid
    name = info.name
    state = moment.state
    wait = moment.wait?.kind
    length = moment.length
    owner = moment.wait?.owners.lazy.compactMap(\.thread).first
    let all = diagnosis.index.userFrames(of: moment.stack)
    let asker = moment.asker.flatMap { asker in all.firstIndex { $0 == asker } } ?? 1
    let callers = all.dropFirst(max(asker, 1))
    let ofProgram = callers.filter { !$0.isOfStandardLibrary }
    let isShort =
      all.count <= Self.frameLimit && !all.dropFirst().contains(where: \.isOfStandardLibrary)
    let shown = isShort ? all[...] : all.prefix(1) + (ofProgram.isEmpty ? callers : ofProgram[...])
    own = isShort ? asker : min(asker, 1)
    frames = shown.prefix(Self.frameLimit).map { frame in
      Frame(
        function: ShortName.bare(frame.line.function), file: frame.line.file,
        line: frame.line.line > 0 ? frame.line.line : nil,
        module: profile.position(of: frame.module).map { profile.modules[$0].name })
    }
  }
}

/// A state of a thread and the stack in which it was in that state.
private struct BriefMoment {
  let stack: StackID
  let state: String
  var wait: Wait?
  /// Nil where it is not known.
  var length: WaitLength?
  /// The frame that asked for the wait.
  var asker: SourceFrame?

  /// What the verdict's thread did when it did what the verdict speaks of; nil where that is what it did last.
  init?(deciding diagnosis: Diagnosis, _ situation: ThreadSituation) {
    guard situation.thread == diagnosis.verdict.thread else { return nil }
    switch diagnosis.verdict.kind {
    case .froze: self.init(freezing: situation.thread, diagnosis)
    case .busyLoop, .running, .starved: self.init(running: situation.thread, diagnosis)
    case .slow:
      let shares = diagnosis.verdict.shares
      if (shares?.blocked ?? 0) >= 50, diagnosis.verdict.waitIdleness == nil {
        self.init(waiting: situation.thread, diagnosis)
      } else {
        self.init(running: situation.thread, diagnosis)
      }
    case .deadlock, .possibleDeadlock, .orphanedLock, .hungOnLock, .hungOnIO, .hung, .waiting,
      .idle, .frozen, .stopped, .inconclusive:
      return nil
    }
  }

  /// What it did at the end of the capture.
  init(lastOf situation: ThreadSituation, _ diagnosis: Diagnosis) {
    let words = WaitWords(diagnosis.index.profile)
    stack = situation.stack
    state =
      situation.idleness?.words
      ?? situation.wait.map {
        words.sentence(
          $0, lasted: situation.length, in: words.pid(of: situation.thread))
      } ?? situation.activity.words
    wait = situation.wait
    length = situation.length
    asker = situation.asker
  }

  /// The longest freeze.
  private init?(freezing thread: Int, _ diagnosis: Diagnosis) {
    let freezes = diagnosis.freezes.freezes.filter { $0.thread == thread }
    guard let longest = freezes.max(by: { $0.length < $1.length }) else { return nil }
    let length = (longest.isAtLeast ? "at least " : "") + FreezeWords.length(longest.length)
    let title = freezes.count == 1 ? "frozen for \(length): " : "in its longest freeze, \(length): "
    stack = longest.stack
    state = title + FreezeWords(diagnosis).activity(in: longest)
    wait = longest.cause.wait
    self.length =
      wait == nil ? nil : WaitLength(longest.cause.time, isAtLeast: longest.isAtLeast)
    asker = longest.cause.place
  }

  /// The stack that took most of its CPU time, or of its time waiting for a CPU.
  private init?(running thread: Int, _ diagnosis: Diagnosis) {
    let unit: WeightUnit = diagnosis.verdict.kind == .starved ? .delay : .cpu
    guard let entry = diagnosis.cpuStack(of: thread, in: diagnosis.index, sortedBy: unit) else {
      return nil
    }
    let total = diagnosis.index.weight(of: thread)[unit]
    let share = Figures.percent(entry.weight[unit], of: total)
    stack = entry.stack
    // A dump has one sample, and no shares.
    let hasShares = total > 0 && diagnosis.index.profile.capture.kind != .dump
    state =
      entry.activity.words + (hasShares ? ", \(share) % of its \(unit.noun) in this stack" : "")
  }

  /// The wait that took most of its time.
  private init?(waiting thread: Int, _ diagnosis: Diagnosis) {
    guard let entry = diagnosis.waitStack(of: thread, in: diagnosis.index),
      let wait = diagnosis.verdict.wait
    else { return nil }
    let words = WaitWords(diagnosis.index.profile)
    stack = entry.stack
    state = "mostly " + words.action(wait, in: words.pid(of: thread))
    self.wait = wait
    asker = diagnosis.verdict.waitPlace
  }
}

extension WaitOwner {
  /// The thread that it is, where one is known.
  fileprivate var thread: Int32? {
    switch self {
    case .thread(let tid), .dead(let tid): tid
    case .process(_, let tid, _): tid
    case .readers: nil
    }
  }
}
