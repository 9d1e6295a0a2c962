internal import ByteReading
internal import ProfileModel

/// The machine that makes a line table's rows (DWARF 5, section 6.2.2).
struct LineProgram {
  /// What a table's header says of its opcodes.
  struct Shape {
    fileprivate let unit: UInt64
    fileprivate let lineRange: UInt32
    /// By how much each special opcode advances address and line: the division that gives it is most of
    /// what such an opcode takes.
    fileprivate var advances: [(address: UInt64, line: Int64)] = []
    /// The first special opcode.
    fileprivate let base: UInt8
    /// How many numbers follow each standard opcode, from 1 on.
    fileprivate var operands: [UInt8] = []

    /// Reads it; nil for machines whose instructions come in bundles.
    init?(_ reader: inout ByteReader, version: UInt16) {
      guard let unit = reader.next(UInt8.self) else { return nil }
      if version >= 4 {
        guard let bundle = reader.next(UInt8.self), bundle <= 1 else { return nil }
      }
      guard reader.next(UInt8.self) != nil, let lineBase = reader.next(Int8.self),
        let lineRange = reader.next(UInt8.self), lineRange > 0, let base = reader.next(UInt8.self)
      else { return nil }
      self.unit = UInt64(unit)
      self.lineRange = UInt32(lineRange)
      self.base = base
      advances.reserveCapacity(256)
      for number in 0..<(256 - Int(base)) {
        let (addresses, lines) = number.quotientAndRemainder(dividingBy: Int(lineRange))
        advances.append((UInt64(addresses) &* UInt64(unit), Int64(lineBase) &+ Int64(lines)))
      }
      for _ in 1..<max(1, base) {
        guard let count = reader.next(UInt8.self) else { return nil }
        operands.append(count)
      }
    }
  }

  private let shape: Shape
  private var address: UInt64 = 0
  private var file: UInt64 = 1
  private var line: Int64 = 1
  /// All rows that were made; those of the current sequence from `first` on.
  private(set) var rows: [LineNumberTable.Row] = []
  private var first = 0
  /// What the last of them was made from.
  private var last: (address: UInt64, file: UInt64, line: Int64) = (0, 0, 0)
  private var isSorted = true
  /// How many more rows are made.
  private(set) var budget: Int

  init(_ shape: Shape, budget: Int) {
    self.shape = shape
    self.budget = budget
  }

  /// Runs to `end`, or to what cannot be read, and hands each whole sequence to `body`: its rows in the
  /// order of their addresses, and where it begins and ends.
  mutating func run(
    _ bytes: RawSpan, from begin: Int, until end: Int,
    _ body: (_ rows: Range<Int>, _ low: FileAddress, _ high: FileAddress) -> Bool
  ) {
    var offset = max(0, begin)
    let end = min(end, bytes.byteCount)
    // A row takes some four bytes; memory that is not used costs nothing.
    rows.reserveCapacity(min(budget, max(0, end - offset) / 4))
    // Most opcodes are special ones, of a byte; each turn reads at least one.
    while offset < end, budget > 0 {
      // The condition above keeps the offset inside the span.
      let opcode = unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
      offset += 1
      if opcode >= shape.base {
        let advance = shape.advances[Int(opcode - shape.base)]
        address &+= advance.address
        line &+= advance.line
        addRow()
        continue
      }
      let isRead =
        opcode == 0 ? extended(bytes, &offset, body) : standard(opcode, bytes, &offset)
      guard isRead else { break }
    }
    // What is not ended is of no use.
    rows.removeLast(rows.count - first)
  }

