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
  let plainName: String?

  /// Follows the references to the abstract function and its declaration.
  init(_ die: inout Dwarf_Die) {
    linkageName =
      stringAttribute(DW_AT_linkage_name, of: &die)
      ?? stringAttribute(DW_AT_MIPS_linkage_name, of: &die)
    plainName = stringAttribute(DW_AT_name, of: &die)
  }
}
