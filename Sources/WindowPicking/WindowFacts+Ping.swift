internal import ByteReading
internal import LinuxProcess

extension WindowFacts {
  /// The windows of a process that the user can see or has put away as an icon; those that take part in
  /// pings, and where there are none, the others.
  func windows(of pid: Int32) -> (pinged: [ProgramWindow], others: [ProgramWindow]) {
    // No client may ever have used these names.
    let protocols = atom("WM_PROTOCOLS")
    let ping = atom("_NET_WM_PING")
    let host = Host.name()
    let state = atom("WM_STATE")
    var found: (pinged: [ProgramWindow], others: [ProgramWindow]) = ([], [])
    // A screen has few; programs may have made any number.
    for child in children(of: connection.root).prefix(2_000) {
      let window = clientWindow(of: child)
      let isManaged = state.map { property($0, of: window, limit: 4) != nil } ?? false
      guard isManaged || isMapped(window) else { continue }
      let owner = owner(of: window)
      guard let process = try? owner.process(thisHost: host, numbers: ProcessStatus.numbers),
        process.pid == pid
      else { continue }
      let understood = protocols.map { numbers($0, of: window) } ?? []
      let known = ProgramWindow(id: window, title: owner.title)
      if let ping, understood.contains(ping) {
        found.pinged.append(known)
      } else {
        found.others.append(known)
      }
    }
    return found
  }

  private func isMapped(_ window: UInt32) -> Bool {
    guard let reply = connection.reply(to: .windowAttributes(window)) else { return false }
    return ByteReader(reply.span.bytes).value(at: 26, as: UInt8.self) ?? 0 != 0
  }

  /// A property that is a list of numbers.
  private func numbers(_ name: UInt32, of window: UInt32) -> [UInt32] {
    guard let (format, bytes) = property(name, of: window, limit: 256), format == 32 else {
      return []
    }
    let list = Array(bytes)
    var reader = ByteReader(list.span.bytes)
    return (0..<(list.count / 4)).compactMap { _ in reader.next(UInt32.self) }
  }
}

/// A window of the program that is asked.
struct ProgramWindow: Equatable {
  let id: UInt32
  let title: String
}

extension ProcessStatus {
  /// The numbers of a process in each of its PID namespaces, ours first; nil where there is no such process.
  static func numbers(of pid: Int32) -> [Int32]? {
    let numbers = (try? ProcessStatus(of: pid))?.namespaceNumbers
    // Kernels before 4.1 tell of no namespaces.
    return numbers?.isEmpty == true ? [pid] : numbers
  }
}
