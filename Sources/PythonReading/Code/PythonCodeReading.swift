internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// Reads code objects out of copies: what is still to be copied of one, and its function.
struct PythonCodeReading {
  private let shape: PythonCodeShape
  private let strings: PythonStringShape
  /// Of a `bytes` object.
  private let count: Int
  private let content: Int
  /// How much the lines of one stack's functions that were not known may still take.
  private var newLinesLeft = newLinesLimit

  private static let newLinesLimit = 4 << 20
  /// What a copy takes of an object whose size is not known yet.
  private static let firstRead = 256
  /// Of a line table more than this is not read; its last lines are unknown then.
  private static let lineTableLimit = 1 << 18
  /// More than the names before 3.12 need to differ.
  private static let nameSpan = 96
  /// The same of files, whose paths may differ at their ends alone.
  private static let fileSpan = 320
  /// The same of line tables.
  private static let tableSpan = 512

  init(_ runtime: PythonRuntime) {
    shape = runtime.codes
    strings = runtime.strings
    count = runtime.objects.count
    content = runtime.objects.bytesContent
  }

  /// Begins to read the functions of a stack.
  mutating func begin() { newLinesLeft = Self.newLinesLimit }

  // MARK: - What to copy

  func recordRange(of code: RemoteAddress) -> MemoryRange {
    MemoryRange(start: code + shape.first, count: shape.span)
  }

  /// What is still to be copied of the objects that a record refers to.
  func missing(
    for identity: PythonCodeShape.Identity, in copies: MemoryCopies
  ) -> [MemoryRange] {
    missingString(identity.name, in: copies) + missingString(identity.filename, in: copies)
      + missingTable(identity.lineTable, in: copies)
  }

  private func missingString(_ address: RemoteAddress, in copies: MemoryCopies) -> [MemoryRange] {
    guard copies.offset(of: address, count: strings.headerSize) != nil else {
      return [beginning(of: address)]
    }
    guard let header = strings.header(copies, at: address) else { return [] }
    return missing(address, count: header.dataOffset + header.byteCount, in: copies)
  }

  private func missingTable(_ address: RemoteAddress, in copies: MemoryCopies) -> [MemoryRange] {
    guard let size = tableSize(address, in: copies) else {
      let isThere = copies.word(at: address + count) != nil
      return isThere ? [] : [beginning(of: address)]
    }
    return missing(address, count: content + size, in: copies)
  }

  private func missing(
    _ address: RemoteAddress, count: Int, in copies: MemoryCopies
  ) -> [MemoryRange] {
    let range = MemoryRange(start: address, count: count)
    return copies.holds(range) ? [] : [range]
  }

  /// The first bytes of an object, not beyond its page unless its header is.
  private func beginning(of address: RemoteAddress) -> MemoryRange {
    let rest = Int(4096 - address.rawValue % 4096)
    let header = strings.headerSize
    return MemoryRange(
      start: address, count: rest < header ? header : min(rest, Self.firstRead))
  }

  private func tableSize(_ address: RemoteAddress, in copies: MemoryCopies) -> Int? {
    guard let size = copies.value(at: address + count, as: Int64.self), size >= 0 else {
      return nil
    }
    return Int(min(size, Int64(Self.lineTableLimit)))
  }

  // MARK: - Functions

  /// The function of a code object with this record; nil when its names are not there.
  ///
  /// `hasLines` is false where the line table is not there, or there was too much of such today.
  mutating func function(
    _ identity: PythonCodeShape.Identity, in copies: MemoryCopies
  ) -> (function: RuntimeFunction, hasLines: Bool)? {
    guard let name = string(identity.name, in: copies),
      let file = string(identity.filename, in: copies)
    else { return nil }
    let lines = lines(of: identity, in: copies)
    let function = RuntimeFunction(
      name: name, file: file, firstLine: identity.firstLine, lines: lines ?? RuntimeLineTable())
    return (function, lines != nil)
  }

  private func string(_ address: RemoteAddress, in copies: MemoryCopies) -> String? {
    strings.header(copies, at: address).flatMap { strings.text(copies, at: address, $0) }
  }

  private mutating func lines(
    of identity: PythonCodeShape.Identity, in copies: MemoryCopies
  ) -> RuntimeLineTable? {
    guard newLinesLeft > 0, let size = tableSize(identity.lineTable, in: copies),
      let bytes = copies.bytes(at: identity.lineTable + content, count: size)
    else { return nil }
    let table = RuntimeLineTable(
      bytes, firstLine: identity.firstLine, format: shape.lineFormat)
    newLinesLeft -= size + table.byteCount
    return table
  }

  /// What tells the code object with this record from a later one at its place.
  func entry(
    _ identity: PythonCodeShape.Identity, _ generation: PythonCodeGeneration?,
    in copies: MemoryCopies
  ) -> PythonCodeEntry {
    let size = content + (tableSize(identity.lineTable, in: copies) ?? 0)
    return PythonCodeEntry(
      identity: identity, name: mark(of: identity.name, atMost: Self.nameSpan, in: copies),
      file: mark(of: identity.filename, atMost: Self.fileSpan, in: copies),
      table: PythonObjectMark(
        at: identity.lineTable, count: min(Self.tableSpan, size), in: copies),
      interpreter: generation?.interpreter, generation: generation)
  }

  private func mark(
    of address: RemoteAddress, atMost limit: Int, in copies: MemoryCopies
  ) -> PythonObjectMark {
    let header = strings.header(copies, at: address)
    let count = header.map { min(limit, $0.dataOffset + $0.byteCount) } ?? 0
    return PythonObjectMark(at: address, count: count, in: copies)
  }
}
