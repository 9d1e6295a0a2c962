/// The line tables of a file that were read.
///
/// Apart from the sections: the tables keep those alive, for the names of their files.
final class LineTables {
  private let sections: DebugSections
  private var tables: [UInt64: LineNumberTable?] = [:]
  /// Half a gigabyte of them: bad data may name one long program at many offsets.
  private var rowsLeft = 1 << 25

  init(_ session: DwarfSession) { sections = DebugSections(session) }

  /// The table at an offset, which several units may share; made once.
  func table(at offset: UInt64, directory: String?, code: CodeRanges) -> LineNumberTable? {
    if let known = tables[offset] { return known }
    let table = LineNumberTable(
      sections, at: offset, directory: directory, code: code, budget: &rowsLeft)
    tables[offset] = table
    return table
  }
}
