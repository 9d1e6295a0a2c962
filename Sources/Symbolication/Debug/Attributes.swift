internal import CElfutils

/// A string attribute of a DIE or of those it refers to (libdw follows at most 16 references).
func stringAttribute(_ name: Int, of die: inout Dwarf_Die) -> String? {
  var attribute = Dwarf_Attribute()
  guard dwarf_attr_integrate(&die, UInt32(name), &attribute) != nil,
    let text = dwarf_formstring(&attribute)
  else { return nil }
  return String(cString: text)
}

func unsignedAttribute(_ name: Int, of die: inout Dwarf_Die) -> UInt64? {
  var attribute = Dwarf_Attribute()
  var value: Dwarf_Word = 0
  guard dwarf_attr(&die, UInt32(name), &attribute) != nil,
    dwarf_formudata(&attribute, &value) == 0
  else { return nil }
  return value
}
