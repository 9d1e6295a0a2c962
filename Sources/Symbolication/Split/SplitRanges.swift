internal import ByteReading
internal import CElfutils
internal import ProfileModel

/// The address ranges of a split unit's DIEs, which libdw reads only where it has opened the unit itself.
struct SplitRanges {
  /// Version 5 or the GNU extension of version 4.
  let version: UInt16
  /// `.debug_rnglists.dwo` of the unit, or the program's `.debug_ranges` from the unit's base on.
  let lists: UnsafeRawBufferPointer
  /// The unit's addresses in the program's `.debug_addr`.
  let addresses: UnsafeRawBufferPointer
  /// What offsets count from: the skeleton's DW_AT_low_pc.
  let base: UInt64
  /// `.debug_info.dwo`, which attributes point into.
  let info: UnsafeRawBufferPointer

  /// Far more than a function has pieces.
  private static let limit = 1 << 16

  private func address(_ index: UInt64?) -> UInt64? {
    guard let index, index < UInt64(addresses.count / 8) else { return nil }
    return addresses.loadUnaligned(fromByteOffset: Int(index) * 8, as: UInt64.self)
  }

  /// Calls `body` with each range of a DIE.
  func forEach(
    of die: inout Dwarf_Die, budget: inout Int,
    _ body: (_ low: FileAddress, _ high: FileAddress) -> Void
  ) {
    var attribute = Dwarf_Attribute()
    guard dwarf_attr(&die, UInt32(DW_AT_ranges), &attribute) != nil else {
      var low: Dwarf_Addr = 0
      var high: Dwarf_Addr = 0
      guard dwarf_lowpc(&die, &low) == 0, dwarf_highpc(&die, &high) == 0, low < high else { return }
      budget -= 1
      body(FileAddress(low), FileAddress(high))
      return
    }
    guard let place = place(of: attribute) else { return }
    if version >= 5 {
      readList(at: place, budget: &budget, body)
    } else {
      readPairs(at: place, budget: &budget, body)
    }
  }

  /// Where a list begins.
  private func place(of attribute: Dwarf_Attribute) -> Int? {
    guard let value = attribute.valp, let start = info.baseAddress else { return nil }
    let offset = UnsafeRawPointer(value) - start
    guard offset >= 0, offset < info.count else { return nil }
    let raw = UnsafeRawBufferPointer(rebasing: info[offset..<min(offset + 16, info.count)])
    if attribute.form == UInt32(DW_FORM_rnglistx) {
      var reader = ByteReader(RawSpan(_unsafeBytes: raw))
      guard let index = reader.nextULEB128(), index < 1 << 24 else { return nil }
      // Behind the list's header of 12 bytes are the offsets of its lists (DWARF 5, section 7.28).
      let table = 12
      let span = ByteReader(RawSpan(_unsafeBytes: lists))
      return span.value(at: table + Int(index) * 4, as: UInt32.self).map { table + Int($0) }
    }
    return raw.count < 4 ? nil : Int(raw.loadUnaligned(as: UInt32.self))
  }

  /// DWARF 5, section 7.25.
  private func readList(
    at place: Int, budget: inout Int, _ body: (FileAddress, FileAddress) -> Void
  ) {
    var reader = ByteReader(RawSpan(_unsafeBytes: lists), at: place)
    var base = base
    for _ in 0..<Self.limit where budget > 0 {
      budget -= 1
      var low: UInt64?
      var high: UInt64?
      switch reader.next(UInt8.self).map(Int.init) {
      case Int(DW_RLE_base_addressx):
        guard let address = address(reader.nextULEB128()) else { return }
        base = address
        continue
      case Int(DW_RLE_base_address):
        guard let address = reader.next(UInt64.self) else { return }
        base = address
        continue
      case Int(DW_RLE_startx_endx):
        low = address(reader.nextULEB128())
        high = address(reader.nextULEB128())
      case Int(DW_RLE_startx_length):
        low = address(reader.nextULEB128())
        high = sum(low, reader.nextULEB128())
      case Int(DW_RLE_offset_pair):
        low = sum(base, reader.nextULEB128())
        high = sum(base, reader.nextULEB128())
      case Int(DW_RLE_start_end):
        low = reader.next(UInt64.self)
        high = reader.next(UInt64.self)
      case Int(DW_RLE_start_length):
        low = reader.next(UInt64.self)
        high = sum(low, reader.nextULEB128())
      default: return
      }
      guard let low, let high else { return }
      if low < high { body(FileAddress(low), FileAddress(high)) }
    }
  }

  private func sum(_ left: UInt64?, _ right: UInt64?) -> UInt64? {
    left.flatMap { left in right.map { left &+ $0 } }
  }

  /// DWARF 4, section 2.17.3.
  private func readPairs(
    at place: Int, budget: inout Int, _ body: (FileAddress, FileAddress) -> Void
  ) {
    var reader = ByteReader(RawSpan(_unsafeBytes: lists), at: place)
    var base = base
    for _ in 0..<Self.limit where budget > 0 {
      budget -= 1
      guard let low = reader.next(UInt64.self), let high = reader.next(UInt64.self),
        low != 0 || high != 0
      else { return }
      if low == .max {
        base = high
        continue
      }
      if low < high { body(FileAddress(base &+ low), FileAddress(base &+ high)) }
    }
  }
}
