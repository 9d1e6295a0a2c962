package import ProfileAnalysis
internal import ProfileModel

extension LivePicture {
  /// The most rows of a pane: more nobody scrolls through.
  private static let rowLimit = 2000
  private static let stripSlots = 40

  /// The picture of what is known now.
  ///
  /// Costs a few steps for each run and stack of the window, and for each distinct stack since the
  /// beginning.
  package init(_ live: LiveProfile, _ request: Request) {
    self.init(live.capture)
    let filter = request.thread.map { ThreadFilter(glob: $0) }
    let index = ProfileIndex(live.last(request.window))
    let profile = index.profile
    let shown = index.threads(matching: filter)
    let diagnosis = Diagnosis(
      index, freezes: FreezeRule(threshold: request.freezeThreshold),
      subjects: filter == nil ? nil : Set(shown))
    elapsed = live.duration
    summed = live.duration - live.sumStart
    kept = live.kept
    window = profile.capture.duration
    if isImported {
      verdict =
        "Stacks of another tool, with counts: what threads did when, and what they waited for, is not known."
    } else if let thread = request.thread, shown.isEmpty {
      verdict = "No thread of this time has the name or number \(PlainText.printable(thread))."
    } else {
      let words = VerdictWords(diagnosis)
      verdict = words.sentence
      chain = words.chainLines
    }
    addThreads(shown, diagnosis)
    thread = request.thread
    stacks = LiveStacks(diagnosis)
    // Time at rest would fill the tables.
    let atWork = index.leavingOut(RestingRuns(diagnosis))
    addFunctions(shown, atWork, wholeAtWork(live.whole(filter), diagnosis))
    addCalls(shown, atWork)
    addBlockers(shown, diagnosis)
  }

  // MARK: - Threads

  private mutating func addThreads(_ shown: [Int], _ diagnosis: Diagnosis) {
    let (index, profile) = (diagnosis.index, diagnosis.index.profile)
    let words = WaitWords(profile)
    let timeline = Timeline(index, threads: shown, slots: Self.stripSlots)
    let span = Double(max(profile.capture.duration, 1))
    for thread in shown {
      let info = profile.threads[thread]
      guard !info.hasEnded, let last = index.lastRun(of: thread) else { continue }
      count(last.activity)
      cpu += Double(info.cpu) / span
      guard threads.count < Self.rowLimit else { continue }
      let situation = diagnosis.situations[thread]
      let doing = Self.doing(situation, last, words, index)
      threads.append(
        Thread(
          tid: info.tid,
          name: PlainText.printable(info.name) + (info.isMain && !isImported ? " (main)" : ""),
          activity: last.activity, cpu: Double(info.cpu) / span, doing: doing.what,
          heldBy: doing.heldBy, place: doing.place, since: situation?.lengthOfWait ?? 0,
          isIdle: situation?.idleness != nil, strip: timeline.slots(of: [thread]),
          owner: situation?.wait?.owners.lazy.compactMap(\.thread).first))
    }
    threadCount =
      states.running + states.waiting + states.blocked + states.uninterruptible + states.stopped
      + states.unknown
  }

  private mutating func count(_ activity: Activity) {
    switch activity {
    case .running: states.running += 1
    case .waitingForCPU: states.waiting += 1
    case .blocked: states.blocked += 1
    case .uninterruptible: states.uninterruptible += 1
    case .stopped: states.stopped += 1
    case .unknown: states.unknown += 1
    }
  }

  private static func doing(
    _ situation: ThreadSituation?, _ last: Run, _ words: WaitWords, _ index: ProfileIndex
  ) -> (what: String, heldBy: String, place: String) {
    guard index.profile.capture.kind != .imported else { return ("", "", "") }
    guard let situation, let wait = situation.wait else {
      let frames = index.frames(of: last.stack)
      let place = frames.firstIndex { $0.line.isNamed }
        .map { index.programFrame(at: $0, of: frames) }
      let name = place.map { " in " + ShortName.bare($0.line.function).shortName } ?? ""
      return (last.activity.words + name, "", "")
    }
    if let idleness = situation.idleness { return ("at rest in " + idleness.name, "", "") }
    let pid = words.pid(of: situation.thread)
    return (
      words.phrase(wait, lasted: nil, in: pid, withOwner: false),
      words.ownerWords(wait, in: pid),
      situation.asker.map { ", in " + ShortName.bare($0.line.function).shortName } ?? ""
    )
  }

