internal import Glibc

/// How a user of this machine runs a command as root.
package enum RootAccess: Equatable, Sendable {
  /// The user is root.
  case isRoot
  case sudo
  case doas
  /// Neither sudo nor doas is installed.
  case su

  /// Looks for sudo and doas in the folders of `path`, the value of PATH.
  package init(userID: UInt32, path: String, isExecutable: (String) -> Bool) {
    guard userID != 0 else {
      self = .isRoot
      return
    }
    func has(_ name: String) -> Bool { Self.has(name, path: path, isExecutable: isExecutable) }
    self = has("sudo") ? .sudo : has("doas") ? .doas : .su
  }

  private static func has(
    _ name: String, path: String, isExecutable: (String) -> Bool
  ) -> Bool {
    let usual = ["/usr/bin", "/usr/local/bin", "/run/wrappers/bin"]
    let folders = path.split(separator: ":").map(String.init) + usual
    return folders.contains { isExecutable("\($0)/\(name)") }
  }

  /// That of who runs sprof.
  package static let here = RootAccess(userID: geteuid(), path: path, isExecutable: isExecutable)

  /// Whether sudo is installed, also where the user is root.
  package static var hasSudo: Bool { has("sudo", path: path, isExecutable: isExecutable) }

  private static var path: String { getenv("PATH").map { String(cString: $0) } ?? "" }
  private static func isExecutable(_ file: String) -> Bool { access(file, X_OK) == 0 }

  /// The line for a shell that runs the command as root.
  package func line(_ command: String) -> String {
    switch self {
    case .isRoot: return command
    case .sudo: return "sudo \(command)"
    case .doas: return "doas \(command)"
    case .su:
      // Within single quotes a shell reads all but a single quote as it is (POSIX, 2.2.2).
      let quoted = command.split(separator: "'", omittingEmptySubsequences: false)
      return "su -c '\(quoted.joined(separator: "'\\''"))'"
    }
  }
}
