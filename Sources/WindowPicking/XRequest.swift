/// The bytes of a request to an X server, in this machine's byte order, which the connection has told it
/// (X protocol, "Protocol Encoding"); libxcb fills in the length.
struct XRequest {
  private(set) var bytes: [UInt8]

  /// A request of that number; `detail` is the byte after it.
  init(_ opcode: UInt8, detail: UInt8 = 0) { bytes = [opcode, detail, 0, 0] }

  /// With zeros up to a multiple of four, as the protocol wants it.
  var padded: [UInt8] { bytes + [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4) }

  func with(_ values: UInt32...) -> XRequest { adding(values.map(\.littleEndian)) }
  func with(halves: UInt16...) -> XRequest { adding(halves.map(\.littleEndian)) }
  func with(bytes: UInt8...) -> XRequest { adding(bytes) }

  /// With the length of a text, and the text.
  func with(text: String) -> XRequest {
    with(halves: UInt16(text.utf8.count), 0).adding(Array(text.utf8))
  }

  private func adding<Value>(_ values: [Value]) -> XRequest {
    var request = self
    values.withUnsafeBytes { request.bytes += $0 }
    return request
  }
}

extension XRequest {
  /// Asks for the events of a window that the mask names; other clients' masks stay.
  static func selectEvents(_ mask: UInt32, of window: UInt32) -> XRequest {
    let eventMask: UInt32 = 1 << 11
    return XRequest(2).with(window, eventMask, mask)
  }

  static func windowAttributes(_ window: UInt32) -> XRequest { XRequest(3).with(window) }

  /// Sends an event of 32 bytes to the client that has made the window.
  static func sendEvent(_ event: [UInt8], to window: UInt32) -> XRequest {
    XRequest(25).with(window, 0).adding(event)
  }

  static func queryTree(_ window: UInt32) -> XRequest { XRequest(15).with(window) }

  /// The number of an atom; 0 where no client has ever used it.
  static func internAtom(_ name: String) -> XRequest { XRequest(16, detail: 1).with(text: name) }

  /// At most `limit` bytes of a property of any type.
  static func getProperty(_ window: UInt32, _ property: UInt32, limit: UInt32) -> XRequest {
    XRequest(20).with(window, property, 0, 0, (limit + 3) / 4)
  }

  /// Takes the pointer's presses and releases wherever it is.
  static func grabPointer(_ root: UInt32, cursor: UInt32) -> XRequest {
    let (buttonPress, buttonRelease, asynchronous) = (UInt16(1 << 2), UInt16(1 << 3), UInt8(1))
    return XRequest(26).with(root).with(halves: buttonPress | buttonRelease)
      .with(bytes: asynchronous, asynchronous).with(0, cursor, 0)
  }

  static let ungrabPointer = XRequest(27).with(0)

  /// Takes a key, with exactly these modifiers, wherever the focus is.
  static func grabKey(_ key: UInt8, modifiers: UInt16, _ root: UInt32) -> XRequest {
    XRequest(33, detail: 1).with(root).with(halves: modifiers).with(bytes: key, 1, 1, 0, 0, 0)
  }

  static func openFont(_ font: UInt32, _ name: String) -> XRequest {
    XRequest(45).with(font).with(text: name)
  }

  /// A black cursor with a white edge, of two glyphs that follow each other in the font of cursors.
  static func createGlyphCursor(_ cursor: UInt32, font: UInt32, glyph: UInt16) -> XRequest {
    XRequest(94).with(cursor, font, font)
      .with(halves: glyph, glyph + 1, 0, 0, 0, .max, .max, .max)
  }

  static func queryExtension(_ name: String) -> XRequest { XRequest(98).with(text: name) }

  static func keyboardMapping(_ keys: ClosedRange<UInt8>) -> XRequest {
    XRequest(101).with(bytes: keys.lowerBound, UInt8(keys.count), 0, 0)
  }

  /// The version of the X-Resource extension, which has the number `opcode`.
  static func resourceVersion(_ opcode: UInt8) -> XRequest {
    XRequest(opcode).with(bytes: 1, 2, 0, 0)
  }

  /// The PID of the client that has made a resource (X-Resource 1.2, QueryClientIds).
  static func clientPID(_ opcode: UInt8, of resource: UInt32) -> XRequest {
    XRequest(opcode, detail: 4).with(1, resource, clientIDIsPID)
  }

  static let clientIDIsPID: UInt32 = 1 << 1
}
