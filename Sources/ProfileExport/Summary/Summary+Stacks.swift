internal import ProfileAnalysis
internal import ProfileModel

extension Summary {
  private struct Shown {
    let threads: [Int]
    let stack: StackID
    let end: StackEnd
    /// What the stack took, where that decides.
    let weight: Weight?
    /// The freezes that it is of.
    var freezes: Freezes?

    struct Freezes {
      var count: Int
      var total: Int64
      var isAtLeast: Bool
    }
  }

  /// Of one stack; who called these seldom tells more.
  private static let mostFrames = 24

  /// The stacks of the threads that the verdict is about, alike ones once.
  func writeStacks(to page: inout TextPage<some TextOutputStream>) {
    if let finding = diagnosis.verdict.goroutines, report.options.showsVerdict {
      return write(finding, to: &page)
    }
    let stacks = shownStacks
    guard !stacks.isEmpty else { return }
    page.heading(stacks.count == 1 ? "Where it is" : "Where they are")
    let chain = diagnosis.verdict.kind.hasChain ? diagnosis.verdict.chain.count : 0
    // What the threads do not need of the screen is for stacks.
    let spare = 2 * (limits.threads - min(groups.active.count, limits.threads))
    let room = max(limits.stackLines + spare - max(chain - 2, 0), 2 * stacks.count + 4)
    for shown in stacks {
      page.paragraph(heading(of: shown), style: .strong)
      let frames = report.index.userFrames(of: shown.stack)
      FrameLines(profile, frames, end: shown.end, isBrief: true).write(
        to: &page, indent: 2, limit: min(max(room / stacks.count - 1, 3), Self.mostFrames),
        hint: "--view stacks")
    }
  }

  /// The stacks of the goroutines that the verdict is about, of the largest groups.
  private func write(_ finding: GoroutineFinding, to page: inout TextPage<some TextOutputStream>) {
    let list = profile.goroutines[finding.list]
    let shown = finding.groups.prefix(3).map { list.groups[$0] }.filter {
      !list.stack(of: $0).isEmpty
    }
    guard !shown.isEmpty else { return }
    page.heading(shown.count == 1 ? "Where it is" : "Where they are")
    for group in shown {
      let words = list.phrase(of: group, WaitWords(profile))
      page.paragraph("\(list.title(of: group)), \(words)", style: .strong)
      let stack = list.shownStack(of: group)
      FrameLines(profile, stack.map { SourceFrame(interpreted: $0) }, isBrief: true).write(
        to: &page, indent: 2,
        limit: min(max(limits.stackLines / shown.count - 1, 3), Self.mostFrames),
        hint: "--json")
    }
  }

  /// The threads of the verdict, at most four; where they are not shown, or there is no verdict, the
  /// busiest one.
  private var subjects: [Int] {
    let shown = Set(report.rows.flatMap(\.threads))
    let named =
      report.options.showsVerdict ? diagnosis.verdictThreads.filter(shown.contains) : []
    if !named.isEmpty { return Array(named.prefix(4)) }
    let busiest = (groups.active + groups.resting).max { $0.cpu < $1.cpu }
    return busiest.map { [$0.threads[0]] } ?? []
  }

  /// Of a verdict about CPU time the heaviest stack that used any.
  private var shownStacks: [Shown] {
    if diagnosis.verdict.kind == .froze { return freezeStacks }
    var shown: [Shown] = []
    for thread in subjects {
      guard let stack = stack(of: thread) else { continue }
      let path = report.index.stacks.linePaths.path(of: stack.stack)
      if let same = shown.firstIndex(where: {
        report.index.stacks.linePaths.path(of: $0.stack) == path
      }) {
        let other = shown[same]
        shown[same] = Shown(
          threads: other.threads + [thread], stack: other.stack, end: other.end, weight: nil)
      } else {
        shown.append(stack)
      }
    }
    return shown
  }

  /// The stacks of the causes that took most of the time, of the longest freeze each; alike ones once.
  private var freezeStacks: [Shown] {
    let freezes = diagnosis.freezes.freezes.filter { $0.thread == diagnosis.verdict.thread }
    var shown: [Shown] = []
    var lines: [[SourceLine]] = []
    for row in FreezeTable.rows(of: freezes) {
      let own = report.index.userFrames(of: row.longest.stack).map(\.line)
      if let same = lines.firstIndex(of: own), shown[same].end == row.longest.stackEnd {
        shown[same].freezes?.count += row.count
        let total = row.total.addingClamped(shown[same].freezes?.total ?? 0)
        shown[same].freezes?.total = total
        if row.isAtLeast { shown[same].freezes?.isAtLeast = true }
        continue
      }
      lines.append(own)
      shown.append(
        Shown(
          threads: [row.longest.thread], stack: row.longest.stack, end: row.longest.stackEnd,
          weight: nil,
          freezes: Shown.Freezes(count: row.count, total: row.total, isAtLeast: row.isAtLeast)))
    }
    return Array(shown.prefix(3))
  }

