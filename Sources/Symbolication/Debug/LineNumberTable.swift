internal import ProfileModel

/// Which file and line each piece of a unit's code comes from (DWARF 5, section 6.2; versions 2 to 5).
///
/// Decoded here, and not by libdw: its `dwarf_getsrclines` takes several times as long, which was most
/// of what the names of a capture took.
struct LineNumberTable {
  /// From `address` up to the next row, or to the end of the sequence.
  struct Row {
    let address: FileAddress
    let file: UInt32
    /// 0 for code that the compiler made up.
    let line: UInt32
  }

  /// Rows that follow one another without a gap.
  struct Sequence {
    let low: FileAddress
    let high: FileAddress
    let rows: Range<Int>
  }

  private let rows: [Row]
  /// In ascending order of `low`.
  private let sequences: [Sequence]
  let files: LineFiles

  /// The table at an offset of `.debug_line`; nil where it cannot be read.
  ///
  /// `directory` is where the unit was compiled. Code outside the image's is of functions that the linker
  /// dropped, and is left out.
  ///
  /// Takes the rows that are made off `budget`, and stops there.
  init?(
    _ sections: DebugSections, at offset: UInt64, directory: String?, code: CodeRanges,
    budget: inout Int
  ) {
    guard let header = LineHeader(sections, at: offset) else { return nil }
    files = LineFiles(header, sections: sections, directory: directory)
    var program = LineProgram(header.program, budget: budget)
    defer { budget = program.budget }
    var found: [Sequence] = []
    program.run(sections.line, from: header.begin, until: header.end) { rows, low, high in
      guard low < high, code.contains(low) else { return false }
      found.append(Sequence(low: low, high: high, rows: rows))
      return true
    }
    rows = program.rows
    sequences = found.sorted { $0.low < $1.low }
  }

  /// The file's number and the line of `address`; nil where the table knows none.
  ///
  /// Code that the compiler made up gets the line of the nearest row before it which belongs to the
  /// same function, by `scope`.
  func place(
    at address: FileAddress, scope: (FileAddress) -> UInt64?
  ) -> (file: UInt32, line: Int)? {
    guard let sequence = sequence(around: address) else { return nil }
    let range = sequence.rows
    let index = rows[range].partitioningIndex { $0.address > address } - 1
    guard index >= range.lowerBound else { return nil }
    let row = rows[index]
    guard row.line == 0 else { return (row.file, Int(row.line)) }
    let innermost = scope(address)
    for earlier in rows[max(range.lowerBound, index - 64)..<index].reversed()
    where earlier.line != 0 && scope(earlier.address) == innermost {
      return (earlier.file, Int(earlier.line))
    }
    return (row.file, 0)
  }

  private func sequence(around address: FileAddress) -> Sequence? {
    var end = sequences.partitioningIndex { $0.low > address }
    // They overlap only where the linker folded equal functions; the bound is for bad data.
    for _ in 0..<16 where end > 0 {
      end -= 1
      if address < sequences[end].high { return sequences[end] }
    }
    return nil
  }
}
