import ELFReading
import LinuxProcess
import ProfileModel
import Testing

@Suite struct `Symbol table` {
  @Test func `finds the function whose size covers an address`() throws {
    let image = Image([.function("one", 0x1000, 16), .function("two", 0x1020, 8)])
    #expect(try image.name(at: 0x1000) == "one")
    #expect(try image.name(at: 0x100f) == "one")
    #expect(try image.name(at: 0x1010) == nil)
    #expect(try image.name(at: 0x1027) == "two")
    #expect(try image.name(at: 0x1028) == nil)
    #expect(try image.name(at: 0xfff) == nil)
    #expect(try image.symbol(at: 0x1025)?.start == FileAddress(0x1020))
    #expect(try image.symbol(at: 0x1025)?.size == 8)
  }

  @Test func `prefers functions to labels, then global to weak to local`() throws {
    let image = Image([
      .init("label", 0x1000, 16, type: 0), .init("local", 0x1000, 16, binding: 0),
      .init("weak", 0x1000, 16, binding: 2), .init("strong", 0x1000, 16),
      .init("lonely", 0x1100, 16, type: 0), .init("quick", 0x1200, 16, type: 10, binding: 2),
      .init("quicklabel", 0x1200, 16, type: 0), .init("__read", 0x1300, 16),
      .init("read", 0x1300, 16), .init("read_alias", 0x1300, 16),
    ])
    #expect(try image.name(at: 0x1008) == "strong")
    #expect(try image.name(at: 0x1108) == "lonely")
    #expect(try image.name(at: 0x1208) == "quick")
    #expect(try image.name(at: 0x1308) == "read")
  }

  @Test func `finds the outer function behind a nested one`() throws {
    let image = Image([.function("outer", 0x1000, 64), .function("inner", 0x1010, 16)])
    #expect(try image.name(at: 0x1018) == "inner")
    #expect(try image.name(at: 0x1020) == "outer")
    #expect(try image.name(at: 0x1040) == nil)
  }

  @Test func `lets a label without size reach to the next symbol only`() throws {
    let image = Image([
      .init("start", 0x1000, 0, type: 0), .function("sized", 0x1020, 8),
      .init("within", 0x1024, 0, type: 0),
    ])
    #expect(try image.name(at: 0x101f) == "start")
    #expect(try image.name(at: 0x1026) == "sized")
  }

  @Test func `skips data, undefined and mapping symbols`() throws {
    let image = Image([
      .function("code", 0x1000, 32), .init("$x", 0x1010, 0, type: 0, binding: 0),
      .init("$d.1", 0x1030, 0, type: 0, binding: 0), .init(".L1", 0x1030, 0, type: 0, binding: 0),
      .init("object", 0x1040, 8, type: 1), .init("imported", 0x1050, 8, section: 0),
      .init("table", 0x1060, 8, type: 0, section: 3),
    ])
    #expect(try image.table().count == 1)
    #expect(try image.name(at: 0x1018) == "code")
    #expect(try image.name(at: 0x1030) == nil)
  }

  @Test func `sorts many symbols in any order`() throws {
    let symbols = (0..<5000).map { index in
      let place = UInt64((index * 7919) % 5000)
      return Image.Symbol.function("f\(place)", 0x1000 + place * 8, 8)
    }
    let image = Image(symbols)
    for place in stride(from: UInt64(0), to: 5000, by: 37) {
      #expect(try image.name(at: 0x1000 + place * 8 + 3) == "f\(place)")
    }
  }

  @Test func `survives tables that lie`() throws {
    let good = Image([.function("one", 0x1000, .max), .function("two", .max, 8)])
    #expect(try good.name(at: 0x1fff) == "one")
    for (field, value): (Int, UInt64) in [
      (24, .max), (24, 1 << 40), (32, .max), (32, 25), (40, 0xffff_ffff), (40, 3), (56, 0), (56, 7),
      (56, .max),
    ] {
      var image = good
      image.patch(section: 2, field: field, value)
      let name = try image.name(at: 0x1004)
      #expect(name == nil || name == "one", "field \(field) = \(value)")
    }
  }

