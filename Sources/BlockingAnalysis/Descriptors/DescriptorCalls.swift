internal import ByteReading
package import LinuxProcess
package import ProfileModel

/// The system calls that wait for the other end of one descriptor, or for one child.
package enum DescriptorCalls {
  private static let kinds: [Int32: WaitKind] = {
    let names: [String: WaitKind] = [
      "read": .read, "readv": .read, "write": .write, "writev": .write, "recvfrom": .receive,
      "recvmsg": .receive, "sendto": .send, "sendmsg": .send, "poll": .poll, "ppoll": .poll,
      "wait4": .childProcess, "waitid": .childProcess,
    ]
    var kinds: [Int32: WaitKind] = [:]
    for number in 0..<Int32(512) {
      if let kind = SystemCallNames.name(of: number).flatMap({ names[$0] }) { kinds[number] = kind }
    }
    return kinds
  }()

  private static let futex = (0..<Int32(512)).first { SystemCallNames.name(of: $0) == "futex" }

  package static func isFutex(_ call: Int32) -> Bool { call == futex }

  /// What a thread waits for in the call, as far as its arguments say; nil for other calls, and for those
  /// that wait for several.
  ///
  /// Reads the program's memory for `poll` alone.
  package static func wait(
    _ call: Int32, _ arguments: InlineArray<6, UInt64>, memory: ProcessMemory
  ) -> Wait? {
    guard let kind = kinds[call] else { return nil }
    var wait = Wait(kind: kind, systemCall: SystemCallNames.name(of: call))
    switch kind {
    case .childProcess:
      guard let child = child(arguments, isID: wait.systemCall == "waitid"),
        let name = ProcessSearch.processName(child)
      else { return nil }
      wait.owners = [.process(pid: child, tid: nil, name: name)]
    case .poll:
      guard arguments[1] == 1,
        let bytes = memory.read(at: RemoteAddress(arguments[0]), count: 6)
      else { return nil }
      // struct pollfd: the descriptor, then the events; POLLIN is 1, POLLOUT 4.
      var reader = ByteReader(bytes.span.bytes)
      guard let number = reader.next(Int32.self), let events = reader.next(UInt16.self) else {
        return nil
      }
      wait.descriptors = [descriptor(number, isWritten: events & 5 == 4)]
    default:
      let isWritten = kind == .write || kind == .send
      wait.descriptors = [
        descriptor(Int32(truncatingIfNeeded: arguments[0]), isWritten: isWritten)
      ]
    }
    return wait
  }

  private static func descriptor(_ number: Int32, isWritten: Bool) -> WaitDescriptor {
    WaitDescriptor(
      number: number, kind: .unknown, name: "", events: isWritten ? "writable" : "readable")
  }

  /// The one process that is waited for, by the number that the program knows it by.
  private static func child(_ arguments: InlineArray<6, UInt64>, isID: Bool) -> Int32? {
    // P_PID is 1.
    if isID, arguments[0] != 1 { return nil }
    let number = Int32(truncatingIfNeeded: arguments[isID ? 1 : 0])
    return number > 0 ? number : nil
  }
}
