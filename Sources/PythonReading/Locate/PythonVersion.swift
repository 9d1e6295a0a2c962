internal import ProfileModel

/// A version of CPython.
package struct PythonVersion: Hashable, Sendable, CustomStringConvertible {
  package let minor: Int
  /// Nil where only the minor version could be found out.
  package let micro: Int?
  /// Whether it is an alpha, beta or release candidate, whose layout may still change.
  package let isPreRelease: Bool

  package init(minor: Int, micro: Int? = nil, isPreRelease: Bool = false) {
    self.minor = minor
    self.micro = micro
    self.isPreRelease = isPreRelease
  }

  /// Reads PY_VERSION_HEX: major, minor, micro, then a nibble for the level, 0xF for a release.
  package init?(hexadecimal number: UInt32) {
    guard number >> 24 == 3 else { return nil }
    self.init(
      minor: Int(number >> 16 & 0xff), micro: Int(number >> 8 & 0xff),
      isPreRelease: number >> 4 & 0xf != 0xf)
  }

  /// Finds the version in what `Py_GetVersion` keeps, such as `3.8.18 (default, May  9 2026, …`.
  package init?(banner text: some Collection<UInt8>) {
    let words = text.split(separator: UInt8(ascii: " "), maxSplits: 2)
    guard words.count >= 2, words[1].first == UInt8(ascii: "(") else { return nil }
    let parts = words[0].split(
      separator: UInt8(ascii: "."), maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].elementsEqual("3".utf8),
      let minor = Int(String(decoding: parts[1], as: UTF8.self)), (0...99).contains(minor)
    else { return nil }
    let digits = parts[2].prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    guard let micro = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
    // A release is followed by nothing, or by a `+` for a build from its branch.
    let level = parts[2].dropFirst(digits.count).first
    self.init(
      minor: minor, micro: micro,
      isPreRelease: level.map { [97, 98, 114].contains($0) } ?? false)
  }

  /// Finds `python3.8` or `libpython3.8.so.1.0` in a path.
  package init?(path: String) {
    let bytes = Array(path.lastPathPart.utf8)
    let mark = Array("python3.".utf8)
    guard bytes.count > mark.count else { return nil }
    for start in 0..<(bytes.count - mark.count) where bytes[start...].starts(with: mark) {
      let digits = bytes[(start + mark.count)...].prefix { $0 >= 48 && $0 <= 57 }
      if let minor = Int(String(decoding: digits, as: UTF8.self)), minor < 100 {
        self.init(minor: minor)
        return
      }
    }
    return nil
  }

  package var description: String {
    micro.map { "3.\(minor).\($0)" } ?? "3.\(minor)"
  }
}
