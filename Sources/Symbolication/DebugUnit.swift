internal import CElfutils
internal import ProfileModel

/// The functions, inlined calls and lines of one compilation unit.
///
/// Functions and inlined calls are indexed in one pass over the unit's DIEs when it is made (libdw's
/// `dwarf_getscopes` walks the whole unit at every call), the line table at the first look-up. The
/// pass leaves out types; it is repeated with them at the first address that it knows no function of.
final class DebugUnit {
  /// A function or inlined call with code.
  private struct Scope {
    /// The offset of its DIE in `.debug_info`.
    let die: UInt64
    /// The scope around it, -1 for none.
    let parent: Int32
    let isInlined: Bool
    let ranges: Range<Int32>
  }

  private struct ScopeRange {
    let low: UInt64
    let high: UInt64
    let scope: Int32
  }

  private let session: DwarfSession
  private let code: CodeRanges
  private var unitDIE: Dwarf_Die
  private var isThorough = false
  private var scopes: [Scope] = []
  /// In the order of `scopes`.
  private var ranges: [ScopeRange] = []
  /// By address; of two that begin together the inner one comes last.
  private var sorted: [ScopeRange] = []
  private lazy var lines = LineRows(&unitDIE)
  private lazy var files = SourceFiles(&unitDIE)
  private lazy var directory = stringAttribute(DW_AT_comp_dir, of: &unitDIE)
  private var names: [UInt64: FunctionName] = [:]

  init?(_ session: DwarfSession, at offset: UInt64, code: CodeRanges) {
    guard let die = session.die(at: offset) else { return nil }
    self.session = session
    self.code = code
    unitDIE = die
    index(thoroughly: false)
  }

  private func index(thoroughly: Bool) {
    isThorough = thoroughly
    var walk = Walk(code: code, isThorough: thoroughly)
    walk.children(of: &unitDIE, in: -1, depth: 0)
    scopes = walk.scopes
    ranges = walk.ranges
    sorted = ranges
    // Scopes are numbered outside in.
    sorted.sort { ($0.low, $0.scope) < ($1.low, $1.scope) }
  }

  /// The functions at `address`, innermost inlined one first, with the place in each; empty when
  /// the unit knows neither function nor line.
  ///
  /// The last one's function is nil where code has lines but no function, such as assembly.
  func frames(at address: FileAddress) -> [(function: FunctionName?, file: String?, line: Int)] {
    if innermostScope(at: address.rawValue) == nil, !isThorough { index(thoroughly: true) }
    var place = lines.place(at: address.rawValue) { self.innermostScope(at: $0) }
    var scope = innermostScope(at: address.rawValue)
    guard scope != nil || place != nil else { return [] }
    var result: [(function: FunctionName?, file: String?, line: Int)] = []
    // Ends: a scope's parent was made before it.
    while let index = scope {
      result.append((name(of: scopes[index]), place?.file.map(fullPath), place?.line ?? 0))
      guard scopes[index].isInlined else { break }
      place = callPlace(of: scopes[index])
      scope = scopes[index].parent < 0 ? nil : Int(scopes[index].parent)
    }
    if result.isEmpty { result.append((nil, place?.file.map(fullPath), place?.line ?? 0)) }
    return result
  }

  /// libdw joins the directories of the line table only.
  private func fullPath(_ file: String) -> String {
    guard !file.hasPrefix("/"), let directory else { return file }
    return directory + "/" + file
  }

  private func innermostScope(at address: UInt64) -> Int? {
    var end = sorted.partitioningIndex { $0.low > address }
    // The scope that begins last before the address is the one, or lies inside it. Only overlaps
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

  private func covers(_ scope: Scope, _ address: UInt64) -> Bool {
    // Real functions have a few; the bound is for bad data.
    ranges[Int(scope.ranges.lowerBound)..<Int(scope.ranges.upperBound)].prefix(4096).contains {
      $0.low <= address && address < $0.high
    }
  }

  private func name(of scope: Scope) -> FunctionName? {
    if let known = names[scope.die] { return known }
    guard var die = session.die(at: scope.die) else { return nil }
    let name = FunctionName(&die)
    names[scope.die] = name
    return name
  }

  private func callPlace(of scope: Scope) -> (file: String?, line: Int)? {
    guard var die = session.die(at: scope.die) else { return nil }
    let file = unsignedAttribute(DW_AT_call_file, of: &die).flatMap { files[$0] }
    let line = unsignedAttribute(DW_AT_call_line, of: &die).flatMap { Int(exactly: $0) }
    return (file, line ?? 0)
  }
}

extension DebugUnit {
  /// The pass over a unit's DIEs.
  private struct Walk {
    let code: CodeRanges
    /// Whether to look for functions within types and within functions without code.
    ///
    /// Most of a C++ unit is there, and compilers put hardly any code there.
    let isThorough: Bool
    var scopes: [Scope] = []
    var ranges: [ScopeRange] = []
    /// Far above real units: 47 large ones of C++ have 0.8 million ranges together.
    private var budget = 1 << 22
    /// The last DIE seen; DIEs follow one another in memory, so anything before it is a cycle.
    private var last: UnsafeMutableRawPointer?