  private func stack(of thread: Int) -> Shown? {
    guard let situation = diagnosis.situations[thread] else { return nil }
    let isHanging = diagnosis.hangingThreads.contains(thread)
    guard let unit = isHanging ? nil : decisiveUnit else {
      // Stacks of the diagnosis have all frames.
      guard report.options.showsNative else {
        return HeaviestStack(report.index, thread: thread).map {
          Shown(threads: [thread], stack: $0.stack, end: $0.end, weight: nil)
        }
      }
      return Shown(threads: [thread], stack: situation.stack, end: situation.end, weight: nil)
    }
    let entry =
      unit == .wall
      ? diagnosis.waitStack(of: thread, in: report.index)
      : diagnosis.cpuStack(of: thread, in: report.index, sortedBy: unit)
    return entry.map {
      Shown(threads: [thread], stack: $0.stack, end: $0.end, weight: $0.weight)
    }
  }

  /// What the verdict's thread took most of; nil where its place at the end tells more.
  private var decisiveUnit: WeightUnit? {
    let verdict = diagnosis.verdict
    switch verdict.kind {
    case .busyLoop, .running: return .cpu
    case .starved: return .delay
    case .slow:
      let isWaiting = (verdict.shares?.blocked ?? 0) >= 50 && verdict.waitIdleness == nil
      return isWaiting ? .wall : .cpu
    case .deadlock, .possibleDeadlock, .orphanedLock, .hungOnLock, .hungOnIO, .hung, .waiting,
      .froze, .idle, .frozen, .stopped, .inconclusive:
      return nil
    }
  }

  private func heading(of shown: Shown) -> String {
    let infos = shown.threads.map { profile.threads[$0] }
    let names =
      infos.count > 3
      ? "Threads ×\(infos.count) \"\(infos[0].namePattern.shortName)\""
      : infos.map { info in
        "Thread \(info.tid) \"\(info.title.shortName)\"\(info.isMain ? " (main)" : "")"
      }.joined(separator: ", ")
    if let freezes = shown.freezes {
      let count = Figures.count(Int64(freezes.count), "freeze")
      let atLeast = freezes.isAtLeast ? "at least " : ""
      return names + ": \(count), \(atLeast)\(Figures.duration(freezes.total))"
    }
    guard let weight = shown.weight, let unit = decisiveUnit else { return names }
    let total = report.index.weight(of: shown.threads[0])
    let share = Figures.percent(weight[unit], of: total[unit])
    return names + ": \(share) % of its \(unit.noun) in this stack"
  }
}

extension ProfileIndex {
  /// The frames that a reader knows: where an interpreter runs the program its own, and the native one that
  /// a sample met; else all but those by which a library calls a function for the program, or by which the C
  /// library does what it was called for.
  func userFrames(of stack: StackID) -> [SourceFrame] {
    let frames = frames(of: stack)
    guard let first = frames.firstIndex(where: \.isInterpreted) else {
      let called = frames.prefix { isOfCLibrary($0) }.count
      let inner = called < frames.count ? max(called - 1, 1) : 1
      return frames.prefix(1) + frames.dropFirst(inner).filter { !$0.isCallOfLibrary }
    }
    return Array(
      frames[..<min(first, 1)] + frames[first...].filter { $0.address == nil })
  }

  private func isOfCLibrary(_ frame: SourceFrame) -> Bool {
    profile.position(of: frame.module).map { profile.modules[$0].isCLibrary } ?? false
  }
}

extension SourceFrame {
  /// Whether it only passes a call on, as `std::function` and Rust's `FnOnce` do: by its file.
  fileprivate var isCallOfLibrary: Bool {
    guard let file = line.file, !isElided else { return false }
    return Self.callingFiles.contains { file.hasSuffix($0) }
  }

  private static let callingFiles = [
    // libstdc++
    "/bits/invoke.h", "/bits/std_function.h", "/bits/std_thread.h", "/bits/refwrap.h",
    // libc++
    "/__functional/function.h", "/__functional/invoke.h", "/__type_traits/invoke.h",
    "/__thread/thread.h",
    // Rust
    "/core/src/ops/function.rs", "/core/src/panic/unwind_safe.rs", "/std/src/panic.rs",
    "/std/src/panicking.rs", "/std/src/sys/backtrace.rs", "/std/src/sys_common/backtrace.rs",
  ]
}

extension WeightUnit {
  var noun: String {
    switch self {
    case .cpu: "CPU time"
    case .wall: "time"
    case .delay: "time waiting for a CPU"
    case .ticks: "ticks"
    case .samples: "samples"
    }
  }
}
