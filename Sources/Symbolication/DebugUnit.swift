internal import CElfutils
internal import ProfileModel

/// The functions, inlined calls and lines of one compilation unit.
///
/// The functions are indexed in one pass over the unit's outer DIEs when it is made (libdw's
/// `dwarf_getscopes` walks the whole unit at every call), what is inlined in one at the first look-up
/// there, and the line table at the first of all. The pass leaves out types, and functions within
/// others; all of the unit is indexed at the first address that no function is known of.
final class DebugUnit {
  private typealias Found = (index: ScopeIndex, scope: Int)

  private let session: DwarfSession
  private let code: CodeRanges
  private var unitDIE: Dwarf_Die
  private let functions: ScopeIndex
  /// What is in a function, by its DIE.
  private var contents: [UInt64: ScopeIndex] = [:]
  private var whole: ScopeIndex?
  /// How many more DIEs are looked at: where the ends of bad data's functions are not their ends, each
  /// would take as long as the unit.
  private var budget = 1 << 24
  private lazy var lines = LineRows(&unitDIE)
  private lazy var files = SourceFiles(&unitDIE)
  private lazy var directory = stringAttribute(DW_AT_comp_dir, of: &unitDIE)
  private var names: [UInt64: FunctionName] = [:]

  init?(_ session: DwarfSession, at offset: UInt64, code: CodeRanges) {
    guard let die = session.die(at: offset) else { return nil }
    self.session = session
    self.code = code
    unitDIE = die
    functions = ScopeIndex(functionsOf: &unitDIE, code: code)
  }

  /// The functions at `address`, innermost inlined one first, with the place in each; empty when
  /// the unit knows neither function nor line.
  ///
  /// The last one's function is nil where code has lines but no function, such as assembly.
  func frames(at address: UInt64) -> [(function: FunctionName?, file: String?, line: Int)] {
    if whole == nil, innermostScope(at: address) == nil {
      whole = ScopeIndex(allOf: &unitDIE, code: code)
    }
    var place = lines.place(at: address) { address in
      self.innermostScope(at: address).map { $0.index.scopes[$0.scope].die }
    }
    let found = innermostScope(at: address)
    guard found != nil || place != nil else { return [] }
    var result: [(function: FunctionName?, file: String?, line: Int)] = []
    if let scopes = found?.index.scopes {
      var scope = found?.scope
      // Ends: a scope's parent was made before it.
      while let index = scope {
        result.append((name(of: scopes[index]), place?.file.map(fullPath), place?.line ?? 0))
        guard scopes[index].isInlined else { break }
        place = callPlace(of: scopes[index])
        scope = scopes[index].parent < 0 ? nil : Int(scopes[index].parent)
      }
    }
    if result.isEmpty { result.append((nil, place?.file.map(fullPath), place?.line ?? 0)) }
    return result
  }

  /// libdw joins the directories of the line table only.
  private func fullPath(_ file: String) -> String {
    guard !file.hasPrefix("/"), let directory else { return file }
    return directory + "/" + file
  }

  private func innermostScope(at address: UInt64) -> Found? {
    if let whole { return whole.innermost(at: address).map { (whole, $0) } }
    guard let function = functions.innermost(at: address) else { return nil }
    let inner = contents(of: functions.scopes[function])
    return inner.innermost(at: address).map { (inner, $0) } ?? (functions, function)
  }

  private func contents(of function: ScopeIndex.Scope) -> ScopeIndex {
    if let known = contents[function.die] { return known }
    var index = ScopeIndex()
    if var die = session.die(at: function.die) {
      index = ScopeIndex(function: &die, code: code, budget: &budget)
    }
    contents[function.die] = index
    return index
  }

  private func name(of scope: ScopeIndex.Scope) -> FunctionName? {
    if let known = names[scope.die] { return known }
    guard var die = session.die(at: scope.die) else { return nil }
    let name = FunctionName(&die)
    names[scope.die] = name
    return name
  }

  private func callPlace(of scope: ScopeIndex.Scope) -> (file: String?, line: Int)? {
    guard var die = session.die(at: scope.die) else { return nil }
    let file = unsignedAttribute(DW_AT_call_file, of: &die).flatMap { files[$0] }
    let line = unsignedAttribute(DW_AT_call_line, of: &die).flatMap { Int(exactly: $0) }
    return (file, line ?? 0)
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
  func place(at address: UInt64, scope: (UInt64) -> UInt64?) -> (file: String?, line: Int)? {
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