  // MARK: - Tables

  /// All since the beginning, without the time at rest.
  private func wholeAtWork(_ whole: Profile, _ diagnosis: Diagnosis) -> ProfileIndex {
    let index = ProfileIndex(whole)
    return index.leavingOut(RestingRuns(index, RunWaits(index, like: diagnosis)))
  }

  private mutating func addFunctions(
    _ threads: [Int], _ index: ProfileIndex, _ wholeIndex: ProfileIndex
  ) {
    struct Key: Hashable {
      let name: String
      let place: String
    }
    func rows(_ index: ProfileIndex, _ threads: [Int]) -> (
      [Key: (own: Weight, total: Weight)], Weight
    ) {
      let table = FlatTable(index, by: .function, threads: threads)
      var rows: [Key: (own: Weight, total: Weight)] = [:]
      for row in table.rows {
        guard let item = row.item else { continue }
        let function = index.stacks.functions[item]
        let place = index.profile.place(file: function.file, line: 0, module: function.module)
        let key = Key(name: PlainText.printable(function.name), place: place.text)
        // Two functions may read alike.
        rows[key, default: (Weight(), Weight())].own += row.own
        rows[key, default: (Weight(), Weight())].total += row.cumulative
      }
      return (rows, table.total)
    }
    let (recent, recentTotal) = rows(index, threads)
    let (all, allTotal) = rows(wholeIndex, Array(wholeIndex.profile.threads.indices))
    (windowWeight, allWeight) = (recentTotal, allTotal)
    let keys = Set(recent.keys).union(all.keys)
    functions = keys.map { key in
      Function(
        name: key.name, place: key.place, own: recent[key]?.own ?? Weight(),
        total: recent[key]?.total ?? Weight(), ownOfAll: all[key]?.own ?? Weight(),
        totalOfAll: all[key]?.total ?? Weight())
    }.sorted {
      // In an order that is the same each time.
      ($0.own.wall, $0.totalOfAll.wall, $1.name, $1.place)
        > ($1.own.wall, $1.totalOfAll.wall, $0.name, $0.place)
    }
    if functions.count > Self.rowLimit { functions.removeLast(functions.count - Self.rowLimit) }
  }

  private mutating func addCalls(_ threads: [Int], _ index: ProfileIndex) {
    let tree = CallTree(index, groups: [threads])
    guard let root = tree.roots.first else { return }
    var pending = tree.children(of: root).reversed().map { ($0, 0, "") }
    var paths: Set<String> = []
    while let (node, depth, path) = pending.popLast(), calls.count < Self.rowLimit {
      let known = tree.nodes[node]
      let name: String
      switch known.kind {
      case .function(let function):
        name = PlainText.printable(index.stacks.functions[function].name)
      case .missingCallers(let reason): name = "(callers not known: \(reason.words))"
      case .noStack: name = "(no stack)"
      case .threads: continue
      }
      var ownPath = path + "\u{1F}" + name
      // Functions of several modules may have one name.
      while !paths.insert(ownPath).inserted { ownPath += "\u{1F}" }
      let children = tree.children(of: node)
      calls.append(
        Call(
          path: ownPath, name: name, depth: depth, own: known.own, total: known.inclusive,
          hasChildren: !children.isEmpty))
      pending += children.reversed().map { ($0, depth + 1, ownPath) }
    }
  }

  private mutating func addBlockers(_ threads: [Int], _ diagnosis: Diagnosis) {
    let tree = BlameTree(diagnosis, threads: threads)
    let words = BlameWords(tree, WaitWords(diagnosis.index.profile))
    blockers = BlockerTable(tree).rows.prefix(Self.rowLimit).map { row in
      let cells = words.cells(of: row)
      var owner: Int32?
      if case .thread(let thread) = row.owner {
        owner = diagnosis.index.profile.threads[thread].tid
      }
      return Blocker(
        wait: cells[0], owner: cells[1], deed: cells[2], isOwnerKnown: row.owner != .ownerUnknown,
        ownerThread: owner, lost: row.lost, waiters: row.waiters)
    }
  }
}

extension WaitOwner {
  /// The owner's number, of a thread of the program.
  fileprivate var thread: Int32? {
    if case .thread(let tid) = self { return tid }
    return nil
  }
}
