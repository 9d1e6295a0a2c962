package import LinuxProcess
package import ProfileModel

/// A lock on a file that a thread sleeps for.
package struct FileLockWait: Hashable, Sendable {
  private let descriptor: Int32
  private let inode: UInt64
  private let kind: FileLock.Kind
  private let systemCall: String

  /// F_SETLKW and F_OFD_SETLKW.
  private static let commands: [UInt64: FileLock.Kind] = [7: .posix, 38: .openFile]
  private static let calls: [Int32: String] = {
    var calls: [Int32: String] = [:]
    for number in 0..<Int32(512) {
      let name = SystemCallNames.name(of: number)
      if let name, name == "flock" || name == "fcntl" { calls[number] = name }
    }
    return calls
  }()

  /// By the call that a thread sleeps in; nil for other calls, and where the file is not known.
  package init?(_ call: Int32, _ arguments: InlineArray<6, UInt64>, thread: Int32) {
    guard let name = Self.calls[call] else { return nil }
    let kind = name == "flock" ? FileLock.Kind.flock : Self.commands[arguments[1] & 0xffff_ffff]
    let number = Int32(truncatingIfNeeded: arguments[0])
    guard let kind, let file = OpenDescriptors.status(of: number, in: thread) else { return nil }
    (descriptor, inode, self.kind, systemCall) = (number, file.inode, kind, name)
  }

  /// The wait with those who hold the lock by the kernel's table; `pid` is the process of the thread.
  package func wait(_ pid: Int32, _ table: [FileLock]) -> Wait {
    var wait = Wait(kind: .fileLock, systemCall: systemCall)
    wait.descriptors = [WaitDescriptor(number: descriptor, kind: .unknown, name: "")]
    let locks = FileLock.blocking(pid, on: inode, as: kind, in: table)
    let holders = Set(locks.map(\.process)).filter { $0 > 0 }
    wait.owners = holders.sorted().compactMap { holder in
      ProcessSearch.processName(holder).map { .process(pid: holder, tid: nil, name: $0) }
    }
    return wait
  }
}
