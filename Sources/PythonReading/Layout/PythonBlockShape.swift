internal import LinuxProcess
internal import ProfileModel

/// How a version keeps what ends the blocks that a frame is in: `with`, `for`, `try`.
///
/// It is on the frame's own stack. What is above belongs to the expression in progress, or is left from
/// earlier.
enum PythonBlockShape: Sendable {
  /// Up to 3.10: where the frame points to its stack, and lists its blocks.
  case blocks(stack: Int, count: Int, list: Int)
  /// Then: where the frame's variables begin, which the stack follows, and where its code has their
  /// number and the table of handlers.
  case handlers(locals: Int, localCount: Int, table: Int)

  init?(_ layout: PythonLayout) {
    if let stack = layout[.frameValueStack], let count = layout[.frameBlockCount],
      let list = layout[.frameBlocks]
    {
      self = .blocks(stack: stack, count: count, list: list)
    } else if let locals = layout[.frameLocals], let localCount = layout[.codeLocalCount],
      let table = layout[.codeHandlers]
    {
      self = .handlers(locals: locals, localCount: localCount, table: table)
    } else {
      return nil
    }
  }

  // A PyTryBlock: three numbers, of which the last is the height of the stack. A frame has at most 20
  // (CO_MAXBLOCKS).
  static let blockSize = 12
  static let blockLevel = 8
  static let mostBlocks = 20
}

/// A `co_exceptiontable` (Objects/exception_handling_notes.txt), from 3.11 on: what runs where an
/// exception is raised in a part of the code.
struct PythonHandlerTable {
  let bytes: ArraySlice<UInt8>

  /// Larger ones are not read.
  static let limit = 1 << 16

  /// How much of the frame's stack the innermost handler of a code unit keeps; nil without one.
  func depth(at unit: Int32) -> Int? {
    var rest = bytes
    while !rest.isEmpty {
      guard let start = Self.number(&rest), let size = Self.number(&rest),
        Self.number(&rest) != nil, let depth = Self.number(&rest)
      else { return nil }
      if start > unit { return nil }
      // The lowest bit says whether the handler wants the instruction, too.
      if unit - start < size { return Int(depth >> 1) }
    }
    return nil
  }

  /// Six bits a byte, the highest first; bit 6 says that more follow.
  private static func number(_ bytes: inout ArraySlice<UInt8>) -> Int32? {
    var result: Int32 = 0
    for _ in 0..<5 {
      guard let byte = bytes.popFirst() else { return nil }
      guard result < 1 << 24 else { return nil }
      result = result << 6 | Int32(byte & 0x3f)
      if byte & 0x40 == 0 { return result }
    }
    return nil
  }
}
