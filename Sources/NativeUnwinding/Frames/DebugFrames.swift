internal import ByteReading

/// Turns `.debug_frame` into the form of `.eh_frame`, which is the only one that libunwind reads
/// remotely (its Debian build has no support for the other).
///
/// The forms differ in the mark of a CIE, in how an FDE names its CIE, and in that addresses are
/// those of the file (DWARF 5 section 6.4.1, LSB "Exception Frames").
enum DebugFrames {
  /// The entries of `section` for code that was loaded at `bias`; empty when there are none.
  static func exceptionFrames(from section: RawSpan, bias: UInt64) -> [UInt8] {
    let reader = ByteReader(section)
    var result: [UInt8] = []
    var commons: [Int: Int] = [:]
    var position = 0
    // Ends: each entry is at least 4 bytes long.
    while let length = reader.value(at: position, as: UInt32.self), length >= 4,
      length < 0xffff_fff0, Int(length) <= reader.count - position - 4
    {
      let next = position + 4 + Int(length)
      let body = section.extracting(position + 8..<next)
      if reader.value(at: position + 4, as: UInt32.self) == .max {
        let at = result.count
        if append(common: body, to: &result) { commons[position] = at }
      } else if let pointer = reader.value(at: position + 4, as: UInt32.self),
        let common = commons[Int(pointer)]
      {
        append(description: body, of: common, bias: bias, to: &result)
      }
      position = next
    }
    return result + [0, 0, 0, 0]
  }

  private static func append(common body: RawSpan, to result: inout [UInt8]) -> Bool {
    let reader = ByteReader(body)
    // An augmentation is only known for `.eh_frame`.
    guard let version = reader.value(at: 0, as: UInt8.self), [1, 3, 4].contains(version),
      reader.value(at: 1, as: UInt8.self) == 0
    else { return false }
    var rest = 2
    if version == 4 {
      // The sizes of an address and of a segment selector, which version 3 has not.
      guard reader.value(at: 2, as: UInt16.self) == 0x0008 else { return false }
      rest = 4
    }
    var entry: [UInt8] = [0, 0, 0, 0, version == 1 ? 1 : 3, 0]
    entry += bytes(of: body, from: rest)
    append(entry, to: &result)
    return true
  }

  private static func append(
    description body: RawSpan, of common: Int, bias: UInt64, to result: inout [UInt8]
  ) {
    // Code that the linker dropped starts at 0.
    guard let start = ByteReader(body).value(at: 0, as: UInt64.self), start != 0 else { return }
    let pointer = UInt32(truncatingIfNeeded: result.count + 4 - common)
    append(
      littleEndian(pointer) + littleEndian(start &+ bias) + bytes(of: body, from: 8), to: &result)
  }

  private static func append(_ entry: [UInt8], to result: inout [UInt8]) {
    result += littleEndian(UInt32(truncatingIfNeeded: entry.count)) + entry
  }

  private static func bytes(of body: RawSpan, from start: Int) -> [UInt8] {
    body.withUnsafeBytes { [UInt8]($0.dropFirst(start)) }
  }

  private static func littleEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { [UInt8]($0) }
  }
}
