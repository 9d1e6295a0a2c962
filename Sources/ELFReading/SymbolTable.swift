internal import ByteReading
package import ProfileModel

/// A function or variable of an ELF image, as its symbol table names it.
package struct Symbol: Hashable, Sendable {
  /// As the linker knows it: mangled, with a version such as `@@GLIBC_2.14` where the table has one.
  package let name: String
  package let start: FileAddress
  /// In bytes; 0 where the table does not say, as for hand-written assembly.
  package let size: UInt64

  package init(name: String, start: FileAddress, size: UInt64) {
    self.name = name
    self.start = start
    self.size = size
  }
}

/// The functions, or the variables, of an ELF image in the order of their addresses.
///
/// Made in one pass over `.symtab` and `.dynsym` and a radix sort (8 bytes for each function, no
/// strings); a look-up is a binary search and reads the name from the image's bytes. What does not
/// fit into the bytes is left out.
package struct SymbolTable: Sendable {
  /// What a table holds.
  package enum Content: Sendable { case functions, variables }

  /// A symbol table of the file.
  struct Source: Sendable {
    let symbols: ELFFile.SymbolSection
    /// What its first symbol is called in the keys.
    let firstIndex: Int
  }

  private let sources: [Source]
  /// Addresses in the keys count from here.
  private let base: UInt64
  /// Offset from `base` in the upper half, number of the symbol in the lower half; sorted.
  private let keys: [UInt64]
  /// The sections with code, by address: what has no size ends with its own.
  private let codeSections: [Range<FileAddress>]

  /// Indexes the functions, or variables, of `file`, whose content is `bytes`.
  package init(_ file: ELFFile, bytes: RawSpan, content: Content = .functions) {
    let base =
      file.segments.filter { $0.type == ELFFile.Segment.load }
      .map(\.address.rawValue).min() ?? 0
    let isCode = file.sections.map { $0.flags & SymbolEntry.executableSection != 0 }
    var sources: [Source] = []
    var keys: [UInt64] = []
    for section in file.sections
    where section.type == SymbolEntry.fullTable || section.type == SymbolEntry.dynamicTable {
      guard let source = Self.source(section, of: file, bytes, after: sources.last) else {
        continue
      }
      sources.append(source)
      Self.appendKeys(
        of: source, in: bytes, base: base, isCode: content == .functions ? isCode : nil, to: &keys)
    }
    self.sources = sources
    self.base = base
    self.keys = sortedByUpperHalf(keys)
    codeSections =
      file.sections.compactMap { section in
        let (end, overflow) = section.address.rawValue.addingReportingOverflow(section.size)
        return section.flags & SymbolEntry.executableSection == 0 || overflow
          ? nil : section.address..<FileAddress(end)
      }
      .sorted { $0.lowerBound < $1.lowerBound }
  }

  /// The number of symbols, aliases counted one by one.
  package var count: Int { keys.count }

  private static func source(
    _ section: ELFFile.Section, of file: ELFFile, _ bytes: RawSpan, after last: Source?
  ) -> Source? {
    guard let symbols = file.symbols(of: section, fileSize: bytes.byteCount) else { return nil }
    let firstIndex = last.map { $0.firstIndex + $0.symbols.count } ?? 0
    // A symbol's number must fit into half of a key.
    guard firstIndex + symbols.count <= Int(UInt32.max) else { return nil }
    return Source(symbols: symbols, firstIndex: firstIndex)
  }

  private static func appendKeys(
    of source: Source, in bytes: RawSpan, base: UInt64, isCode: [Bool]?, to keys: inout [UInt64]
  ) {
    let table = bytes.extracting(source.symbols.entries)
    let strings = ByteReader(bytes.extracting(source.symbols.strings))
    for index in 0..<source.symbols.count {
      let entry = SymbolEntry(table, at: index)
      guard isCode.map({ entry.isFunction(isCode: $0) }) ?? entry.isVariable else { continue }
      let offset = entry.address.rawValue &- base
      guard offset <= UInt64(UInt32.max), !entry.isMappingSymbol(strings) else { continue }
      keys.append(offset << 32 | UInt64(source.firstIndex + index))
    }
  }

  /// The function or variable that covers `address`; `bytes` are those that the table was made from.
  ///
  /// The innermost one by size; where none covers it, the nearest one before it in its section that has
  /// no size. Of several names for one place: functions before plain labels, then global before weak before
  /// local, then the one with the fewest leading underscores, then the shortest.
  package func symbol(containing address: FileAddress, in bytes: RawSpan) -> Symbol? {
    let offset = address.rawValue &- base
    guard address.rawValue >= base, offset <= UInt64(UInt32.max) else { return nil }
    var end = upperBound(of: offset)
    var unsized: Candidate?
    // Functions seldom nest; the bound keeps a hostile table from making every look-up linear.
    for step in 0..<64 {
      guard end > 0 else { break }
      let start = firstKey(atSamePlaceAs: end - 1)
      if let found = best(of: start..<end, covering: address, in: bytes) {
        return found.symbol
      }
      if step == 0 { unsized = best(of: start..<end, covering: nil, in: bytes) }
      end = start
    }
    guard let symbol = unsized?.symbol, areInOneSection(symbol.start, address) else { return nil }
    return symbol
  }

  /// Where nothing is known of sections, yes.
  private func areInOneSection(_ start: FileAddress, _ address: FileAddress) -> Bool {
    let end = codeSections.partitioningIndex { $0.lowerBound > address }
    return end == 0 || codeSections[end - 1].lowerBound <= start
  }

  /// The number of keys whose address is at most `offset`.
  private func upperBound(of offset: UInt64) -> Int {
    keys.partitioningIndex { $0 >> 32 > offset }
  }

  private func firstKey(atSamePlaceAs index: Int) -> Int {
    var first = index
    while first > 0, index - first < 256, keys[first - 1] >> 32 == keys[index] >> 32 { first -= 1 }
    return first
  }

  /// The best name of those at one address that cover `address`; of those without a size if nil.
  private func best(
    of range: Range<Int>, covering address: FileAddress?, in bytes: RawSpan
  ) -> Candidate? {
    var best: Candidate?
    for key in keys[range] {
      let index = Int(truncatingIfNeeded: key & 0xffff_ffff)
      guard let source = sources.last(where: { $0.firstIndex <= index }),
        source.symbols.entries.upperBound <= bytes.byteCount,
        source.symbols.strings.upperBound <= bytes.byteCount
      else { continue }
      let entry = SymbolEntry(
        bytes.extracting(source.symbols.entries), at: index - source.firstIndex)
      if let address {
        guard address.rawValue &- entry.address.rawValue < entry.length else { continue }
      } else {
        guard entry.length == 0 else { continue }
      }
      let strings = ByteReader(bytes.extracting(source.symbols.strings))
      guard let name = strings.string(at: Int(entry.name)), !name.isEmpty else { continue }
      let candidate = Candidate(entry, name: name)
      if best.map({ candidate.isBetter(than: $0) }) ?? true { best = candidate }
    }
    return best
  }
}

