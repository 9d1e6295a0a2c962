import LinuxProcess
import WindowPicking

// MARK: - Why no process is found by its window

extension Diagnostic {
  static func words(picking problem: WindowProblem, command: String) -> String {
    switch problem {
    case .noLibrary:
      "libxcb.so.1 is not installed, which --window needs. On Debian and Ubuntu: apt install libxcb1; "
        + "or \(passPID(command))"
    case .noDisplay(isWayland: true):
      "There is no X server (DISPLAY is not set), and Wayland lets no program ask whose window is "
        + "clicked. Instead \(passPID(command))"
    case .noDisplay(isWayland: false):
      "There is no X server to ask: DISPLAY is not set. Run this in a terminal of the desktop; or "
        + passPID(command)
    case .cannotConnect:
      "Cannot connect to the X server that DISPLAY names: it does not run, or does not let you. "
        + (isRoot
          ? "\(ofDesktop("\(command) --window")); or "
          : "Instead ") + passPID(command)
    case .isGrabbed:
      "Another program keeps the mouse pointer to itself, such as for an open menu. Close that; or "
        + passPID(command)
    case .isCancelled: "Cancelled: no window was clicked."
    case .isDisconnected:
      "The X server has closed the connection. Try again; or \(passPID(command))"
    case .isRootWindow:
      "That was the background of the screen (the root window), which is no program's. Click a window; "
        + "or \(passPID(command))"
    case .isSilent(let window):
      "\(name(of: window)) does not say which process it belongs to (_NET_WM_PID), and the X server "
        + "does not know. \(passPID(command, isSentence: true))"
    case .hasNoHost(let window, let pid):
      "\(name(of: window)) belongs to process \(pid), but does not say of which host "
        + "(WM_CLIENT_MACHINE). If it is of this one: sprof \(command) \(pid)"
    case .isOfOtherHost(let window, let host):
      "\(name(of: window)) belongs to a program on the host \(host). Run sprof there."
    case .isOfOtherNamespace(let window, let pid):
      "\(name(of: window)) belongs to process \(pid) of another PID namespace, such as a container's: "
        + "there is none of that number here. \(passPID(command, isSentence: true))"
    case .hasEnded(let window, let pid):
      "\(name(of: window)) was opened by process \(pid), which has ended, and does not say which "
        + "process it belongs to now. \(passPID(command, isSentence: true))"
    }
  }

  /// A window as a sentence begins with it.
  static func name(of window: String) -> String {
    window.isEmpty ? "The window, which has no title," : "The window \"\(window)\""
  }

  /// What root does for a window of a user's desktop.
  private static func ofDesktop(_ command: String) -> String {
    RootAccess.hasSudo
      ? "Of a user's desktop: sudo --preserve-env=DISPLAY,XAUTHORITY sprof \(command)"
      : "Of a user's desktop: set DISPLAY and XAUTHORITY as they are there"
  }

  private static func passPID(_ command: String, isSentence: Bool = false) -> String {
    "\(isSentence ? "P" : "p")ass its PID, as ps -e lists it: sprof \(command) PID"
  }
}

// MARK: - Why windows cannot be pinged

extension Diagnostic {
  static func words(pinging problem: PingProblem, command: String) -> String {
    switch problem {
    case .noDisplay(isWayland: true):
      "There is no X server to ask (DISPLAY is not set), and Wayland lets no program ping the windows of "
        + "another. Leave --ping out"
    case .noDisplay(isWayland: false):
      "There is no X server to ask: DISPLAY is not set. Run this in a terminal of the desktop; or leave "
        + "--ping out"
    case .noLibrary:
      "libxcb.so.1 is not installed, which --ping needs. On Debian and Ubuntu: apt install libxcb1; "
        + "or leave --ping out"
    case .cannotConnect:
      "Cannot connect to the X server that DISPLAY names: it does not run, or does not let you. "
        + (isRoot
          ? "\(ofDesktop("\(command) --ping")); or leave "
          : "Leave ") + "--ping out"
    case .isSilentServer(let pid):
      "The X server has not answered for 3 s, so it may be what hangs"
        + (pid.map { ". To see what it does: sprof \(command) \($0)" }
          ?? "; it is not a process of this machine or container. Leave --ping out")
    case .hasNoWindow:
      "The program has no window on the display that DISPLAY names, so there is none to ping. Leave --ping "
        + "out"
    case .cannotStart(let reason): "Cannot ping: \(reason)."
    }
  }
}
