package import ProfileModel

/// The kernel's names of system calls, how many arguments each takes, and which a stop disturbs.
package enum SystemCallNames {
  /// What a stop does to a system call that a thread sleeps in.
  package enum Interruption: Equatable, Sendable {
    /// The kernel restarts the call, transparently to the program.
    case none
    /// The call would return EINTR, but may be started again, for it waits without limit.
    case restartable
    /// The call returns EINTR to the program.
    case visible
    /// Like `visible` if the first argument is a socket (with a timeout), else like `none`.
    case visibleOnSocket
  }

  private static let entries: [Int32: (name: String, count: Int)] = {
    var entries: [Int32: (name: String, count: Int)] = [:]
    // By bytes: to find the borders of characters takes a millisecond, at the start of each capture.
    for row in table.utf8.split(separator: UInt8(ascii: " ")) {
      let fields = row.split(separator: UInt8(ascii: ":")).map { Substring($0) }
      guard fields.count == 3, let number = Int32(fields[0]), let count = Int(fields[2]) else {
        continue
      }
      entries[number] = (String(fields[1]), count)
    }
    return entries
  }()

  /// The name of a call; `syscall_1234` for a number that is not known, nil for -1 (no call).
  package static func name(of number: Int32) -> String? {
    guard number >= 0 else { return nil }
    return entries[number]?.name ?? "syscall_\(number)"
  }

  /// The call with the arguments that it takes; nil for -1 (no call).
  package static func call(_ number: Int32, arguments: InlineArray<6, UInt64>) -> SystemCall? {
    guard let name = name(of: number) else { return nil }
    let count = entries[number]?.count ?? 6
    return SystemCall(name: name, arguments: (0..<count).map { arguments[$0] })
  }
}
