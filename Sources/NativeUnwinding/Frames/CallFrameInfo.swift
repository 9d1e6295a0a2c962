internal import ByteReading
internal import ProfileModel

/// One frame description entry of `.eh_frame`, checked so far that libunwind may be given it.
///
/// libunwind 1.6.2 indexes arrays with numbers it takes from the entry (return address column,
/// source of DW_CFA_register), divides by what it computes, and follows lengths backwards: an
/// entry that would lead it astray is no entry here.
struct FrameEntry: Equatable {
  /// The code that it covers, in the addresses of the section.
  let start: FileAddress
  let end: FileAddress
  let isSignalFrame: Bool
  /// Bit i says that some rule of the entry changes register i.
  let changedRegisters: UInt32
}

/// Reads call frame information (LSB "Exception Frames", DWARF 5 section 6.4.1).
struct CallFrameReader: ~Escapable {
  private var reader: ByteReader
  /// The address that the first byte has.
  private let address: FileAddress

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan, address: FileAddress) {
    reader = ByteReader(bytes)
    self.address = address
  }

  /// What a CIE says for its FDEs.
  struct Common: Equatable {
    var hasAugmentationSize = false
    var isSignalFrame = false
    var pointerEncoding: UInt8 = 0x04  // DW_EH_PE_udata8, as libunwind assumes without 'R'.
    var languageDataEncoding: UInt8 = Encoding.omit
    var changedRegisters: UInt32 = 0
  }

  enum Entry: Equatable {
    case end
    case common
    /// The offset of its CIE.
    case description(common: Int)
  }

  /// What is at `position`, and where the next entry begins; nil when it is cut off.
  func entry(at position: Int) -> (kind: Entry, next: Int)? {
    guard let length = reader.value(at: position, as: UInt32.self) else { return nil }
    guard length != 0 else { return (.end, position + 4) }
    // 64-bit DWARF (length 0xffffffff) is not used for images below 4 GiB.
    guard length >= 4, length < 0xffff_fff0, Int(length) <= reader.count - position - 4,
      let pointer = reader.value(at: position + 4, as: UInt32.self)
    else { return nil }
    let next = position + 4 + Int(length)
    if pointer == 0 { return (.common, next) }
    let common = position + 4 - Int(pointer)
    guard common >= 0 else { return nil }
    return (.description(common: common), next)
  }

  /// Reads the CIE at `position`; nil when libunwind could not use it safely.
  func common(at position: Int) -> Common? {
    guard let (kind, next) = entry(at: position), kind == .common else { return nil }
    var reader = reader
    reader.offset = position + 8
    guard let version = reader.next(UInt8.self), version == 1 || version == 3,
      let augmentation = reader.string(at: reader.offset, limit: 8)
    else { return nil }
    reader.offset += augmentation.utf8.count + 1
    // A code alignment of 0 would keep the program's location from ever moving.
    guard let codeAlignment = reader.nextULEB128(), codeAlignment > 0, codeAlignment < 256,
      let dataAlignment = reader.nextSLEB128(), dataAlignment.magnitude < 256
    else { return nil }
    let column =
      version == 1 ? reader.next(UInt8.self).map(UInt64.init) : reader.nextULEB128()
    guard column == Self.returnAddressColumn else { return nil }
    var result = Common()
    guard readAugmentation(augmentation, &reader, into: &result), reader.offset <= next,
      let changed = checkedProgram(reader.offset..<next, encoding: result.pointerEncoding)
    else { return nil }
    result.changedRegisters = changed
    return result
  }

  /// The column of x86_64's return address (System V ABI, figure 3.36).
  private static let returnAddressColumn: UInt64 = 16

  private func readAugmentation(
    _ letters: String, _ reader: inout ByteReader, into result: inout Common
  ) -> Bool {
    var end: Int?
    for letter in letters.utf8 {
      switch letter {
      case UInt8(ascii: "z"):
        guard let size = reader.nextULEB128(), size < 256 else { return false }
        result.hasAugmentationSize = true
        end = reader.offset + Int(size)
      case UInt8(ascii: "L"):
        guard let encoding = reader.next(UInt8.self) else { return false }
        result.languageDataEncoding = encoding
      case UInt8(ascii: "R"):
        guard let encoding = reader.next(UInt8.self) else { return false }
        result.pointerEncoding = encoding
      case UInt8(ascii: "P"):
        guard let encoding = reader.next(UInt8.self), Encoding.skip(encoding, &reader)
        else { return false }
      case UInt8(ascii: "S"):
        result.isSignalFrame = true
      default:
        // libunwind takes the instructions from where it stopped reading, which is only right
        // when the unknown letter has no data.
        return end == reader.offset
      }
    }
    return end == nil || end == reader.offset
  }

  /// Reads the FDE at `position`, whose CIE said `common`; nil when it is unusable.
  func description(at position: Int, common: Common) -> FrameEntry? {
    guard let (start, end) = range(at: position, common: common),
      let (_, next) = entry(at: position)
    else { return nil }
    var reader = reader
    reader.offset = position + 8
    guard Encoding.skip(common.pointerEncoding, &reader),
      Encoding.skip(common.pointerEncoding & 0x0f, &reader)
    else { return nil }
    if common.hasAugmentationSize {
      guard let size = reader.nextULEB128(), size <= UInt64(next - position) else { return nil }
      reader.offset += Int(size)
    } else if common.languageDataEncoding != Encoding.omit {
      return nil
    }
    guard reader.offset <= next,
      let changed = checkedProgram(reader.offset..<next, encoding: common.pointerEncoding)
    else { return nil }
    return FrameEntry(
      start: start, end: end, isSignalFrame: common.isSignalFrame,
      changedRegisters: changed | common.changedRegisters)
  }

  /// The code that the FDE at `position` covers; nil when it is unreadable or covers none.
  func range(at position: Int, common: Common) -> (start: FileAddress, end: FileAddress)? {
    var reader = reader
    reader.offset = position + 8
    let field = address.rawValue &+ UInt64(reader.offset)
    guard let value = Encoding.value(common.pointerEncoding, &reader),
      let length = Encoding.value(common.pointerEncoding & 0x0f, &reader)
    else { return nil }
    let start: UInt64
    switch common.pointerEncoding & 0xf0 {
    case 0x00: start = value
    // libunwind takes the value 0 as absolute, whatever the encoding says.
    case 0x10 where value != 0: start = value &+ field
    default: return nil
    }
    let (end, overflow) = start.addingReportingOverflow(length)
    guard length > 0, !overflow else { return nil }
    return (FileAddress(start), FileAddress(end))
  }

  /// Walks the instructions of `range`.
  ///
  /// Returns the registers they change, or nil when one of them is unknown, names a register that
  /// libunwind has no room for, or is cut off.
  private func checkedProgram(_ range: Range<Int>, encoding: UInt8) -> UInt32? {
    var reader = reader
    reader.offset = range.lowerBound
    var changed: UInt32 = 0
    var remembered = 0
    while reader.offset < range.upperBound {
      guard let byte = reader.next(UInt8.self),
        step(byte, &reader, encoding: encoding, &changed, &remembered),
        reader.offset <= range.upperBound, remembered <= Self.maximumRemembered
      else { return nil }
    }
    return changed
  }

  /// Compilers nest DW_CFA_remember_state once; libunwind allocates for each.
  private static let maximumRemembered = 64

  private func step(
    _ byte: UInt8, _ reader: inout ByteReader, encoding: UInt8, _ changed: inout UInt32,
    _ remembered: inout Int
  ) -> Bool {
    switch byte & 0xc0 {
    case 0x40: return true  // advance_loc
    case 0x80: return change(UInt64(byte & 0x3f), &changed) && reader.nextULEB128() != nil
    case 0xc0: return change(UInt64(byte & 0x3f), &changed)
    default: break
    }
    switch byte {
    case 0x00: return true  // nop
    case 0x01: return Encoding.skip(encoding, &reader)  // set_loc
    case 0x02: return skip(1, &reader)
    case 0x03: return skip(2, &reader)
    case 0x04: return skip(4, &reader)
    case 0x05, 0x2f:  // offset_extended, GNU_negative_offset_extended
      return change(reader.nextULEB128(), &changed) && reader.nextULEB128() != nil
    case 0x06, 0x07, 0x08:  // restore_extended, undefined, same_value
      return change(reader.nextULEB128(), &changed)
    case 0x09:  // register
      guard change(reader.nextULEB128(), &changed), let source = reader.nextULEB128()
      else { return false }
      return source <= Self.returnAddressColumn
    case 0x0a:
      remembered += 1
      return true
    case 0x0b:
      remembered -= 1
      return remembered >= 0
    case 0x0c: return isRegister(reader.nextULEB128()) && reader.nextULEB128() != nil
    case 0x0d: return isRegister(reader.nextULEB128())
    case 0x0e, 0x2e: return reader.nextULEB128() != nil  // def_cfa_offset, GNU_args_size
    case 0x0f: return skipExpression(&reader)
    case 0x10, 0x16: return change(reader.nextULEB128(), &changed) && skipExpression(&reader)
    case 0x11: return change(reader.nextULEB128(), &changed) && reader.nextSLEB128() != nil
    case 0x12: return isRegister(reader.nextULEB128()) && reader.nextSLEB128() != nil
    case 0x13: return reader.nextSLEB128() != nil
    default: return false
    }
  }

  private func isRegister(_ number: UInt64?) -> Bool {
    number.map { $0 <= Self.returnAddressColumn } ?? false
  }

  private func change(_ number: UInt64?, _ changed: inout UInt32) -> Bool {
    guard let number, number <= Self.returnAddressColumn else { return false }
    changed |= 1 << UInt32(number)
    return true
  }

  private func skip(_ count: Int, _ reader: inout ByteReader) -> Bool {
    reader.offset += count
    return reader.offset <= reader.count
  }

  /// Skips a DWARF expression of which every operation is known to be harmless to libunwind:
  /// no division (it traps at the largest negative number), no jump.
  private func skipExpression(_ reader: inout ByteReader) -> Bool {
    guard let length = reader.nextULEB128(), length <= UInt64(reader.count),
      reader.offset <= reader.count - Int(length)
    else { return false }
    let end = reader.offset + Int(length)
    while reader.offset < end {
      guard let operation = reader.next(UInt8.self), skipOperand(of: operation, &reader)
      else { return false }
    }
    return reader.offset == end
  }

  /// DWARF 5 section 7.7.1.
  private func skipOperand(of operation: UInt8, _ reader: inout ByteReader) -> Bool {
    switch operation {
    case 0x08, 0x09, 0x15, 0x94: return skip(1, &reader)
    case 0x0a, 0x0b: return skip(2, &reader)
    case 0x0c, 0x0d: return skip(4, &reader)
    case 0x03, 0x0e, 0x0f: return skip(8, &reader)
    case 0x10, 0x23: return reader.nextULEB128() != nil
    case 0x11: return reader.nextSLEB128() != nil
    // breg of a general register.
    case 0x70...0x80: return reader.nextSLEB128() != nil
    // deref, dup…rot, abs, and, minus…plus, shl…xor, comparisons, literals, nop.
    case 0x06, 0x12...0x14, 0x16, 0x17, 0x19, 0x1a, 0x1c, 0x1e...0x22, 0x24...0x27,
      0x29...0x2e, 0x30...0x4f, 0x96:
      return true
    default: return false
    }
  }
}

/// Pointer encodings of exception frames (LSB "DWARF Extensions", table of DW_EH_PE).
enum Encoding {
  static let omit: UInt8 = 0xff

  /// The number that an encoded pointer holds, before anything is added to it.
  static func value(_ encoding: UInt8, _ reader: inout ByteReader) -> UInt64? {
    switch encoding & 0x0f {
    case 0x00, 0x04: return reader.next(UInt64.self)
    case 0x01: return reader.nextULEB128()
    case 0x02: return reader.next(UInt16.self).map(UInt64.init)
    case 0x03: return reader.next(UInt32.self).map(UInt64.init)
    case 0x0a: return reader.next(Int16.self).map { UInt64(bitPattern: Int64($0)) }
    case 0x0b: return reader.next(Int32.self).map { UInt64(bitPattern: Int64($0)) }
    case 0x0c: return reader.next(Int64.self).map { UInt64(bitPattern: $0) }
    default: return nil
    }
  }

  /// Skips an encoded pointer; false for `aligned` and unknown forms, and at the end.
  static func skip(_ encoding: UInt8, _ reader: inout ByteReader) -> Bool {
    if encoding == omit { return true }
    guard encoding & 0x70 != 0x50 else { return false }
    return value(encoding, &reader) != nil
  }
}
