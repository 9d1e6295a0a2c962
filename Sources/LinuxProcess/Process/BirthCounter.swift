internal import CLinux
internal import Glibc

/// Finds in about 2 µs whether any process or thread was born on this machine.
package struct BirthCounter: ~Copyable {
  private let file: CInt
  private var last: Int32?

  package init() { file = sprof_open("/proc/loadavg", O_RDONLY) }

  deinit { if file >= 0 { close(file) } }

  /// Whether any may have been born since the last call.
  package mutating func hasChanged() -> Bool {
    // `0.00 0.01 0.05 1/123 4567`: the last is the number that was given out last (proc(5)).
    var bytes = [UInt8](repeating: 0, count: 128)
    let count = file >= 0 ? pread(file, &bytes, bytes.count, 0) : -1
    let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    guard let newest = text.split(whereSeparator: \.isWhitespace).last.flatMap({ Int32($0) }) else {
      return true
    }
    defer { last = newest }
    return newest != last
  }
}