    init(code: CodeRanges, isThorough: Bool) {
      self.code = code
      self.isThorough = isThorough
    }

    mutating func children(of parent: inout Dwarf_Die, in scope: Int32, depth: Int) {
      var die = Dwarf_Die()
      guard depth < 256, dwarf_child(&parent, &die) == 0 else { return }
      while let place = die.addr, last.map({ $0 < place }) ?? true {
        last = place
        visit(&die, in: scope, depth: depth)
        var next = Dwarf_Die()
        guard dwarf_siblingof(&die, &next) == 0 else { return }
        die = next
      }
    }

    private mutating func visit(_ die: inout Dwarf_Die, in scope: Int32, depth: Int) {
      switch Int(dwarf_tag(&die)) {
      case Int(DW_TAG_subprogram):
        let inner = add(&die, in: scope, isInlined: false)
        guard inner != nil || isThorough else { return }
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
        if isThorough { children(of: &die, in: -1, depth: depth + 1) }
      default:
        // Types, variables, parameters: nothing with code in them.
        break
      }
    }

    /// Adds a function that has code.
    private mutating func add(_ die: inout Dwarf_Die, in scope: Int32, isInlined: Bool) -> Int32? {
      let number = Int32(truncatingIfNeeded: scopes.count)
      let first = Int32(truncatingIfNeeded: ranges.count)
      forEachRange(of: &die, budget: &budget) { low, high in
        if code.contains(low) { ranges.append(ScopeRange(low: low, high: high, scope: number)) }
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

/// A function's name as debug data gives it.
struct FunctionName {
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

/// The rows of a unit's line table, as libdw decodes and sorts them.
private struct LineRows {
  private let rows: OpaquePointer?
  private let count: Int

  init(_ unitDIE: inout Dwarf_Die) {
    var rows: OpaquePointer?
    var count = 0
    let isRead = dwarf_getsrclines(&unitDIE, &rows, &count) == 0
    self.rows = isRead ? rows : nil
    self.count = isRead ? count : 0
  }

  /// The file and line of `address`.
  ///
  /// Line 0 marks code that the compiler made up; it gets the line of the nearest row before it
  /// which belongs to the same function, as `scope` tells.
  func place(at address: UInt64, scope: (UInt64) -> Int?) -> (file: String?, line: Int)? {
    let index = (0..<count).partitioningIndex { self.address(of: $0) ?? .max > address } - 1
    guard index >= 0, !isEnd(index), let row = row(index) else { return nil }
    let number = line(of: row)
    guard number == 0 else { return (file(of: row), number) }
    let innermost = scope(address)
    for earlier in (max(0, index - 64)..<index).reversed() {
      guard !isEnd(earlier), let row = self.row(earlier) else { break }
      let number = line(of: row)
      guard number != 0, let start = self.address(of: earlier) else { continue }
      if scope(start) == innermost { return (file(of: row), number) }
    }
    return (file(of: row), 0)
  }

  private func row(_ index: Int) -> OpaquePointer? {
    rows.flatMap { dwarf_onesrcline($0, index) }
  }

  private func address(of index: Int) -> UInt64? {
    var address: Dwarf_Addr = 0
    guard let row = row(index), dwarf_lineaddr(row, &address) == 0 else { return nil }
    return address
  }

  /// Whether the row only marks the first address after a sequence.
  private func isEnd(_ index: Int) -> Bool {
    var isEnd = false
    guard let row = row(index), dwarf_lineendsequence(row, &isEnd) == 0 else { return true }
    return isEnd
  }

  private func line(of row: OpaquePointer) -> Int {
    var line: CInt = 0
    return dwarf_lineno(row, &line) == 0 && line > 0 ? Int(line) : 0
  }

  private func file(of row: OpaquePointer) -> String? {
    dwarf_linesrc(row, nil, nil).map { String(cString: $0) }
  }
}

/// The source files of a unit, by the numbers that its DIEs use.
private struct SourceFiles {
  private let files: OpaquePointer?
  private let count: Int

  init(_ unitDIE: inout Dwarf_Die) {
    var files: OpaquePointer?
    var count = 0
    let isRead = dwarf_getsrcfiles(&unitDIE, &files, &count) == 0
    self.files = isRead ? files : nil
    self.count = isRead ? count : 0
  }

  subscript(number: UInt64) -> String? {
    guard let files, number < UInt64(count) else { return nil }
    return dwarf_filesrc(files, Int(number), nil, nil).map { String(cString: $0) }
  }
}

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
