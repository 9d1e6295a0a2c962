internal import CElfutils
internal import ProfileModel

/// The variables of an image that its debug data describes, by their addresses.
///
/// All units are walked once, those parts only that may declare a variable with a place of its own.
final class DebugVariables {
  /// Debug data entries that are read: 0.1 s.
  private static let budget = 1 << 20

  private let session: DwarfSession
  private lazy var offsets: [FileAddress: UInt64] = readOffsets()

  init(_ session: DwarfSession) { self.session = session }

  /// The fields that lead to `offset` within the variable that begins at `start`, and the file that
  /// declares it; nil when the debug data does not know it.
  ///
  /// The path ends at a lock's own type, whose inner fields mean nothing to the user. It is nil where the
  /// type does not reach to `offset`.
  func place(in start: FileAddress, at offset: UInt64) -> (path: String?, file: String?)? {
    guard let found = offsets[start], var die = session.die(at: found) else { return nil }
    var path = FieldPath(offset: offset)
    let isWhole = path.follow(&die)
    return (isWhole ? path.text : nil, Self.file(of: &die))
  }

  private static func file(of die: inout Dwarf_Die) -> String? {
    guard let name = dwarf_decl_file(&die) else { return nil }
    let file = String(cString: name)
    guard !file.hasPrefix("/") else { return file }
    var unit = Dwarf_Die()
    guard dwarf_diecu(&die, &unit, nil, nil) != nil,
      let directory = stringAttribute(DW_AT_comp_dir, of: &unit)
    else { return file }
    return directory + "/" + file
  }

  // MARK: - The index

  private func readOffsets() -> [FileAddress: UInt64] {
    var walk = Walk()
    session.forEachUnit { die in
      var die = die
      walk.children(of: &die, depth: 0)
      return walk.left > 0
    }
    return walk.offsets
  }

  private struct Walk {
    var offsets: [FileAddress: UInt64] = [:]
    var left = DebugVariables.budget

    mutating func children(of parent: inout Dwarf_Die, depth: Int) {
      var die = Dwarf_Die()
      guard depth < 64, dwarf_child(&parent, &die) == 0 else { return }
      // A cycle, in bad data, ends with the budget.
      while left > 0 {
        left -= 1
        visit(&die, depth: depth)
        var next = Dwarf_Die()
        guard dwarf_siblingof(&die, &next) == 0 else { return }
        die = next
      }
    }

    private mutating func visit(_ die: inout Dwarf_Die, depth: Int) {
      switch Int(dwarf_tag(&die)) {
      case Int(DW_TAG_variable):
        if let address = DebugVariables.address(of: &die), offsets[address] == nil {
          offsets[address] = dwarf_dieoffset(&die)
        }
      case Int(DW_TAG_namespace), Int(DW_TAG_module), Int(DW_TAG_subprogram),
        Int(DW_TAG_lexical_block), Int(DW_TAG_inlined_subroutine):
        children(of: &die, depth: depth + 1)
      default: break
      }
    }
  }

  /// The address of a variable whose place is a plain address.
  fileprivate static func address(of die: inout Dwarf_Die) -> FileAddress? {
    var attribute = Dwarf_Attribute()
    guard dwarf_attr(&die, UInt32(DW_AT_location), &attribute) != nil else { return nil }
    var operations: UnsafeMutablePointer<Dwarf_Op>?
    var count = 0
    guard dwarf_getlocation(&attribute, &operations, &count) == 0, count == 1,
      let operation = operations?.pointee
    else { return nil }
    switch Int(operation.atom) {
    case Int(DW_OP_addr): return FileAddress(operation.number)
    case Int(DW_OP_addrx), Int(DW_OP_GNU_addr_index):
      // DWARF 5 keeps addresses in a table of their own.
      var indirect = Dwarf_Attribute()
      var address: Dwarf_Addr = 0
      guard let first = operations, dwarf_getlocation_attr(&attribute, first, &indirect) == 0,
        dwarf_formaddr(&indirect, &address) == 0
      else { return nil }
      return FileAddress(address)
    default: return nil
    }
  }
}

