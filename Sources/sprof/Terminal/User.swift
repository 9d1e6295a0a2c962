import Glibc

/// Who runs sprof.
enum User {
  /// The home directory; nil when the environment lacks it.
  static var home: String? { variable("HOME") }

  /// The names of the user, also of the one who called sudo.
  static var names: [String] {
    var names = ["USER", "LOGNAME", "SUDO_USER"].compactMap { variable($0) }
    if let entry = getpwuid(getuid()), let name = entry.pointee.pw_name {
      names.append(String(cString: name))
    }
    return names
  }

  private static func variable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }
}
