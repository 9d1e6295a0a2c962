internal import ProfileAnalysis
internal import ProfileModel

/// The tasks of event loops as a dump shows them, thread by thread.
struct DumpTasks {
  /// A thread, or the unknown ones of a process.
  private struct Owner: Hashable {
    let pid: Int32
    let tid: Int32?
  }

  /// Tasks that are in the same stack, in the order of their names.
  private struct Group {
    let stack: Int?
    let state: AsyncTask.State
    var members: [Int]
  }

  private let profile: Profile
  private let limit: Int
  private var lists: [Int32: AsyncTasks] = [:]
  /// By process and task: the tasks that it awaits.
  private var awaits: [Int32: [Int: [Int]]] = [:]
  /// Indexes into the list of the process.
  private var ofOwner: [Owner: [Int]] = [:]

  /// `limit` is how many stacks of a thread's tasks are shown.
  init(_ profile: Profile, limit: Int) {
    self.profile = profile
    self.limit = limit
    for list in profile.tasks where lists[list.pid] == nil {
      lists[list.pid] = list
      for (number, task) in list.tasks.enumerated() {
        ofOwner[Owner(pid: list.pid, tid: task.tid), default: []].append(number)
        for awaiter in Set(task.awaitedBy) where list.tasks.indices.contains(awaiter) {
          awaits[list.pid, default: [:]][awaiter, default: []].append(number)
        }
      }
    }
  }

  private func owner(of thread: Int) -> Owner {
    let info = profile.threads[thread]
    return Owner(pid: info.pid(in: profile.capture.pid), tid: info.tid)
  }

  /// Whether a thread has tasks.
  func hasTasks(thread: Int) -> Bool { !lists.isEmpty && ofOwner[owner(of: thread)] != nil }

  /// What a thread runs, as a sentence; nil when it runs no task.
  func running(thread: Int) -> String? {
    guard let members = ofOwner[owner(of: thread)], let list = lists[owner(of: thread).pid] else {
      return nil
    }
    let running = members.filter { list.tasks[$0].state == .running }
    let entered = members.filter { list.tasks[$0].state == .entered }
    guard let first = running.first ?? entered.first else { return nil }
    let outer = (running + entered).filter { $0 != first }.prefix(Self.chainLimit)
    // Its stack, which is shown below, was sampled a moment before.
    let isLater = list.movedThreads.contains(owner(of: thread).tid ?? 0)
    return (isLater ? "a moment later running task " : "running task ")
      + words(of: [first], in: list)
      + outer.map { ", within " + words(of: [$0], in: list) }.joined()
  }

  // MARK: - Tasks that wait

  /// Writes the tasks of a thread that do not run.
  func write(thread: Int, to page: inout TextPage<some TextOutputStream>) {
    let owner = owner(of: thread)
    guard let list = lists[owner.pid], let members = ofOwner[owner] else { return }
    write(members, of: list, isTorn: owner.tid.map(list.tornThreads.contains) ?? false, to: &page)
  }

  /// Writes the tasks of event loops whose thread is not known.
  func writeOthers(to page: inout TextPage<some TextOutputStream>) {
    for (pid, list) in lists.sorted(by: { $0.key < $1.key }) {
      guard let members = ofOwner[Owner(pid: pid, tid: nil)] else { continue }
      let process = profile.threads.lazy.compactMap(\.process).first { $0.pid == pid }
      page.space()
      page.paragraph(
        "Event loop\(process.map { " of \($0.title.shortName)" } ?? ""), thread unknown",
        style: .strong)
      write(members, of: list, isTorn: false, to: &page)
    }
  }

  private func write(
    _ members: [Int], of list: AsyncTasks, isTorn: Bool,
    to page: inout TextPage<some TextOutputStream>
  ) {
    let waiting = members.filter { ![.running, .entered].contains(list.tasks[$0].state) }
    var remarks: [String] = []
    if isTorn { remarks.append("the thread was running: they may be from different moments") }
    if list.isCut { remarks.append("there are more than were read") }
    guard !waiting.isEmpty || !remarks.isEmpty else { return }
    let groups = groups(waiting, of: list)
    let places =
      groups.count < waiting.count ? " in \(Figures.count(Int64(groups.count), "stack"))" : ""
    let remark = remarks.isEmpty ? "" : " (\(remarks.joined(separator: "; ")))"
    page.paragraph(
      "  \(Figures.count(Int64(waiting.count), "waiting task"))\(places)\(remark)",
      indent: 5)
    for group in groups.prefix(limit) {
      writeHeading(of: group, in: list, to: &page)
      guard let stack = group.stack, list.stacks.indices.contains(stack) else {
        page.line("    (no stack could be read)")
        continue
      }
      let frames = list.stacks[stack].map { SourceFrame(interpreted: $0) }
      FrameLines(profile, frames).write(to: &page, indent: 4)
    }
    let left = groups.dropFirst(limit)
    guard !left.isEmpty else { return }
    let count = left.reduce(0) { $0 + $1.members.count }
    page.line(
      "  … \(count) more in \(Figures.count(Int64(left.count), "stack")) (--json has them)")
  }

