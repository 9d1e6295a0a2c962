internal import Glibc

/// libxcb, which is loaded only to pick or ping a window: sprof needs no X library otherwise.
///
/// Requests are sent as bytes (see `XRequest`), so that these few functions are all it takes. Names and
/// types are those of xcb/xcb.h and xcb/xcbext.h, which libxcb.so.1 has kept since version 1.0.
struct XLibrary {
  typealias Connection = OpaquePointer
  typealias Connect =
    @convention(c) (UnsafePointer<CChar>?, UnsafeMutablePointer<CInt>?) -> Connection?
  typealias HasError = @convention(c) (Connection) -> CInt
  typealias Setup = @convention(c) (Connection) -> UnsafeRawPointer?
  typealias NewID = @convention(c) (Connection) -> UInt32
  typealias Send =
    @convention(c) (Connection, CInt, UnsafeMutablePointer<iovec>, UnsafeRawPointer) -> CUnsignedInt
  typealias Reply =
    @convention(c) (
      Connection, CUnsignedInt, UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) -> UnsafeMutableRawPointer?
  typealias Event = @convention(c) (Connection) -> UnsafeMutableRawPointer?
  typealias FileDescriptor = @convention(c) (Connection) -> CInt
  typealias Flush = @convention(c) (Connection) -> CInt
  typealias Disconnect = @convention(c) (Connection) -> Void

  let connect: Connect
  let hasError: HasError
  let setup: Setup
  let newID: NewID
  let send: Send
  let reply: Reply
  let event: Event
  /// An event that has come, without waiting for one.
  let presentEvent: Event
  let fileDescriptor: FileDescriptor
  let flush: Flush
  let disconnect: Disconnect

  /// Nil where it is not installed; it stays loaded.
  init?() {
    guard let library = dlopen("libxcb.so.1", RTLD_NOW | RTLD_LOCAL) else { return nil }
    func symbol<Function>(_ name: String, _ type: Function.Type) -> Function? {
      dlsym(library, name).map { unsafeBitCast($0, to: type) }
    }
    guard let connect = symbol("xcb_connect", Connect.self),
      let hasError = symbol("xcb_connection_has_error", HasError.self),
      let setup = symbol("xcb_get_setup", Setup.self),
      let newID = symbol("xcb_generate_id", NewID.self),
      let send = symbol("xcb_send_request", Send.self),
      let reply = symbol("xcb_wait_for_reply", Reply.self),
      let event = symbol("xcb_wait_for_event", Event.self),
      let presentEvent = symbol("xcb_poll_for_event", Event.self),
      let fileDescriptor = symbol("xcb_get_file_descriptor", FileDescriptor.self),
      let flush = symbol("xcb_flush", Flush.self),
      let disconnect = symbol("xcb_disconnect", Disconnect.self)
    else { return nil }
    (self.connect, self.hasError, self.setup, self.newID) = (connect, hasError, setup, newID)
    (self.send, self.reply, self.event) = (send, reply, event)
    (self.presentEvent, self.fileDescriptor) = (presentEvent, fileDescriptor)
    (self.flush, self.disconnect) = (flush, disconnect)
  }
}
