internal import Glibc

/// A control group whose freezer keeps its threads from running (cgroups(7)).
package struct FrozenCgroup: Hashable, Sendable {
  /// The file that thaws it: `cgroup.freeze` of version 2 wants 0, `freezer.state` of version 1 THAWED;
  /// nil where sprof cannot see it.
  package let control: String?
  /// Whether all its threads are frozen already.
  package let isSettled: Bool

  /// The cgroup that keeps the threads of another from running whose membership `text` tells
  /// (`/proc/PID/cgroup`): that one, or one around it.
  ///
  /// Nil where none does. `read` gives the text of a file of the cgroups' file systems.
  package init?(membership text: String, mounts: [CgroupMount], read: (String) -> String?) {
    for line in text.split(separator: "\n") {
      // `6:freezer:/name` of version 1, `0::/name` of version 2.
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      let isUnified = fields[0] == "0" && fields[1].isEmpty
      guard isUnified || fields[1].split(separator: ",").contains("freezer"),
        let mount = mounts.first(where: { $0.isUnified == isUnified }),
        let folders = mount.folders(of: String(fields[2])), let own = folders.first
      else { continue }
      guard let isSettled = Self.isFrozen(own, isUnified: isUnified, read) else { continue }
      let switches = isUnified ? "cgroup.freeze" : "freezer.self_freezing"
      let folder = folders.first { Self.word(read($0 + "/" + switches)) == "1" }
      control = folder.map { $0 + (isUnified ? "/cgroup.freeze" : "/freezer.state") }
      self.isSettled = isSettled
      return
    }
    return nil
  }

  /// False while it is still being frozen; nil for one that is not.
  private static func isFrozen(
    _ folder: String, isUnified: Bool, _ read: (String) -> String?
  ) -> Bool? {
    guard isUnified else {
      switch word(read(folder + "/freezer.state")) {
      case "FROZEN": return true
      case "FREEZING": return false
      default: return nil
      }
    }
    let events = read(folder + "/cgroup.events")?.split(separator: "\n") ?? []
    if events.contains("frozen 1") { return true }
    return word(read(folder + "/cgroup.freeze")) == "1" ? false : nil
  }

  private static func word(_ text: String?) -> Substring? {
    text?.split(whereSeparator: \.isWhitespace).first
  }

  /// The one that keeps a thread from running now; nil where none does.
  ///
  /// About 30 µs, four times that where one does.
  package init?(of thread: Int32, in folder: TaskFolder) {
    guard let text = folder.text(of: "cgroup", of: thread) else { return nil }
    self.init(membership: text, mounts: CgroupMount.all) { try? ProcFile.read($0) }
  }
}

/// A place where a hierarchy of control groups with a freezer is mounted, as sprof sees it.
package struct CgroupMount: Equatable, Sendable {
  /// The cgroup that is at `folder`.
  let root: String
  let folder: String
  /// Whether it is the one of version 2.
  let isUnified: Bool

  static let all: [CgroupMount] = {
    let text = (try? ProcFile.read("/proc/self/mountinfo")) ?? ""
    return text.split(separator: "\n").compactMap { CgroupMount(parsing: $0) }
  }()

  /// Reads a line of `/proc/self/mountinfo` (proc_pid_mountinfo(5)); nil for other file systems.
  package init?(parsing line: Substring) {
    let words = line.split(separator: " ")
    guard words.count > 6, let dash = words.firstIndex(of: "-"), dash + 3 < words.count else {
      return nil
    }
    switch words[dash + 1] {
    case "cgroup2": isUnified = true
    case "cgroup" where words[dash + 3].split(separator: ",").contains("freezer"): isUnified = false
    default: return nil
    }
    root = String(words[3])
    folder = String(words[4])
  }

  /// The folders of a cgroup and of those around it, innermost first, without the outermost, which
  /// cannot be frozen; nil where it is not below this mount.
  func folders(of cgroup: String) -> [String]? {
    let within = root == "/" ? "" : root
    guard cgroup == within || cgroup.hasPrefix(within + "/"), !cgroup.contains("/../") else {
      return nil
    }
    var parts = cgroup.dropFirst(within.count).split(separator: "/")
    var result: [String] = []
    while !parts.isEmpty {
      result.append(folder + "/" + parts.joined(separator: "/"))
      parts.removeLast()
    }
    // Of a container the outermost that is to be seen is one within another.
    return root == "/" ? result : result + [folder]
  }
}
