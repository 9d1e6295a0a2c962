internal import ByteReading
internal import Glibc

/// A connection to an X server.
final class XConnection {
  private let library: XLibrary
  private let connection: XLibrary.Connection
  /// The root window of the screen that `DISPLAY` names.
  let root: UInt32
  /// The codes of the keyboard's keys.
  let keyCodes: ClosedRange<UInt8>
  /// A resource of this connection, by which the server knows it.
  let ownResource: UInt32

  /// Connects to the server that `DISPLAY` names.
  init() throws(WindowProblem) {
    guard let library = XLibrary() else { throw .noLibrary }
    var screen: CInt = 0
    guard let connection = library.connect(nil, &screen) else { throw .cannotConnect }
    guard library.hasError(connection) == 0,
      let setup = XSetup(Self.bytes(ofSetup: library.setup(connection)), screen: Int(screen))
    else {
      library.disconnect(connection)
      throw .cannotConnect
    }
    (self.library, self.connection) = (library, connection)
    (root, keyCodes) = (setup.root, setup.keyCodes)
    ownResource = setup.ownResource
  }

  deinit { library.disconnect(connection) }

  /// A new number for a resource of this connection.
  func newResource() -> UInt32 { library.newID(connection) }

  /// Sends a request that has no answer; an error comes as an event.
  func send(_ request: XRequest) { _ = send(request, isVoid: true) }

  /// Sends a request, and gives the bytes of its answer; nil when the server refuses it.
  func reply(to request: XRequest) -> [UInt8]? {
    let number = send(request, isVoid: false)
    var error: UnsafeMutableRawPointer?
    let reply = library.reply(connection, number, &error)
    free(error)
    guard let reply else { return nil }
    defer { free(reply) }
    // 32 bytes, and as many units of four as the second word says (X protocol, "Reply format").
    let count = 32 + 4 * Int(reply.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
    return [UInt8](UnsafeRawBufferPointer(start: reply, count: count))
  }

  /// Waits for an event, and gives its 32 bytes; nil when the connection is lost.
  func nextEvent() -> [UInt8]? {
    guard library.flush(connection) > 0, let event = library.event(connection) else { return nil }
    defer { free(event) }
    return [UInt8](UnsafeRawBufferPointer(start: event, count: 32))
  }

  /// The 32 bytes of an event that has come; nil when none has.
  func presentEvent() -> [UInt8]? {
    guard let event = library.presentEvent(connection) else { return nil }
    defer { free(event) }
    return [UInt8](UnsafeRawBufferPointer(start: event, count: 32))
  }

  /// Whether the server has closed it.
  var isLost: Bool { library.hasError(connection) != 0 }

  /// What `poll` waits for events on.
  var fileDescriptor: Int32 { library.fileDescriptor(connection) }

  /// Sends what libxcb still holds.
  func flush() { _ = library.flush(connection) }

  private func send(_ request: XRequest, isVoid: Bool) -> CUnsignedInt {
    var bytes = request.padded
    // struct xcb_protocol_request_t: the count of vectors, no extension, the opcode, whether it is void.
    var description: (Int, UInt, UInt8, UInt8, UInt16, UInt32) = (
      1, 0, bytes[0], isVoid ? 1 : 0, 0, 0
    )
    let count = bytes.count
    return bytes.withUnsafeMutableBytes { bytes in
      // libxcb wants two vectors of its own before the first.
      var vectors = [iovec](repeating: iovec(), count: 3)
      vectors[2] = iovec(iov_base: bytes.baseAddress, iov_len: count)
      return vectors.withUnsafeMutableBufferPointer { vectors in
        guard let first = vectors.baseAddress else { return 0 }
        return withUnsafeBytes(of: &description) { description in
          guard let description = description.baseAddress else { return 0 }
          return library.send(connection, 0, first + 2, description)
        }
      }
    }
  }

  private static func bytes(ofSetup setup: UnsafeRawPointer?) -> [UInt8] {
    guard let setup else { return [] }
    // 8 bytes, and as many units of four as their last half says.
    let count = 8 + 4 * Int(setup.loadUnaligned(fromByteOffset: 6, as: UInt16.self))
    return [UInt8](UnsafeRawBufferPointer(start: setup, count: count))
  }
}

/// What a server says of itself to whom it accepts (X protocol, "Connection Setup").
struct XSetup {
  let root: UInt32
  let keyCodes: ClosedRange<UInt8>
  let ownResource: UInt32

  init?(_ bytes: [UInt8], screen: Int) {
    let reader = ByteReader(bytes.span.bytes)
    guard let base = reader.value(at: 12, as: UInt32.self),
      let vendorLength = reader.value(at: 24, as: UInt16.self),
      let screens = reader.value(at: 28, as: UInt8.self),
      let formats = reader.value(at: 29, as: UInt8.self),
      let first = reader.value(at: 34, as: UInt8.self),
      let last = reader.value(at: 35, as: UInt8.self), screens > 0,
      // The protocol has none below 8.
      8 <= first, first <= last
    else { return nil }
    var offset = 40 + (Int(vendorLength) + 3) / 4 * 4 + 8 * Int(formats)
    for _ in 0..<min(max(screen, 0), Int(screens) - 1) {
      guard let depths = reader.value(at: offset + 39, as: UInt8.self) else { return nil }
      offset += 40
      for _ in 0..<depths {
        guard let visuals = reader.value(at: offset + 2, as: UInt16.self) else { return nil }
        offset += 8 + 24 * Int(visuals)
      }
    }
    guard let root = reader.value(at: offset, as: UInt32.self) else { return nil }
    self.root = root
    (ownResource, keyCodes) = (base, first...last)
  }
}