  @inline(__always)
  private mutating func standard(_ opcode: UInt8, _ bytes: RawSpan, _ offset: inout Int) -> Bool {
    switch opcode {
    case 1: addRow()  // DW_LNS_copy
    case 2:  // DW_LNS_advance_pc
      guard let count = Self.number(bytes, &offset) else { return false }
      address &+= count &* shape.unit
    case 3:  // DW_LNS_advance_line
      guard let count = Self.signedNumber(bytes, &offset) else { return false }
      line &+= count
    case 4:  // DW_LNS_set_file
      guard let number = Self.number(bytes, &offset) else { return false }
      file = number
    case 5: return Self.number(bytes, &offset) != nil  // DW_LNS_set_column
    case 6: break  // DW_LNS_negate_stmt
    case 8:  // DW_LNS_const_add_pc
      address &+= UInt64(UInt32(255 - shape.base) / shape.lineRange) &* shape.unit
    case 9:  // DW_LNS_fixed_advance_pc
      var reader = ByteReader(bytes, at: offset)
      guard let count = reader.next(UInt16.self) else { return false }
      offset = reader.offset
      address &+= UInt64(count)
    default:
      // Basic blocks, prologues; and what later versions add.
      for _ in 0..<shape.operands[Int(opcode) - 1] where Self.number(bytes, &offset) == nil {
        return false
      }
    }
    return true
  }

  /// An unsigned LEB128 number, most of which are of one byte.
  @inline(__always)
  private static func number(_ bytes: RawSpan, _ offset: inout Int) -> UInt64? {
    // The condition keeps the offset inside the span.
    if offset < bytes.byteCount,
      case let byte = unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self), byte < 0x80
    {
      offset += 1
      return UInt64(byte)
    }
    var reader = ByteReader(bytes, at: offset)
    defer { offset = reader.offset }
    return reader.nextULEB128()
  }

  /// A signed one.
  @inline(__always)
  private static func signedNumber(_ bytes: RawSpan, _ offset: inout Int) -> Int64? {
    // The condition keeps the offset inside the span.
    if offset < bytes.byteCount,
      case let byte = unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self), byte < 0x80
    {
      offset += 1
      return Int64(byte & 0x3f) - Int64(byte & 0x40)
    }
    var reader = ByteReader(bytes, at: offset)
    defer { offset = reader.offset }
    return reader.nextSLEB128()
  }

  private mutating func extended(
    _ bytes: RawSpan, _ offset: inout Int,
    _ body: (_ rows: Range<Int>, _ low: FileAddress, _ high: FileAddress) -> Bool
  ) -> Bool {
    var reader = ByteReader(bytes, at: offset)
    guard let length = reader.nextULEB128(), length > 0,
      length <= UInt64(max(0, reader.count - reader.offset))
    else { return false }
    let next = reader.offset + Int(length)
    switch reader.next(UInt8.self) {
    case 1: endSequence(body)  // DW_LNE_end_sequence
    case 2:  // DW_LNE_set_address
      let value =
        length == 5 ? reader.next(UInt32.self).map(UInt64.init) : reader.next(UInt64.self)
      guard let value else { return false }
      address = value
    default: break
    }
    offset = next
    return true
  }

  @inline(__always)
  private mutating func addRow() {
    if rows.count > first {
      // A row may differ in column or statement alone.
      if last.line == line, last.file == file, last.address <= address { return }
      isSorted = isSorted && last.address <= address
    }
    budget -= 1
    last = (address, file, line)
    rows.append(
      LineNumberTable.Row(
        address: FileAddress(address), file: UInt32(clamping: file), line: UInt32(clamping: line)))
  }

  private mutating func endSequence(
    _ body: (_ rows: Range<Int>, _ low: FileAddress, _ high: FileAddress) -> Bool
  ) {
    if !isSorted {
      // Of rows at one address the last one counts.
      let own = rows[first...].enumerated()
        .sorted { ($0.element.address, $0.offset) < ($1.element.address, $1.offset) }
      rows.replaceSubrange(first..., with: own.map(\.element))
    }
    if first < rows.count, body(first..<rows.count, rows[first].address, FileAddress(address)) {
      first = rows.count
    } else {
      rows.removeLast(rows.count - first)
    }
    isSorted = true
    address = 0
    file = 1
    line = 1
  }
}
