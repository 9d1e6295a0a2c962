internal import Glibc
internal import LinuxProcess

/// The X server of a display, as the kernel knows it.
enum DisplayServer {
  /// The process that has opened the server's socket on this machine: the server itself, whether or not it
  /// answers, or who has started it; nil for one that is not found, such as that of another machine.
  ///
  /// `display` is in the form of `DISPLAY`: `:0`, `:0.1`, `unix:0`. The server sees a connection that ends.
  static func process(ofDisplay display: String) -> Int32? {
    let parts = display.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, ["", "unix"].contains(parts[0]),
      let number = parts[1].split(separator: ".").first.flatMap({ UInt16($0) })
    else { return nil }
    // X servers listen at a name without a file, too (Xtrans: TRANS_ABSTRACT).
    let path = "/tmp/.X11-unix/X\(number)"
    return UnixListener.process(at: "\0" + path) ?? UnixListener.process(at: path)
  }
}
