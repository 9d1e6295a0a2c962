internal import ProfileModel
internal import Testing

@testable internal import PythonReading

@Suite struct `Strings of Python` {
  /// As 3.12 and later keep them.
  private static let shape = PythonOffsets.layout(minor: 12).flatMap { PythonStringShape($0) }

  /// An object with this state and these characters at address 0x1000.
  private func text(length: Int64, state: UInt32, data: [UInt8]) -> String? {
    guard let shape = Self.shape else { return nil }
    let isASCII = state >> 6 & 1 == 1
    var bytes = [UInt8](repeating: 0, count: isASCII ? shape.asciiSize : shape.compactSize)
    withUnsafeBytes(of: length) { bytes.replaceSubrange(16..<24, with: $0) }
    withUnsafeBytes(of: state) { bytes.replaceSubrange(32..<36, with: $0) }
    let place = RemoteAddress(0x1000)
    var copies = MemoryCopies()
    (bytes + data).withUnsafeBytes { copies.add($0, at: place) }
    return shape.header(copies, at: place).flatMap { shape.text(copies, at: place, $0) }
  }

  @Test func `have one, two or four bytes a character`() {
    // Kind 1, compact, ASCII; the upper bits are anything.
    #expect(text(length: 4, state: 0xffff_ff00 | 0x64, data: Array("main".utf8)) == "main")
    // Kind 1 without ASCII is Latin-1.
    #expect(text(length: 3, state: 0x24, data: [0x67, 0xf6, 0xdf]) == "göß")
    #expect(text(length: 2, state: 0x28, data: [0x3f, 0x04, 0x40, 0x04]) == "пр")
    #expect(text(length: 1, state: 0x30, data: [0xa9, 0xf4, 0x01, 0x00]) == "💩")
    #expect(text(length: 0, state: 0x64, data: []) == "")
  }

  @Test func `that are no strings have no text`() {
    // Kind 3; not compact; ASCII of two bytes; a length below 0; one beyond all memory.
    #expect(text(length: 1, state: 0x2c, data: [65]) == nil)
    #expect(text(length: 1, state: 0x04, data: [65]) == nil)
    #expect(text(length: 1, state: 0x68, data: [65, 0]) == nil)
    #expect(text(length: -1, state: 0x64, data: [65]) == nil)
    #expect(text(length: .max, state: 0x30, data: [65]) == nil)
    // Characters that were not copied.
    #expect(text(length: 5, state: 0x64, data: [65]) == nil)
  }

  @Test func `show what is no character as a replacement`() {
    // A surrogate, a number beyond Unicode, a control character.
    #expect(text(length: 1, state: 0x28, data: [0x00, 0xd8]) == "\u{FFFD}")
    #expect(text(length: 1, state: 0x30, data: [0, 0, 0x11, 0]) == "\u{FFFD}")
    #expect(text(length: 2, state: 0x64, data: [0x1b, 65]) == "\u{FFFD}A")
  }

  @Test func `that are long are cut, and marked`() {
    let name = text(length: 6000, state: 0x64, data: [UInt8](repeating: 97, count: 6000))
    #expect(name == String(repeating: "a", count: 4096) + "…")
  }
}

@Suite struct `Versions of Python` {
  @Test func `are read from numbers, banners and file names`() {
    #expect(PythonVersion(hexadecimal: 0x030b_07f0)?.description == "3.11.7")
    #expect(PythonVersion(hexadecimal: 0x030f_00b4)?.isPreRelease == true)
    #expect(PythonVersion(hexadecimal: 0x0207_12f0) == nil)
    let banner = "3.8.18 (default, May  9 2026, 11:42:00) \n[GCC 12.2.0]"
    #expect(PythonVersion(banner: banner.utf8)?.description == "3.8.18")
    #expect(PythonVersion(banner: "3.14.0rc2 (main, x) [GCC]".utf8)?.isPreRelease == true)
    #expect(PythonVersion(banner: "3.8 (default) [GCC]".utf8) == nil)
    #expect(PythonVersion(path: "/usr/lib/libpython3.9.so.1.0")?.minor == 9)
    #expect(PythonVersion(path: "/opt/python3.12/bin/app") == nil)
  }
}