  /// The tasks of a group, by those who wait for them.
  private func writeHeading(
    of group: Group, in list: AsyncTasks, to page: inout TextPage<some TextOutputStream>
  ) {
    let count = group.members.count
    let state = group.state == .created ? ", not started" : ""
    let label = (count > 1 ? "  Tasks ×\(count) " : "  Task ")
    var parts: [[Int]] = []
    var places: [Set<Int>: Int] = [:]
    for member in group.members {
      let awaiters = Set(list.tasks[member].awaitedBy)
      let place = places[awaiters] ?? parts.count
      places[awaiters] = place
      if place == parts.count { parts.append([]) }
      parts[place].append(member)
    }
    guard parts.count > 1 else {
      return page.paragraph(label + words(of: group.members, in: list) + state, indent: 7)
    }
    page.paragraph(label + quoted(group.members, of: list) + state, indent: 7)
    let ordered = parts.enumerated().sorted {
      ($1.element.count, $0.offset) < ($0.element.count, $1.offset)
    }.map(\.element)
    for part in ordered.prefix(Self.partLimit) {
      let count = part.count > 1 ? "×\(part.count) " : ""
      page.paragraph("    \(count)\(words(of: part, in: list))", indent: 7)
    }
    let left = ordered.dropFirst(Self.partLimit).reduce(0) { $0 + $1.count }
    if left > 0 { page.line("    … \(left) more (--json has them)") }
  }

  /// Tasks in the same stack together: the most first, then by name.
  private func groups(_ members: [Int], of list: AsyncTasks) -> [Group] {
    struct Key: Hashable {
      let stack: Int?
      let state: AsyncTask.State
    }
    var groups: [Group] = []
    var places: [Key: Int] = [:]
    for member in sorted(members, of: list) {
      let task = list.tasks[member]
      let key = Key(stack: task.stack, state: task.state)
      let place = places[key] ?? groups.count
      if place == groups.count {
        places[key] = place
        groups.append(Group(stack: task.stack, state: task.state, members: []))
      }
      groups[place].members.append(member)
    }
    return groups.enumerated().sorted {
      ($1.element.members.count, $0.offset) < ($0.element.members.count, $1.offset)
    }.map(\.element)
  }

  // MARK: - Names

  /// The most tasks of a chain of awaits.
  private static let chainLimit = 12
  /// The most parts of a group, each awaited by other tasks.
  private static let partLimit = 6

  /// By name, numbers in names in numeric order.
  private func sorted(_ members: some Sequence<Int>, of list: AsyncTasks) -> [Int] {
    members.map { member in
      let name = list.tasks[member].name
      return (key: (name.numbersAsStars, name.utf8.count, name, member), member: member)
    }.sorted { $0.key < $1.key }.map(\.member)
  }

  /// Tasks with the same awaiters, by name, with the chain of awaiters: `"a", awaited by "b", by "c"`;
  /// for a single task also what it awaits.
  private func words(of members: [Int], in list: AsyncTasks) -> String {
    var words = quoted(members, of: list)
    if members.count == 1, let awaited = awaits[list.pid]?[members[0]] {
      words += ", awaits " + counted(sorted(awaited, of: list), of: list)
    }
    var current = members[0]
    var seen: Set = [current]
    for step in 0..<Self.chainLimit {
      let next = sorted(
        Set(list.tasks[current].awaitedBy.filter(list.tasks.indices.contains)), of: list)
      guard let first = next.first else { return words }
      words += (step == 0 ? ", awaited by " : ", by ") + counted(next, of: list)
      guard next.count == 1 else { return words }
      guard seen.insert(first).inserted else { return words + " again" }
      current = first
    }
    return words + ", …"
  }

  private func counted(_ members: [Int], of list: AsyncTasks) -> String {
    (members.count > 1 ? "\(members.count) tasks " : "") + quoted(members, of: list)
  }

  /// The name of a task in quotes; for several the pattern that their names share.
  private func quoted(_ members: [Int], of list: AsyncTasks) -> String {
    var names: [String] = []
    for member in members where names.count < 3 && !names.contains(list.tasks[member].name) {
      names.append(list.tasks[member].name)
    }
    let first = names.first ?? ""
    if names.count > 1 {
      let pattern = first.numbersAsStars
      guard members.allSatisfy({ list.tasks[$0].name.numbersAsStars == pattern }) else {
        return names.prefix(2).map { "\"\($0.shortName)\"" }.joined(separator: ", ")
          + (names.count > 2 ? ", …" : "")
      }
      return "\"\(pattern.shortName)\""
    }
    return "\"\(first.shortName)\""
  }
}
