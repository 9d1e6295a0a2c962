internal import ProfileModel

extension WaitDescriptor {
  /// Whether what the user or a client does makes it ready.
  var bringsUserEvents: Bool { isDisplay || state == .listening || kind == .tty }

  /// Whether it is a connection to an X server or to a Wayland compositor.
  var isDisplay: Bool {
    switch kind {
    case .unixSocket:
      let address = peerAddress ?? ""
      return address.contains(bytesOf: "/.X11-unix/X") || address.contains(bytesOf: "/wayland-")
        || peers.contains { $0.isDisplayServer }
    // X's ports, also those of a display that ssh forwards (X Protocol, appendix B).
    case .tcpSocket:
      let port = peerAddress.flatMap { $0.split(separator: ":").last }.flatMap { Int($0) }
      return port.map { (6000...6063).contains($0) } ?? false
    default: return false
    }
  }
}

extension WaitOwner {
  /// By the name of its program.
  fileprivate var isDisplayServer: Bool {
    guard case .process(_, _, let name) = self else { return false }
    return Self.displayServers.contains(name)
  }

  private static let displayServers: Set<String> = [
    "Xorg", "Xvfb", "Xwayland", "Xvnc", "Xephyr", "Xnest", "gnome-shell", "kwin_wayland",
    "kwin_x11",
    "weston", "sway", "mutter", "Hyprland", "labwc", "wayfire", "cage",
  ]
}
