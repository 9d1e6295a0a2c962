internal import Foundation
internal import Glibc

/// A control group that a test may freeze.
package final class ControlGroup {
  /// The file systems of control groups with a freezer in which tests may make some.
  package static let mounts: [String] = {
    let text = (try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ").map(String.init)
      guard words.count > 3 else { return nil }
      let hasFreezer = words[2] == "cgroup" && words[3].split(separator: ",").contains("freezer")
      guard hasFreezer || words[2] == "cgroup2", access(words[1], W_OK) == 0 else { return nil }
      return words[1]
    }
  }()

  private let folder: String
  private let parent: String
  /// The file that freezes and thaws it.
  package let control: String
  private let isUnified: Bool
  private let members: [Int32]

  /// Puts the process into a new group below `mount`.
  package init(in mount: String, of pid: Int32) throws {
    parent = mount
    folder = "\(mount)/sprof-test-\(getpid())-\(pid)"
    members = [pid]
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    isUnified = access(folder + "/cgroup.freeze", F_OK) == 0
    control = folder + (isUnified ? "/cgroup.freeze" : "/freezer.state")
    try Self.write("\(pid)", to: folder + "/cgroup.procs")
  }

  /// Returns when all its threads are frozen.
  package func freeze() throws {
    try Self.write(isUnified ? "1" : "FROZEN", to: control)
    let state = folder + (isUnified ? "/cgroup.events" : "/freezer.state")
    try waitUntil("the group is frozen") {
      let text = (try? String(contentsOfFile: state, encoding: .utf8)) ?? ""
      return text.contains(isUnified ? "frozen 1" : "FROZEN")
    }
  }

  package func thaw() throws { try Self.write(isUnified ? "0" : "THAWED", to: control) }

  /// Thaws it, puts its process back and removes it.
  package func remove() {
    try? thaw()
    for pid in members { try? Self.write("\(pid)", to: parent + "/cgroup.procs") }
    rmdir(folder)
  }

  private static func write(_ text: String, to path: String) throws {
    let file = open(path, O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { throw TestFailure("cannot open \(path): errno \(errno)") }
    defer { close(file) }
    guard Glibc.write(file, text, text.utf8.count) == text.utf8.count else {
      throw TestFailure("cannot write \(text) to \(path): errno \(errno)")
    }
  }
}
