internal import ByteReading
package import ProfileModel

/// Where glibc's loader counts the libraries that it loads, in its own file.
///
/// The counters are those that dl_iterate_phdr(3) gives out. No symbol has their addresses: they are
/// fields of `_rtld_global`, and found by what is around them.
package struct LoaderCounters: Sendable {
  /// `_dl_load_adds`, of 8 bytes: how many libraries were ever loaded.
  package let loads: FileAddress
  /// `_ns_nloaded` of the first namespace, of 4 bytes: how many are there.
  package let present: FileAddress
  /// `r_state` of the debuggers' record, of 4 bytes: 0 unless a library is just being mapped or unmapped
  /// (link.h).
  package let state: FileAddress

  private static let symbol = "_rtld_global"
  private static let debugSymbol = "_r_debug"
  /// Of `r_state` in `struct r_debug`.
  private static let stateOffset: UInt64 = 24
  /// A `pthread_mutex_t`.
  private static let lockSize = 40

  /// Nil where `file`, whose content is `bytes`, is no such loader.
  package init?(_ file: ELFFile, bytes: RawSpan) {
    guard let table = Self.place(of: Self.symbol, in: file, bytes),
      let debug = Self.place(of: Self.debugSymbol, in: file, bytes),
      debug.upperBound.rawValue - debug.lowerBound.rawValue >= Self.stateOffset + 4,
      let segment = file.segments.first(where: {
        $0.type == ELFFile.Segment.load && $0.address <= table.lowerBound
          && table.lowerBound.rawValue - $0.address.rawValue < $0.fileSize
      }), let range = file.bytes(of: segment, fileSize: bytes.byteCount)
    else { return nil }
    let first = range.lowerBound + Int(table.lowerBound.rawValue - segment.address.rawValue)
    let size = min(
      Int(clamping: table.upperBound.rawValue - table.lowerBound.rawValue), range.upperBound - first
    )
    guard let offset = Self.offset(in: ByteReader(bytes.extracting(first..<first + size))) else {
      return nil
    }
    loads = FileAddress(table.lowerBound.rawValue + UInt64(offset))
    present = FileAddress(table.lowerBound.rawValue + 8)
    state = FileAddress(debug.lowerBound.rawValue + Self.stateOffset)
  }

  private static func place(
    of symbol: String, in file: ELFFile, _ bytes: RawSpan
  ) -> Range<FileAddress>? {
    guard let section = file.sections.first(where: { $0.type == SymbolEntry.dynamicTable }),
      let symbols = file.symbols(of: section, fileSize: bytes.byteCount)
    else { return nil }
    let table = bytes.extracting(symbols.entries)
    let strings = ByteReader(bytes.extracting(symbols.strings))
    // A loader has some forty.
    for index in 0..<min(symbols.count, 4096) {
      let entry = SymbolEntry(table, at: index)
      guard entry.length < 1 << 16, strings.string(at: Int(entry.name), limit: 32) == symbol
      else { continue }
      let (end, overflow) = entry.address.rawValue.addingReportingOverflow(entry.length)
      return overflow ? nil : entry.address..<FileAddress(end)
    }
    return nil
  }

  /// The counter comes behind the number of namespaces, of which there is one, and two or three recursive
  /// locks (glibc, `struct rtld_global`); nil where that is at no place, or at several.
  private static func offset(in table: borrowing ByteReader) -> Int? {
    var found: Int?
    for start in stride(from: 0, to: table.count - 8, by: 8)
    where table.value(at: start, as: UInt64.self) == 1 {
      var end = start + 8
      while isLock(at: end, in: table) { end += lockSize }
      let locks = (end - start - 8) / lockSize
      guard locks == 2 || locks == 3, table.value(at: end, as: UInt64.self) == 0 else { continue }
      guard found == nil else { return nil }
      found = end
    }
    return found
  }

  /// Whether a free PTHREAD_MUTEX_RECURSIVE is there.
  private static func isLock(at offset: Int, in table: borrowing ByteReader) -> Bool {
    for word in 0..<lockSize / 4 {
      guard table.value(at: offset + word * 4, as: UInt32.self) == (word == 4 ? 1 : 0) else {
        return false
      }
    }
    return true
  }
}