extension SymbolTable {
  /// A symbol with what decides between several at one place.
  private struct Candidate {
    let symbol: Symbol
    private let rank: Int
    private let underscores: Int

    init(_ entry: SymbolEntry, name: String) {
      symbol = Symbol(name: name, start: entry.address, size: entry.length)
      rank = entry.rank
      underscores = name.utf8.prefix { $0 == UInt8(ascii: "_") }.count
    }

    func isBetter(than other: Candidate) -> Bool {
      let mine = (rank, underscores, symbol.name.utf8.count)
      let others = (other.rank, other.underscores, other.symbol.name.utf8.count)
      return mine == others ? symbol.name < other.symbol.name : mine < others
    }
  }
}

/// Sorts by the upper 32 bits, keeping the order of equals: four passes over the bytes.
func sortedByUpperHalf(_ keys: [UInt64]) -> [UInt64] {
  guard keys.count > 1 else { return keys }
  var from = keys
  var to = [UInt64](repeating: 0, count: keys.count)
  for shift in stride(from: UInt64(32), to: 64, by: 8) {
    var starts = [Int](repeating: 0, count: 257)
    for key in from { starts[Int(key >> shift & 0xff) + 1] += 1 }
    // All in one bucket: nothing to move, as for the top byte of nearly every image.
    guard !starts.contains(keys.count) else { continue }
    for bucket in 1...256 { starts[bucket] += starts[bucket - 1] }
    for key in from {
      let bucket = Int(key >> shift & 0xff)
      to[starts[bucket]] = key
      starts[bucket] += 1
    }
    swap(&from, &to)
  }
  return from
}
