internal import CLinux
internal import Glibc

/// This machine, as a report names it.
package enum Host {
  /// The host name.
  package static func name() -> String { field(\.nodename) }

  /// The kernel's release, such as `6.8.0-31-generic`.
  package static func kernel() -> String { field(\.release) }

  private static func field<Field>(_ path: KeyPath<utsname, Field>) -> String {
    var names = utsname()
    guard uname(&names) == 0 else { return "" }
    return withUnsafeBytes(of: names[keyPath: path]) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  /// Seconds since 1970.
  package static func wallClock() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
