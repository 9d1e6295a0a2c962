internal import ByteReading

/// The sections that line tables and their strings are in.
final class DebugSections {
  // The pointers are good as long as the session.
  private let session: DwarfSession
  private let lineContent: UnsafeRawBufferPointer
  private let lineStrings: UnsafeRawBufferPointer
  private let strings: UnsafeRawBufferPointer
  private var tables: [UInt64: LineNumberTable?] = [:]
  /// Half a gigabyte of them: bad data may name one long program at many offsets.
  private var rowsLeft = 1 << 25

  init(_ session: DwarfSession) {
    self.session = session
    lineContent = session.content(of: "line")
    lineStrings = session.content(of: "line_str")
    strings = session.content(of: "str")
  }

  /// The line table at an offset, which several units may share; made once.
  func lineTable(at offset: UInt64, directory: String?, code: CodeRanges) -> LineNumberTable? {
    if let known = tables[offset] { return known }
    let table = LineNumberTable(
      self, at: offset, directory: directory, code: code, budget: &rowsLeft)
    tables[offset] = table
    return table
  }

  /// `.debug_line`.
  var line: RawSpan {
    @_lifetime(borrow self)
    get { span(lineContent) }
  }

  func string(_ place: StringPlace) -> String? {
    switch place {
    case .line(let offset): ByteReader(span(lineContent)).string(at: offset)
    case .lineStr(let offset): ByteReader(span(lineStrings)).string(at: offset)
    case .str(let offset): ByteReader(span(strings)).string(at: offset)
    }
  }

  @_lifetime(borrow self)
  private func span(_ content: UnsafeRawBufferPointer) -> RawSpan {
    _overrideLifetime(RawSpan(_unsafeBytes: content), borrowing: self)
  }
}
