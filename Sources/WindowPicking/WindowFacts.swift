internal import ByteReading

/// What an X server tells of windows.
struct WindowFacts {
  let connection: XConnection
  /// The number of the X-Resource extension; nil where its answers would not do.
  private let resourceExtension: UInt8?

  /// `ownPID` is the number of this process: a server that counts otherwise, from another host or PID
  /// namespace, has no PIDs that mean anything here.
  init(_ connection: XConnection, ownPID: Int32) {
    self.connection = connection
    guard let opcode = Self.resourceExtension(connection),
      Self.clientPID(connection, opcode, of: connection.ownResource) == ownPID
    else {
      resourceExtension = nil
      return
    }
    resourceExtension = opcode
  }

  /// The owner of the window that was clicked, a child of the root window.
  func owner(of clicked: UInt32) -> WindowOwner {
    let window = clientWindow(of: clicked)
    let title =
      text("_NET_WM_NAME", of: window) ?? text("WM_NAME", of: window)
      ?? text("WM_CLASS", of: window)
    return WindowOwner(
      title: title ?? "", statedPID: number("_NET_WM_PID", of: window),
      host: text("WM_CLIENT_MACHINE", of: window),
      clientPID: resourceExtension.flatMap { Self.clientPID(connection, $0, of: window) })
  }

  // MARK: - Windows

  /// The program's own window within the frame that a window manager has put around it.
  ///
  /// It is the outermost one that has the property `WM_STATE` (ICCCM 4.1.3.1). Without one, as of menus
  /// and where no window manager runs, it is the window itself.
  func clientWindow(of frame: UInt32) -> UInt32 {
    guard let state = atom("WM_STATE") else { return frame }
    var level = [frame]
    // A frame has few windows; a program may have made any number.
    var left = 2_000
    while !level.isEmpty {
      var next: [UInt32] = []
      for window in level {
        guard left > 0 else { return frame }
        left -= 1
        if property(state, of: window, limit: 4) != nil { return window }
        next += children(of: window).prefix(left)
      }
      level = next
    }
    return frame
  }

  func children(of window: UInt32) -> [UInt32] {
    guard let reply = connection.reply(to: .queryTree(window)) else { return [] }
    var reader = ByteReader(reply.span.bytes, at: 16)
    let count = reader.next(UInt16.self) ?? 0
    reader.offset = 32
    var children: [UInt32] = []
    for _ in 0..<count {
      guard let child = reader.next(UInt32.self) else { break }
      children.append(child)
    }
    // The server has the lowest first.
    return children.reversed()
  }

  // MARK: - Properties

  func atom(_ name: String) -> UInt32? {
    guard let reply = connection.reply(to: .internAtom(name)) else { return nil }
    let atom = ByteReader(reply.span.bytes).value(at: 8, as: UInt32.self)
    return atom == 0 ? nil : atom
  }

  /// The bytes of a property; nil where the window has none of that name.
  func property(
    _ name: UInt32, of window: UInt32, limit: UInt32
  ) -> (format: UInt8, bytes: ArraySlice<UInt8>)? {
    guard let reply = connection.reply(to: .getProperty(window, name, limit: limit)) else {
      return nil
    }
    let reader = ByteReader(reply.span.bytes)
    guard let format = reader.value(at: 1, as: UInt8.self), [8, 16, 32].contains(format),
      let count = reader.value(at: 16, as: UInt32.self)
    else { return nil }
    let size = min(Int(count) * Int(format / 8), reply.count - 32)
    return (format, reply[32..<(32 + max(0, size))])
  }

  func text(_ name: String, of window: UInt32) -> String? {
    guard let atom = atom(name), let (format, bytes) = property(atom, of: window, limit: 256),
      format == 8
    else { return nil }
    let text = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    return text.isEmpty ? nil : text
  }

  func number(_ name: String, of window: UInt32) -> Int32? {
    guard let atom = atom(name), let (format, bytes) = property(atom, of: window, limit: 4),
      format == 32, bytes.count == 4
    else { return nil }
    let value = Array(bytes)
    guard let number = ByteReader(value.span.bytes).value(at: 0, as: Int32.self) else { return nil }
    return number > 0 ? number : nil
  }

  // MARK: - Clients

  /// The number of the X-Resource extension, where it tells PIDs.
  private static func resourceExtension(_ connection: XConnection) -> UInt8? {
    guard let reply = connection.reply(to: .queryExtension("X-Resource")) else { return nil }
    let reader = ByteReader(reply.span.bytes)
    guard reader.value(at: 8, as: UInt8.self) == 1,
      let opcode = reader.value(at: 9, as: UInt8.self),
      let version = connection.reply(to: .resourceVersion(opcode))
    else { return nil }
    let versions = ByteReader(version.span.bytes)
    guard let major = versions.value(at: 8, as: UInt16.self),
      let minor = versions.value(at: 10, as: UInt16.self), (major, minor) >= (1, 2)
    else { return nil }
    return opcode
  }

  /// The process that has made a resource; nil for one of another host.
  private static func clientPID(
    _ connection: XConnection, _ opcode: UInt8, of resource: UInt32
  ) -> Int32? {
    guard let reply = connection.reply(to: .clientPID(opcode, of: resource)) else { return nil }
    var reader = ByteReader(reply.span.bytes, at: 8)
    let count = reader.next(UInt32.self) ?? 0
    reader.offset = 32
    // Each with the client, what is told of it, and that in so many bytes.
    for _ in 0..<min(count, 16) {
      guard reader.next(UInt32.self) != nil, let kind = reader.next(UInt32.self),
        let length = reader.next(UInt32.self)
      else { return nil }
      if kind == XRequest.clientIDIsPID, length == 4 {
        let pid = reader.next(Int32.self) ?? 0
        return pid > 0 ? pid : nil
      }
      reader.offset += Int(length)
    }
    return nil
  }
}
