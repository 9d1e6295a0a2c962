internal import ByteReading

/// The sections that line tables and their strings are in.
final class DebugSections {
  // The pointers are good as long as the session.
  private let session: DwarfSession
  private let lineContent: UnsafeRawBufferPointer
  private let lineStrings: UnsafeRawBufferPointer
  private let strings: UnsafeRawBufferPointer
  init(_ session: DwarfSession) {
    self.session = session
    lineContent = session.content(of: "line")
    lineStrings = session.content(of: "line_str")
    strings = session.content(of: "str")
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
