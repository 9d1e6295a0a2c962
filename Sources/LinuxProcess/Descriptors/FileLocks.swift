/// A lock on a file, or a process that waits for one: a line of `/proc/locks`.
package struct FileLock: Equatable, Sendable {
  /// The call that takes it, as the kernel names it.
  package enum Kind: String, Sendable {
    /// `fcntl`, held by a process.
    case posix = "POSIX"
    /// `fcntl` with F_OFD_SETLK, held by whoever has the file open.
    case openFile = "OFDLCK"
    /// `flock`, held by whoever has the file open.
    case flock = "FLOCK"
  }

  /// Equal for a lock and those that wait for it.
  package let number: Int
  /// Whether the process waits for it.
  package let isWaiting: Bool
  package let kind: Kind
  package let isExclusive: Bool
  /// The process that took it, -1 for `openFile`.
  package let process: Int32
  /// `major:minor:inode` as the kernel writes it, the first two in hexadecimal.
  package let file: String
  /// That of the file.
  package let inode: UInt64

  /// Reads the table; leases and what else is there are left out.
  package static func table(parsing text: String) -> [FileLock] {
    text.split(separator: "\n").compactMap { FileLock(line: $0) }
  }

  /// `1: POSIX ADVISORY WRITE 1234 08:01:131 0 EOF`; with `->` behind the number for a waiter.
  private init?(line: Substring) {
    var words = line.split(separator: " ")[...]
    guard let first = words.popFirst(), first.last == ":", let number = Int(first.dropLast()) else {
      return nil
    }
    isWaiting = words.first == "->"
    if isWaiting { words.removeFirst() }
    let fields = Array(words)
    guard fields.count > 4, let kind = Kind(rawValue: String(fields[0])),
      let process = Int32(fields[3])
    else { return nil }
    let parts = fields[4].split(separator: ":")
    guard parts.count == 3, let inode = UInt64(parts[2]) else { return nil }
    self.number = number
    self.kind = kind
    isExclusive = fields[2] == "WRITE"
    self.process = process
    file = String(fields[4])
    self.inode = inode
  }

  /// The locks that the process waits for on the file of that inode, in a call that takes locks of
  /// that kind: those with the number of a line in which it waits.
  ///
  /// A line that waits for a lock of kind `openFile` names no process: it counts for this one when all
  /// of them wait for the same.
  package static func blocking(
    _ pid: Int32, on inode: UInt64, as kind: Kind, in table: [FileLock]
  ) -> [FileLock] {
    let lines = table.filter { $0.inode == inode && ($0.kind == .flock) == (kind == .flock) }
    let waiter = kind == .openFile ? -1 : pid
    let numbers = Set(
      lines.filter { $0.isWaiting && $0.kind == kind && $0.process == waiter }.map(\.number))
    guard kind != .openFile || numbers.count == 1 else { return [] }
    return lines.filter { !$0.isWaiting && numbers.contains($0.number) }
  }

  /// All file locks of this machine that the kernel shows to this PID namespace.
  package static func read() -> [FileLock] {
    guard let text = try? ProcFile.read("/proc/locks") else { return [] }
    return table(parsing: text)
  }
}
