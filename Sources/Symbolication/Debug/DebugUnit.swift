internal import CElfutils
internal import ProfileModel

/// The functions, inlined calls and lines of one compilation unit.
///
/// The functions are indexed in one pass over the unit's outer DIEs when it is made (libdw's
/// `dwarf_getscopes` walks the whole unit at every call), what is inlined in one at the first look-up
/// there, and the line table at the first of all. The pass leaves out types, and functions within
/// others; all of the unit is indexed at the first address for which no function is known.
final class DebugUnit {
  private typealias Found = (index: ScopeIndex, scope: Int)

  /// Of the functions: the split part's where there is one.
  private let session: DwarfSession
  private let code: CodeRanges
  /// What the lines are found by.
  private var unitDIE: Dwarf_Die
  /// What the functions are in.
  private var functionsDIE: Dwarf_Die
  private let split: SplitRanges?
  private let functions: ScopeIndex
  /// What is in a function, by its DIE.
  private var contents: [UInt64: ScopeIndex] = [:]
  private var whole: ScopeIndex?
  /// How many more DIEs are read: where functions of bad data do not end where they say, each would take
  /// as long as the unit.
  private var budget = 1 << 24
  private let lineTables: LineTables
  private lazy var lines: LineNumberTable? = readLines()
  /// Read at the first name that may be one of a type's functions.
  private var members: MemberIndex?
  private var names: [UInt64: DebugFunctionName] = [:]

  init?(
    _ session: DwarfSession, _ lineTables: LineTables, at offset: UInt64, code: CodeRanges,
    splits: SplitUnits
  ) {
    guard let die = session.die(at: offset) else { return nil }
    self.code = code
    self.lineTables = lineTables
    unitDIE = die
    let part = splits.unit(of: &unitDIE)
    self.session = part?.session ?? session
    split = part?.ranges
    functionsDIE = part?.die ?? die
    functions = ScopeIndex(functionsOf: &functionsDIE, code: code, split: split)
  }

  /// The functions at `address`, innermost inlined one first, with the place in each; empty when
  /// the unit knows neither function nor line.
  func frames(at address: FileAddress) -> [DebugFrame] {
    if whole == nil, innermostScope(at: address) == nil {
      whole = ScopeIndex(allOf: &functionsDIE, code: code, split: split)
    }
    let row = lines?.place(at: address) { address in
      self.innermostScope(at: address).map { $0.index.scopes[$0.scope].die }
    }
    var place = row.map { (file: lines?.files[UInt64($0.file)], line: $0.line) }
    let found = innermostScope(at: address)
    guard found != nil || place != nil else { return [] }
    var result: [DebugFrame] = []
    if let scopes = found?.index.scopes {
      var scope = found?.scope
      // Ends: a scope's parent was made before it.
      while let index = scope {
        result.append(
          DebugFrame(
            function: name(of: scopes[index]), file: place?.file, line: place?.line ?? 0))
        guard scopes[index].isInlined else { break }
        place = callPlace(of: scopes[index])
        scope = scopes[index].parent < 0 ? nil : Int(scopes[index].parent)
      }
    }
    if result.isEmpty {
      result.append(DebugFrame(function: nil, file: place?.file, line: place?.line ?? 0))
    }
    return result
  }

  private func readLines() -> LineNumberTable? {
    unsignedAttribute(DW_AT_stmt_list, of: &unitDIE).flatMap {
      lineTables.table(
        at: $0, directory: stringAttribute(DW_AT_comp_dir, of: &unitDIE), code: code)
    }
  }

  private func innermostScope(at address: FileAddress) -> Found? {
    if let whole { return whole.innermost(at: address).map { (whole, $0) } }
    guard let function = functions.innermost(at: address) else { return nil }
    let inner = contents(of: functions.scopes[function])
    return inner.innermost(at: address).map { (inner, $0) } ?? (functions, function)
  }

  private func contents(of function: ScopeIndex.Scope) -> ScopeIndex {
    if let known = contents[function.die] { return known }
    var index = ScopeIndex()
    if var die = session.die(at: function.die) {
      index = ScopeIndex(function: &die, code: code, split: split, budget: &budget)
    }
    contents[function.die] = index
    return index
  }

  private func name(of scope: ScopeIndex.Scope) -> DebugFunctionName? {
    if let known = names[scope.die] { return known }
    guard var die = session.die(at: scope.die) else { return nil }
    var name = DebugFunctionName(&die)
    if name.linkageName == nil, name.plainName != nil, name.mayBeMember {
      name.plainName = memberName(of: die, name.plainName ?? "", depth: 0) ?? name.plainName
    }
    names[scope.die] = name
    return name
  }

  /// The name of a function within a type with what is around it, as `main::{lambda at line 15}`; nil for one
  /// that is in no type.
  private func memberName(of die: Dwarf_Die, _ name: String, depth: Int) -> String? {
    if members == nil { members = MemberIndex(unit: &functionsDIE, budget: &budget) }
    guard depth < 8, let scopes = members?.scopes(around: die) else { return nil }
    var parts: [String] = []
    for scope in scopes {
      switch scope {
      case .function(let offset): parts += functionName(at: offset, depth: depth).map { [$0] } ?? []
      case .named(let name): parts.append(name)
      case .lambda(let line): parts.append("{lambda at line \(line)}")
      }
    }
    if case .lambda? = scopes.last, name.hasPrefix("operator()") {
      // A generic one has the types that it is called with.
      return parts.joined(separator: "::") + name.dropFirst("operator()".count)
    }
    return (parts + [name]).joined(separator: "::")
  }

  private func functionName(at offset: UInt64, depth: Int) -> String? {
    guard var die = session.die(at: offset) else { return nil }
    let name = DebugFunctionName(&die)
    if let linkageName = name.linkageName { return demangle(linkageName) ?? linkageName }
    return name.plainName.map { memberName(of: die, $0, depth: depth + 1) ?? $0 }
  }

  private func callPlace(of scope: ScopeIndex.Scope) -> (file: String?, line: Int)? {
    guard var die = session.die(at: scope.die) else { return nil }
    let file = unsignedAttribute(DW_AT_call_file, of: &die).flatMap { lines?.files[$0] }
    let line = unsignedAttribute(DW_AT_call_line, of: &die).flatMap { Int(exactly: $0) }
    return (file, line ?? 0)
  }
}
