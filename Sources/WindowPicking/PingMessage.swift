internal import ByteReading

/// The message by which a window manager asks whether a program still takes its events, and the same sent
/// back as the answer (EWMH 1.5, `_NET_WM_PING`; the layout of ClientMessage: X protocol, "Events").
struct PingMessage {
  private let protocols: UInt32
  private let ping: UInt32

  /// Nil where no client has ever heard of pings.
  init?(_ facts: WindowFacts) {
    guard let protocols = facts.atom("WM_PROTOCOLS"), let ping = facts.atom("_NET_WM_PING") else {
      return nil
    }
    (self.protocols, self.ping) = (protocols, ping)
  }

  init(protocols: UInt32, ping: UInt32) {
    (self.protocols, self.ping) = (protocols, ping)
  }

  /// The 32 bytes to send to a window; `number` stands in the place of the time.
  func bytes(to window: UInt32, number: UInt32) -> [UInt8] {
    var bytes: [UInt8] = [Self.clientMessage, 32, 0, 0]
    for word in [window, protocols, ping, number, window, 0, 0] {
      withUnsafeBytes(of: word.littleEndian) { bytes += $0 }
    }
    return bytes
  }

  /// The window and the number of an answer; nil for an event that is none.
  func answer(_ event: [UInt8]) -> (window: UInt32, number: UInt32)? {
    let reader = ByteReader(event.span.bytes)
    // A client has sent it: the high bit.
    guard event.count == 32, event[0] == Self.clientMessage | 0x80, event[1] == 32,
      reader.value(at: 8, as: UInt32.self) == protocols,
      reader.value(at: 12, as: UInt32.self) == ping,
      let number = reader.value(at: 16, as: UInt32.self),
      let window = reader.value(at: 20, as: UInt32.self)
    else { return nil }
    return (window, number)
  }

  private static let clientMessage: UInt8 = 33
}
