internal import ELFReading
internal import ProfileModel

/// Turns the frame sizes of Go's functions (`.gopclntab`) into the form of `.eh_frame`.
///
/// A program of Go has no `.eh_frame`, its `.debug_frame` is mostly compressed, and a stripped one has none;
/// but the runtime itself needs the sizes, so that they are always there. Without them the caller of a
/// function without a frame of its own would be missed.
enum GoFrames {
  /// What all entries together may take of our memory.
  private static let byteLimit = 256 << 20
  private static let rowLimit = 4096

  /// The entries of all functions, for code that was loaded at `bias`; empty when there are none.
  static func exceptionFrames(
    from table: GoFunctionTable, in bytes: RawSpan, bias: UInt64
  ) -> [UInt8] {
    // Version 1, no augmentation, code alignment 1, data alignment -8, return address column 16; the
    // frame begins right above the return address.
    var result: [UInt8] = [20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0x78, 16]
    result += [0x0c, 7, 8, 0x90, 1, 0, 0, 0, 0, 0, 0]
    var isAfterSwitch = false
    for index in 0..<table.count where result.count < byteLimit {
      guard let function = table.function(at: index, in: bytes) else { continue }
      // The byte before it stands for a call, too; the entry of the function before ends there.
      let isSwitch =
        isAfterSwitch && table.name(of: function, in: bytes) == GoFunctionTable.switchName
      let early: UInt64 = isSwitch ? 1 : 0
      isAfterSwitch = table.traits(of: function, in: bytes).contains(.switchesStack)
      var rules = FrameRules(bytes: [])
      table.addRules(of: function, in: bytes, to: &rules, limit: rowLimit)
      let length = function.code.upperBound.rawValue - function.start.rawValue
      while rules.bytes.count % 8 != 4 { rules.bytes.append(0) }
      append(UInt32(truncatingIfNeeded: 20 + rules.bytes.count), to: &result)
      append(UInt32(truncatingIfNeeded: result.count), to: &result)
      append(function.start.rawValue &+ bias &- early, to: &result)
      append(isAfterSwitch ? length - 1 : length + early, to: &result)
      result += rules.bytes
    }
    return result + [0, 0, 0, 0]
  }

  private static func append<T: FixedWidthInteger>(_ value: T, to bytes: inout [UInt8]) {
    for shift in 0..<T.bitWidth / 8 {
      bytes.append(UInt8(truncatingIfNeeded: value >> T(shift * 8)))
    }
  }
}

extension GoFunctionTable {
  /// Adds what the frames of a function look like.
  fileprivate func addRules(
    of function: Function, in bytes: RawSpan, to rules: inout FrameRules, limit: Int
  ) {
    let traits = traits(of: function, in: bytes)
    if traits.contains(.isOutermost) { return rules.end() }
    var isOnOtherStack = false
    if traits.contains(.switchesStack) {
      switch name(of: function, in: bytes) {
      // Leaves a goroutine for good; what it calls is the scheduler's own.
      case "runtime.mcall": return rules.end()
      // Builds a frame as if the call into C had called it.
      case "runtime.cgocallback": break
      // Their callers are on a goroutine's stack.
      case "runtime.asmcgocall", "runtime.systemstack", "runtime.morestack", "runtime.gogo":
        return rules.giveUp()
      default: isOnOtherStack = true
      }
    }
    var last = function.start
    var count = 0
    forEachFrameSize(of: function, in: bytes) { size, start in
      count += 1
      if start.rawValue > last.rawValue { rules.advance(by: start.rawValue - last.rawValue) }
      last = start
      if isOnOtherStack { rules.setSwitched(size: size) } else { rules.set(size: size) }
      return count < limit
    }
    if isOnOtherStack, count == 0 { rules.giveUp() }
  }
}

/// The instructions of one entry (DWARF 5 section 6.4.2).
private struct FrameRules {
  var bytes: [UInt8]
  private var keepsFramePointer = false

  init(bytes: [UInt8]) { self.bytes = bytes }

  /// Nothing called the function: its return address is undefined.
  mutating func end() { bytes += [0x07, 16] }

  /// What no reader understands: the caller is not known.
  mutating func giveUp() { bytes += [0x3f] }

  mutating func advance(by distance: UInt64) {
    switch distance {
    case 0..<64: bytes.append(0x40 | UInt8(distance))
    case 64..<256: bytes += [0x02, UInt8(distance)]
    default:
      bytes.append(0x04)
      for shift in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: distance >> UInt64(shift * 8))) }
    }
  }

  /// So many bytes are in use below the return address.
  mutating func set(size: Int) {
    bytes.append(0x0e)
    appendLEB128(UInt64(size) &+ 8)
    // The caller's frame pointer is the first word of a frame, if there is any.
    if size >= 8, !keepsFramePointer {
      bytes += [0x86, 2]
    } else if size < 8, keepsFramePointer {
      bytes += [0x08, 6]
    }
    keepsFramePointer = size >= 8
  }

  /// The same where the stack pointer is of another stack: a function with a frame has a frame pointer, and
  /// of the others the caller is not known.
  mutating func setSwitched(size: Int) {
    guard size >= 8 else { return bytes += [0x3f] }
    bytes += [0x0c, 6, 16, 0x86, 2]
  }

  private mutating func appendLEB128(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