  @Test(.enabled(if: areInstalled("nm"), "needs binutils"))
  func `names every function of the C library as nm does`() throws {
    let path = try #require(
      try shell("ldd /bin/sh").split(whereSeparator: \.isWhitespace).first { $0.contains("/libc.") }
    )
    let file = try Fixture.map(String(path))
    let table = SymbolTable(try ELFFile(file.bytes), bytes: file.bytes)
    var aliases: [UInt64: Set<String>] = [:]
    for line in try shell("nm -D -S --defined-only \(path)").split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count == 4, "TWi".contains(fields[2]), let start = UInt64(fields[0], radix: 16)
      else { continue }
      // nm adds the version, which .dynsym keeps elsewhere.
      aliases[start, default: []].insert(String(fields[3].prefix { $0 != "@" }))
    }
    #expect(aliases.count > 1000)
    for (start, names) in aliases {
      let symbol = table.symbol(containing: FileAddress(start), in: file.bytes)
      #expect(symbol.map { names.contains($0.name) } == true, "\(names)")
    }
  }
}

/// A small ELF image with one symbol table.
private struct Image {
  struct Symbol {
    let name: String
    let address: UInt64
    let size: UInt64
    let type: UInt8
    let binding: UInt8
    let section: UInt16

    init(
      _ name: String, _ address: UInt64, _ size: UInt64, type: UInt8 = 2, binding: UInt8 = 1,
      section: UInt16 = 1
    ) {
      self.name = name
      self.address = address
      self.size = size
      self.type = type
      self.binding = binding
      self.section = section
    }

    static func function(_ name: String, _ address: UInt64, _ size: UInt64) -> Symbol {
      Symbol(name, address, size)
    }
  }

  private static let sectionTable = 64
  private var bytes: [UInt8] = []

  init(_ symbols: [Symbol]) {
    var strings: [UInt8] = [0]
    var table = [UInt8](repeating: 0, count: 24)
    for symbol in symbols {
      table += Self.little(UInt32(strings.count)) + [symbol.binding << 4 | symbol.type, 0]
      table += Self.little(symbol.section) + Self.little(symbol.address) + Self.little(symbol.size)
      strings += Array(symbol.name.utf8) + [0]
    }
    // Header, five section headers (none, code, symbols, data, strings), symbols, strings.
    let tableStart = UInt64(Self.sectionTable + 5 * 64)
    bytes = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9)
    bytes += Self.little(UInt16(3)) + Self.little(UInt16(62)) + Self.little(UInt32(1))
    bytes += Self.little(UInt64(0)) + Self.little(UInt64(0)) + Self.little(UInt64(64))
    bytes += Self.little(UInt32(0)) + Self.little(UInt16(64)) + Self.little(UInt16(56))
    bytes += Self.little(UInt16(0)) + Self.little(UInt16(64)) + Self.little(UInt16(5))
    bytes += Self.little(UInt16(0))
    bytes += [UInt8](repeating: 0, count: 64)
    bytes += Self.section(type: 1, flags: 6, offset: 0, size: 0)
    bytes += Self.section(
      type: 2, offset: tableStart, size: UInt64(table.count), link: 4, entrySize: 24)
    bytes += Self.section(type: 1, flags: 3, offset: 0, size: 0)
    bytes += Self.section(
      type: 3, offset: tableStart + UInt64(table.count), size: UInt64(strings.count))
    bytes += table + strings
  }

  private static func section(
    type: UInt32, flags: UInt64 = 0, offset: UInt64, size: UInt64, link: UInt32 = 0,
    entrySize: UInt64 = 0
  ) -> [UInt8] {
    little(UInt32(0)) + little(type) + little(flags) + little(UInt64(0)) + little(offset)
      + little(size) + little(link) + little(UInt32(0)) + little(UInt64(1)) + little(entrySize)
  }

  private static func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> T($0 * 8)) }
  }

  /// Writes over a field of a section header; `link` (at 40) has 4 bytes, the others 8.
  mutating func patch(section: Int, field: Int, _ value: UInt64) {
    let new = field == 40 ? Self.little(UInt32(truncatingIfNeeded: value)) : Self.little(value)
    let start = Self.sectionTable + section * 64 + field
    bytes.replaceSubrange(start..<start + new.count, with: new)
  }

  func table() throws -> SymbolTable {
    let file = MappedFile(copying: bytes)
    return SymbolTable(try ELFFile(file.bytes), bytes: file.bytes)
  }

  func symbol(at address: UInt64) throws -> ELFReading.Symbol? {
    let file = MappedFile(copying: bytes)
    let table = SymbolTable(try ELFFile(file.bytes), bytes: file.bytes)
    return table.symbol(containing: FileAddress(address), in: file.bytes)
  }

  func name(at address: UInt64) throws -> String? { try symbol(at: address)?.name }
}
