internal import ByteReading
package import ProfileModel

extension GoFunctionTable {
  /// The functions and lines of an address, the innermost inlined function first; empty where the table
  /// says nothing.
  package func lines(at address: FileAddress, in bytes: RawSpan) -> [SourceLine] {
    guard let function = function(containing: address, in: bytes) else { return [] }
    let reader = ByteReader(bytes.extracting(table))
    var walk = LineWalk(self, function, reader, at: address)
    var lines: [SourceLine] = []
    if let functionData, let tree = inlinedCalls(of: function, reader) {
      let calls = ByteReader(bytes.extracting(functionData))
      // No function is inlined into as many; a torn tree may lead back to itself.
      for _ in 0..<Self.inlineLimit {
        guard let index = walk.inlinedCall, index >= 0,
          let call = InlinedCall(calls, at: tree, index: index, form),
          let name = name(at: call.name, reader)
        else { break }
        lines.append(
          SourceLine(function: name, file: walk.file, line: walk.line, isInlined: true))
        walk.enterCaller(call, self, reader)
      }
    }
    guard let name = name(of: function, in: bytes) else { return [] }
    lines.append(SourceLine(function: name, file: walk.file, line: walk.line))
    return lines
  }

  private static let inlineLimit = 64

  /// Where the calls that were inlined into a function are, from the start of `functionData`.
  private func inlinedCalls(of function: Function, _ reader: borrowing ByteReader) -> Int? {
    guard let tables = reader.value(at: function.record + 28, as: UInt32.self), tables < 64,
      let count = reader.value(at: function.record + form.kindOffset + 3, as: UInt8.self),
      count > Self.inlineTree
    else { return nil }
    let place = function.record + form.kindOffset + 4 + (Int(tables) + Self.inlineTree) * 4
    guard let offset = reader.value(at: place, as: UInt32.self), offset != .max else { return nil }
    return Int(offset)
  }

  /// FUNCDATA_InlTree and PCDATA_InlTreeIndex.
  private static let inlineTree = 3
  fileprivate static let inlineIndex = 2

  fileprivate func inlineIndex(
    of function: Function, _ reader: borrowing ByteReader
  ) -> UInt32? {
    guard let tables = reader.value(at: function.record + 28, as: UInt32.self),
      tables > UInt32(Self.inlineIndex)
    else { return nil }
    return reader.value(
      at: function.record + form.kindOffset + 4 + Self.inlineIndex * 4, as: UInt32.self)
  }

  /// A path of the unit that the function was compiled in.
  fileprivate func file(
    _ number: Int32, of function: Function, _ reader: borrowing ByteReader
  ) -> String? {
    guard number >= 0, let unit = reader.value(at: function.record + 32, as: UInt32.self),
      let offset = reader.value(
        at: units + (Int(unit) + Int(number)) * 4, as: UInt32.self), offset != .max
    else { return nil }
    let path = reader.string(at: files + Int(offset), limit: Self.nameLimit)
    return path.flatMap { $0.isEmpty ? nil : $0 }
  }
}

/// A call that the compiler put in place of itself (`inlinedCall`).
private struct InlinedCall {
  let name: Int32
  /// What Go 1.18 and 1.19 keep of the place of the call: the next call out, file and line.
  let outer: (index: Int32, file: Int32, line: Int32)?
  /// From the start of the function, of an instruction that belongs to the place of the call.
  let caller: Int32

  init?(
    _ reader: borrowing ByteReader, at tree: Int, index: Int32, _ form: GoFunctionTable.Form
  ) {
    let size = form == .go118 ? 20 : 16
    let start = tree + Int(index) * size
    switch form {
    case .go118:
      guard let parent = reader.value(at: start, as: Int16.self),
        let file = reader.value(at: start + 4, as: Int32.self),
        let line = reader.value(at: start + 8, as: Int32.self),
        let name = reader.value(at: start + 12, as: Int32.self),
        let caller = reader.value(at: start + 16, as: Int32.self)
      else { return nil }
      self.name = name
      self.caller = caller
      outer = (Int32(parent), file, line)
    case .go120:
      guard let name = reader.value(at: start + 4, as: Int32.self),
        let caller = reader.value(at: start + 8, as: Int32.self)
      else { return nil }
      self.name = name
      self.caller = caller
      outer = nil
    }
  }
}

/// The places of one address, from the innermost inlined function outwards.
private struct LineWalk {
  private let function: GoFunctionTable.Function
  private(set) var file: String?
  private(set) var line = 0
  /// The number of the inlined call that the place belongs to; negative for the function's own code.
  private(set) var inlinedCall: Int32?

  init(
    _ table: GoFunctionTable, _ function: GoFunctionTable.Function, _ reader: borrowing ByteReader,
    at address: FileAddress
  ) {
    self.function = function
    move(to: address, table, reader)
  }

  private mutating func move(
    to address: FileAddress, _ table: GoFunctionTable, _ reader: borrowing ByteReader
  ) {
    func value(_ start: UInt32?) -> Int32? {
      start.flatMap { table.value(at: address, of: function, from: $0, reader) }
    }
    file = value(reader.value(at: function.record + 20, as: UInt32.self))
      .flatMap { table.file($0, of: function, reader) }
    line = Int(max(0, value(reader.value(at: function.record + 24, as: UInt32.self)) ?? 0))
    inlinedCall = value(table.inlineIndex(of: function, reader))
  }

  mutating func enterCaller(
    _ call: InlinedCall, _ table: GoFunctionTable, _ reader: borrowing ByteReader
  ) {
    if let outer = call.outer {
      file = table.file(outer.file, of: function, reader)
      line = Int(max(0, outer.line))
      inlinedCall = outer.index
    } else {
      let address = function.start.rawValue &+ UInt64(bitPattern: Int64(call.caller))
      move(to: FileAddress(address), table, reader)
    }
  }
}
