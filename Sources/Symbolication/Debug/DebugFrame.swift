internal import CElfutils

/// A function at an address, by the debug data, with the place in it.
struct DebugFrame {
  /// Nil where code has lines but no function, such as assembly.
  let function: DebugFunctionName?
  let file: String?
  /// 0 when it is not known.
  let line: Int
}

/// A function's name as debug data gives it.
struct DebugFunctionName {
  /// Mangled; nil where the language has no other name.
  let linkageName: String?
  var plainName: String?
  /// Whether it may be a function of a type, by its language: that of C++.
  let mayBeMember: Bool

  /// Follows the references to the abstract function and its declaration.
  init(_ die: inout Dwarf_Die) {
    linkageName =
      stringAttribute(DW_AT_linkage_name, of: &die)
      ?? stringAttribute(DW_AT_MIPS_linkage_name, of: &die)
    plainName = stringAttribute(DW_AT_name, of: &die)
    mayBeMember = Self.isCxx(&die)
  }

  private static func isCxx(_ die: inout Dwarf_Die) -> Bool {
    var unit = Dwarf_Die()
    guard dwarf_diecu(&die, &unit, nil, nil) != nil else { return false }
    // DW_LANG_C_plus_plus and those of 2003, 2011, 2014, 2017 and 2020 (dwarfstd.org, language codes).
    return [0x04, 0x1a, 0x21, 0x2a, 0x2b].contains(dwarf_srclang(&unit))
  }
}