/// The way from a variable to one of its bytes, through fields and elements.
private struct FieldPath {
  private(set) var text = ""
  private var offset: UInt64

  init(offset: UInt64) { self.offset = offset }

  /// Follows the type of a variable or field.
  ///
  /// Returns false when the type has nothing there.
  mutating func follow(_ die: inout Dwarf_Die) -> Bool {
    var type = Dwarf_Die()
    guard Self.type(of: &die, &type) else { return false }
    // Real types nest a few levels; a cycle is bad data.
    for _ in 0..<32 {
      if Self.isLock(&type) { return true }
      switch Int(dwarf_tag(&type)) {
      case Int(DW_TAG_typedef), Int(DW_TAG_const_type), Int(DW_TAG_volatile_type),
        Int(DW_TAG_atomic_type):
        var next = Dwarf_Die()
        guard Self.type(of: &type, &next) else { return false }
        type = next
      case Int(DW_TAG_array_type):
        guard enterElement(&type) else { return false }
      case Int(DW_TAG_structure_type), Int(DW_TAG_class_type):
        guard let isInner = enterField(&type) else { return false }
        if !isInner { return true }
      default:
        // A union, a number, a pointer: the place itself.
        var size: Dwarf_Word = 0
        return dwarf_aggregate_size(&type, &size) != 0 || offset < size
      }
    }
    return false
  }

  private static func type(of die: inout Dwarf_Die, _ result: inout Dwarf_Die) -> Bool {
    var attribute = Dwarf_Attribute()
    return dwarf_attr_integrate(&die, UInt32(DW_AT_type), &attribute) != nil
      && dwarf_formref_die(&attribute, &result) != nil
  }

  /// Whether it is a type of the C library or of a runtime, whose fields are its own affair.
  private static func isLock(_ type: inout Dwarf_Die) -> Bool {
    guard let name = dwarf_diename(&type) else { return false }
    let text = String(cString: name)
    return text.hasPrefix("pthread_") || text.hasPrefix("sem_t") || text.hasPrefix("__")
      || ["mtx_t", "cnd_t", "once_flag", "GMutex", "GCond", "GRecMutex"].contains(text)
      || text.hasSuffix("mutex")
  }

  private mutating func enterElement(_ type: inout Dwarf_Die) -> Bool {
    var element = Dwarf_Die()
    var size: Dwarf_Word = 0
    guard Self.type(of: &type, &element), dwarf_aggregate_size(&element, &size) == 0, size > 0
    else { return false }
    text += "[\(offset / size)]"
    offset %= size
    type = element
    return true
  }

  /// Goes into the field at the offset.
  ///
  /// Returns false where the path ends before it, and nil where no field is.
  private mutating func enterField(_ type: inout Dwarf_Die) -> Bool? {
    var field = Dwarf_Die()
    guard dwarf_child(&type, &field) == 0 else { return nil }
    for _ in 0..<4096 {
      let tag = Int(dwarf_tag(&field))
      if tag == Int(DW_TAG_member) || tag == Int(DW_TAG_inheritance) {
        let start = unsignedAttribute(DW_AT_data_member_location, of: &field) ?? 0
        var inner = Dwarf_Die()
        var size: Dwarf_Word = 0
        if offset >= start, Self.type(of: &field, &inner),
          dwarf_aggregate_size(&inner, &size) == 0, offset - start < size,
          unsignedAttribute(DW_AT_external, of: &field) == nil
        {
          let name = dwarf_diename(&field).map { String(cString: $0) }
          // Names of an implementation's own, such as std::mutex's.
          if let name, name.hasPrefix("_") { return false }
          if tag == Int(DW_TAG_member), let name { text += "." + name }
          offset -= start
          type = inner
          return true
        }
      }
      var next = Dwarf_Die()
      guard dwarf_siblingof(&field, &next) == 0 else { return nil }
      field = next
    }
    return nil
  }
}
