internal import ByteReading
internal import Glibc
internal import LinuxProcess
internal import ProfileModel

/// Lets the user click the window of a program, as xkill does.
package enum WindowPicker {
  /// Waits for the click, and gives the window and its process.
  ///
  /// Calls `ready` when the pointer is a crosshair and the click can come. The click does not reach the
  /// program; another button than the left one, or Esc, cancels.
  package static func pick(ready: () -> Void) throws(WindowProblem) -> PickedWindow {
    guard hasDisplay else { throw .noDisplay(isWayland: isWayland) }
    let connection = try XConnection()
    let facts = WindowFacts(connection, ownPID: getpid())
    try grab(connection)
    let cancelKeys = escapeKeys(connection)
    connection.flush()
    ready()
    let clicked = try click(connection, cancelKeys: cancelKeys)
    connection.send(.ungrabPointer)
    connection.flush()
    guard clicked != 0 else { throw .isRootWindow }
    return try facts.owner(of: clicked).process(
      thisHost: Host.name(), numbers: ProcessStatus.numbers)
  }

  /// Whether there may be an X server.
  static var hasDisplay: Bool { isSet("DISPLAY") }

  /// What `DISPLAY` says; empty where it is not set.
  static var display: String { getenv("DISPLAY").map { String(cString: $0) } ?? "" }

  /// Whether the session is one of Wayland, where X programs are guests.
  package static var isWayland: Bool { isSet("WAYLAND_DISPLAY") }

  private static func isSet(_ name: String) -> Bool {
    getenv(name).map { $0.pointee != 0 } ?? false
  }

  /// Takes the pointer; throws when another program keeps it for a second.
  ///
  /// A key that starts sprof is itself grabbed until it is released.
  private static func grab(_ connection: XConnection) throws(WindowProblem) {
    let (font, cursor) = (connection.newResource(), connection.newResource())
    let crosshair: UInt16 = 34
    connection.send(.openFont(font, "cursor"))
    connection.send(.createGlyphCursor(cursor, font: font, glyph: crosshair))
    let end = MonotonicClock.now() + .seconds(1)
    while true {
      guard let reply = connection.reply(to: .grabPointer(connection.root, cursor: cursor)) else {
        throw .isDisconnected
      }
      if ByteReader(reply.span.bytes).value(at: 1, as: UInt8.self) == 0 { return }
      guard MonotonicClock.now() < end else { throw .isGrabbed }
      MonotonicClock.sleep(for: .milliseconds(50))
    }
  }

  /// The codes of the keys for Esc, which are taken from now on.
  private static func escapeKeys(_ connection: XConnection) -> Set<UInt8> {
    let keys = connection.keyCodes
    guard let reply = connection.reply(to: .keyboardMapping(keys)) else { return [] }
    let reader = ByteReader(reply.span.bytes)
    let symbolsPerKey = Int(reader.value(at: 1, as: UInt8.self) ?? 0)
    let escape: UInt32 = 0xff1b
    let escapes = keys.filter { key in
      let offset = 32 + 4 * symbolsPerKey * Int(key - keys.lowerBound)
      return symbolsPerKey > 0 && reader.value(at: offset, as: UInt32.self) == escape
    }
    // Caps lock and num lock, too, are modifiers (X protocol, "Keyboards"; num lock is the second by custom).
    let (capsLock, numLock): (UInt16, UInt16) = (1 << 1, 1 << 4)
    for key in escapes {
      for modifiers in [0, capsLock, numLock, capsLock | numLock] {
        connection.send(.grabKey(key, modifiers: modifiers, connection.root))
      }
    }
    return Set(escapes)
  }

  /// The child of the root window at which the left button was pressed, when it has been released; 0 for
  /// the root window itself.
  private static func click(
    _ connection: XConnection, cancelKeys: Set<UInt8>
  ) throws(WindowProblem) -> UInt32 {
    var pressed: UInt32?
    while let event = connection.nextEvent() {
      let reader = ByteReader(event.span.bytes)
      let child = reader.value(at: 16, as: UInt32.self) ?? 0
      // What another client has sent has the high bit, and counts for nothing. Button 4 and up are the wheel.
      switch (event[0], event[1]) {
      case (Event.keyPress, let key) where cancelKeys.contains(key): throw .isCancelled
      case (Event.buttonPress, 1): pressed = child
      case (Event.buttonPress, 2), (Event.buttonPress, 3): throw .isCancelled
      case (Event.buttonRelease, 1): if let pressed { return pressed }
      default: break
      }
    }
    throw .isDisconnected
  }

  private enum Event {
    static let keyPress: UInt8 = 2
    static let buttonPress: UInt8 = 4
    static let buttonRelease: UInt8 = 5
  }
}
