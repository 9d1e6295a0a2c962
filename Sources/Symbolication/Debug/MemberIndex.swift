internal import CElfutils

/// Functions within types of a unit that have no linkage name, with what is around them.
///
/// So compilers leave the calls of lambdas, of which each is called `operator()`, and the methods of types
/// within functions.
struct MemberIndex {
  /// What is around a function or a type.
  enum Scope {
    /// The offset of its DIE.
    case function(UInt64)
    case named(String)
    /// A lambda, by the line where it begins; 0 where that is not known.
    case lambda(line: Int)
  }

  /// By the offset of the function's DIE: what is around it, outermost first.
  private var scopes: [UInt64: [Scope]] = [:]

  /// Knows none.
  init() {}

  /// Reads a unit, at most so many DIEs of it.
  init(unit: inout Dwarf_Die, budget: inout Int) {
    var walk = Walk(steps: budget)
    walk.children(of: &unit, in: [], depth: 0)
    budget = walk.progress.steps
    scopes = walk.scopes
  }

  /// What is around a function, outermost first; nil for one that is in no type, or has a linkage name.
  ///
  /// The DIE may be that of an inlined call or of the code: they refer to the function.
  func scopes(around die: Dwarf_Die) -> [Scope]? {
    var die = die
    for _ in 0..<8 {
      if let found = scopes[dwarf_dieoffset(&die)] { return found }
      guard let next = origin(of: &die) else { return nil }
      die = next
    }
    return nil
  }

  private func origin(of die: inout Dwarf_Die) -> Dwarf_Die? {
    for name in [DW_AT_abstract_origin, DW_AT_specification] {
      var attribute = Dwarf_Attribute()
      var result = Dwarf_Die()
      if dwarf_attr(&die, UInt32(name), &attribute) != nil,
        dwarf_formref_die(&attribute, &result) != nil
      {
        return result
      }
    }
    return nil
  }
}

extension MemberIndex {
  /// A pass over DIEs.
  private struct Walk {
    var progress: DIEProgress
    var scopes: [UInt64: [Scope]] = [:]

    init(steps: Int) { progress = DIEProgress(steps: steps) }

    mutating func children(of parent: inout Dwarf_Die, in scope: [Scope], depth: Int) {
      var die = Dwarf_Die()
      guard depth < 64, dwarf_child(&parent, &die) == 0 else { return }
      while progress.takes(die) {
        visit(&die, in: scope, depth: depth)
        guard DIEProgress.goOn(&die) else { return }
      }
    }

    private mutating func visit(_ die: inout Dwarf_Die, in scope: [Scope], depth: Int) {
      switch Int(dwarf_tag(&die)) {
      case Int(DW_TAG_subprogram):
        let offset = dwarf_dieoffset(&die)
        if scope.last?.isType ?? false, !hasLinkageName(&die) { scopes[offset] = scope }
        children(of: &die, in: [.function(offset)], depth: depth + 1)
      case Int(DW_TAG_class_type), Int(DW_TAG_structure_type), Int(DW_TAG_union_type):
        let name = stringAttribute(DW_AT_name, of: &die)
        let line = unsignedAttribute(DW_AT_decl_line, of: &die).flatMap { Int(exactly: $0) }
        let own = name.map { Scope.named($0) } ?? .lambda(line: line ?? 0)
        children(of: &die, in: scope + [own], depth: depth + 1)
      case Int(DW_TAG_namespace):
        let name = stringAttribute(DW_AT_name, of: &die) ?? "(anonymous namespace)"
        children(of: &die, in: scope + [.named(name)], depth: depth + 1)
      case Int(DW_TAG_lexical_block), Int(DW_TAG_try_block), Int(DW_TAG_catch_block):
        children(of: &die, in: scope, depth: depth + 1)
      default:
        break
      }
    }

    private func hasLinkageName(_ die: inout Dwarf_Die) -> Bool {
      stringAttribute(DW_AT_linkage_name, of: &die) != nil
        || stringAttribute(DW_AT_MIPS_linkage_name, of: &die) != nil
    }
  }
}

extension MemberIndex.Scope {
  /// Whether it is a type or a namespace.
  fileprivate var isType: Bool {
    switch self {
    case .function: false
    case .named, .lambda: true
    }
  }
}
