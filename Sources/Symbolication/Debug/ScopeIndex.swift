internal import CElfutils
internal import ProfileModel

/// Functions and inlined calls with code, found by address.
struct ScopeIndex {
  /// A function or inlined call.
  struct Scope {
    /// The offset of its DIE in `.debug_info`.
    let die: UInt64
    /// The scope around it, -1 for none.
    let parent: Int32
    let isInlined: Bool
    fileprivate let ranges: Range<Int32>
  }

  fileprivate struct ScopeRange {
    let low: FileAddress
    let high: FileAddress
    let scope: Int32
  }

  /// Outer ones before those in them.
  private(set) var scopes: [Scope] = []
  /// In the order of `scopes`.
  private var ranges: [ScopeRange] = []
  /// By address; of two that begin together the inner one comes last.
  private var sorted: [ScopeRange] = []

  /// Knows nothing.
  init() {}

  /// The functions of a unit, without what is in them, and without those within types.
  init(functionsOf unit: inout Dwarf_Die, code: CodeRanges, split: SplitRanges?) {
    self.init(Walk(.functions, code, split), of: &unit)
  }

  /// All functions of a unit with all that is in them.
  init(allOf unit: inout Dwarf_Die, code: CodeRanges, split: SplitRanges?) {
    self.init(Walk(.everything, code, split), of: &unit)
  }

  /// A function and what is inlined in it.
  ///
  /// Takes the DIEs that it reads off `budget`, and stops there.
  init(
    function die: inout Dwarf_Die, code: CodeRanges, split: SplitRanges?, budget: inout Int
  ) {
    var walk = Walk(.everything, code, split)
    walk.progress = DIEProgress(steps: budget)
    walk.visit(&die, in: -1, depth: 0)
    budget = walk.progress.steps
    self.init(walk)
  }

  private init(_ walk: Walk, of unit: inout Dwarf_Die) {
    var walk = walk
    walk.children(of: &unit, in: -1, depth: 0)
    self.init(walk)
  }

  private init(_ walk: Walk) {
    scopes = walk.scopes
    ranges = walk.ranges
    sorted = ranges
    // Scopes are numbered outside in.
    sorted.sort { ($0.low, $0.scope) < ($1.low, $1.scope) }
  }

  /// The innermost scope around an address.
  func innermost(at address: FileAddress) -> Int? {
    var end = sorted.partitioningIndex { $0.low > address }
    // The scope that begins last before the address is the one, or is inside it. Only overlaps
    // that are no nesting need a second try.
    for _ in 0..<16 where end > 0 {
      end -= 1
      var scope = sorted[end].scope
      while scope >= 0 {
        if covers(scopes[Int(scope)], address) { return Int(scope) }
        scope = scopes[Int(scope)].parent
      }
    }
    return nil
  }

  private func covers(_ scope: Scope, _ address: FileAddress) -> Bool {
    // Real functions have a few; the bound is for bad data.
    ranges[Int(scope.ranges.lowerBound)..<Int(scope.ranges.upperBound)].prefix(4096).contains {
      $0.low <= address && address < $0.high
    }
  }
}

extension ScopeIndex {
  /// A pass over DIEs.
  fileprivate struct Walk {
    enum Extent {
      case functions
      /// Also what is in functions and in types: most of a C++ unit is there, with hardly any code.
      case everything
    }

    private let extent: Extent
    private let code: CodeRanges
    /// Of a split unit.
    private let split: SplitRanges?
    var progress = DIEProgress(steps: .max)
    var scopes: [Scope] = []
    var ranges: [ScopeRange] = []
    /// Far above real units: 47 large ones of C++ have 0.8 million ranges together.
    private var budget = 1 << 22

    init(_ extent: Extent, _ code: CodeRanges, _ split: SplitRanges?) {
      self.extent = extent
      self.code = code
      self.split = split
    }

    mutating func children(of parent: inout Dwarf_Die, in scope: Int32, depth: Int) {
      var die = Dwarf_Die()
      guard depth < 256, dwarf_child(&parent, &die) == 0 else { return }
      while progress.takes(die) {
        visit(&die, in: scope, depth: depth)
        guard DIEProgress.goOn(&die) else { return }
      }
    }

    mutating func visit(_ die: inout Dwarf_Die, in scope: Int32, depth: Int) {
      switch Int(dwarf_tag(&die)) {
      case Int(DW_TAG_subprogram):
        let inner = add(&die, in: scope, isInlined: false)
        guard extent == .everything else { return }
        children(of: &die, in: inner ?? -1, depth: depth + 1)
      case Int(DW_TAG_inlined_subroutine):
        guard let inner = add(&die, in: scope, isInlined: true) else { return }
        children(of: &die, in: inner, depth: depth + 1)
      case Int(DW_TAG_lexical_block), Int(DW_TAG_try_block), Int(DW_TAG_catch_block),
        Int(DW_TAG_with_stmt):
        children(of: &die, in: scope, depth: depth + 1)
      case Int(DW_TAG_namespace), Int(DW_TAG_module):
        children(of: &die, in: -1, depth: depth + 1)
      case Int(DW_TAG_class_type), Int(DW_TAG_structure_type), Int(DW_TAG_union_type):
        if extent == .everything { children(of: &die, in: -1, depth: depth + 1) }
      default:
        // Types, variables, parameters: nothing with code in them.
        break
      }
    }

    /// Adds a function that has code.
    private mutating func add(_ die: inout Dwarf_Die, in scope: Int32, isInlined: Bool) -> Int32? {
      let number = Int32(truncatingIfNeeded: scopes.count)
      let first = Int32(truncatingIfNeeded: ranges.count)
      func note(_ low: FileAddress, _ high: FileAddress) {
        if code.contains(low) { ranges.append(ScopeRange(low: low, high: high, scope: number)) }
      }
      if let split {
        split.forEach(of: &die, budget: &budget, note)
      } else {
        forEachRange(of: &die, budget: &budget, note)
      }
      guard ranges.count > Int(first) else { return nil }
      scopes.append(
        Scope(
          die: dwarf_dieoffset(&die), parent: scope, isInlined: isInlined,
          ranges: first..<Int32(truncatingIfNeeded: ranges.count)))
      return number
    }
  }
}
