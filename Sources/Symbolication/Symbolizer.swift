internal import ELFReading
package import LinuxProcess
package import ProfileModel

/// Gives names, files and lines to code addresses.
///
/// Everything is read when it is first needed and kept: a module's symbols at its first address, its
/// debug data at its first address with lines. Used by one thread.
package final class Symbolizer {
  /// How much to look up.
  package enum Detail: Hashable, Sendable {
    /// The function only, from ELF symbols.
    case functions
    /// File, line and inlined functions too, from DWARF where there is some.
    case lines
  }

  private struct Request: Hashable {
    let address: CodeAddress
    let detail: Detail
  }

  private let file: (ModuleID) -> MappedFile?
  private let debugFile: (_ buildID: String) -> MappedFile?
  private var modules: [ModuleID: ModuleSymbols] = [:]
  private var resolved: [Request: ResolvedFrame] = [:]

  /// Takes what opens a module's file; it is asked once for each module, and nil means that the
  /// module's addresses stay addresses.
  ///
  /// `debugFile` opens the separate debug file of a stripped module, of which only the symbols are
  /// read: inflating its debug data would take longer than all the rest (65 ms for the C library).
  package init(
    file: @escaping (ModuleID) -> MappedFile?,
    debugFile: @escaping (_ buildID: String) -> MappedFile? = { _ in nil }
  ) {
    self.file = file
    self.debugFile = debugFile
  }

  /// Why modules have no names or no lines although they seem to carry some, in words.
  package var problems: [ModuleID: String] { modules.compactMapValues(\.problem) }

  /// Resolves each address once; results are kept.
  ///
  /// Never fails: a function that is not known is shown as its address, such as `0x4010f3`. The
  /// result has one frame for each address, in the same order. `progress` is called after each.
  package func resolve(
    _ addresses: [CodeAddress], detail: Detail,
    progress: ((_ done: Int, _ of: Int) -> Void)? = nil
  ) -> [ResolvedFrame] {
    var result: [ResolvedFrame] = []
    result.reserveCapacity(addresses.count)
    for address in addresses {
      result.append(frame(at: address, detail: detail))
      progress?(result.count, addresses.count)
    }
    return result
  }

  private func frame(at address: CodeAddress, detail: Detail) -> ResolvedFrame {
    let request = Request(address: address, detail: detail)
    if let known = resolved[request] { return known }
    let lines = symbols(of: address.module).lines(at: address.address, detail: detail)
    let frame = ResolvedFrame(lines: lines, module: address.module)
    resolved[request] = frame
    return frame
  }

  /// The global or static variable at an address of a module's data; nil when none is known.
  ///
  /// The first call for a module with debug data reads all its variables, within a limit; meant for
  /// the few addresses that threads wait for.
  package func variable(at address: CodeAddress) -> DataVariable? {
    symbols(of: address.module).variable(at: address.address)
  }

  private func symbols(of module: ModuleID) -> ModuleSymbols {
    if let known = modules[module] { return known }
    let symbols = ModuleSymbols(module == .anonymous ? nil : file(module), debugFile: debugFile)
    modules[module] = symbols
    return symbols
  }
}

/// The symbols and debug data of one module.
private final class ModuleSymbols {
  private let file: MappedFile?
  private let elf: ELFFile?
  private(set) var problem: String?
  private let debugFile: (_ buildID: String) -> MappedFile?
  private lazy var symbols: (table: SymbolTable, file: MappedFile)? = readSymbols()
  private lazy var linkage: ProcedureLinkage? = readLinkage()
  private lazy var debugData: DebugData? = openDebugData()

  init(_ file: MappedFile?, debugFile: @escaping (_ buildID: String) -> MappedFile?) {
    self.file = file
    self.debugFile = debugFile
    guard let file else {
      elf = nil
      return
    }
    do throws(ELFFile.Problem) {
      elf = try ELFFile(file.bytes)
    } catch {
      elf = nil
      problem =
        switch error {
        case .notELF: "not an ELF file"
        case .unsupportedClass: "not a 64-bit little-endian ELF file"
        case .truncated: "the ELF file is cut off"
        }
    }
  }

  /// At least one.
  func lines(at address: FileAddress, detail: Symbolizer.Detail) -> [SourceLine] {
    let frames =
      detail == .functions ? [] : debugData?.frames(at: address) ?? []
    guard let last = frames.last else { return [line(at: address, named: nil, file: nil, line: 0)] }
    return frames.dropLast().map { frame in
      let name = DisplayName(frame.function, symbol: nil)
      return SourceLine(
        function: name?.text ?? address.description, linkageName: name?.linkageName,
        file: frame.file, line: frame.line, isInlined: true)
    } + [line(at: address, named: last.function, file: last.file, line: last.line)]
  }

  private func line(
    at address: FileAddress, named function: DebugFunctionName?, file: String?, line: Int
  ) -> SourceLine {
    var name: DisplayName?
    if function?.linkageName != nil {
      name = DisplayName(function, symbol: nil)
    } else {
      name = DisplayName(function, symbol: symbol(at: address) ?? stub(at: address))
    }
    return SourceLine(
      function: name?.text ?? address.description, linkageName: name?.linkageName, file: file,
      line: line)
  }

  private func symbol(at address: FileAddress) -> Symbol? {
    symbols.flatMap { $0.table.symbol(containing: address, in: $0.file.bytes) }
  }

  private func stub(at address: FileAddress) -> Symbol? {
    file.flatMap {
      linkage?.symbol(containing: address, in: $0.bytes) { symbol(at: $0)?.name }
    }
  }

  private lazy var variables: (table: SymbolTable, file: MappedFile)? = readSymbols(.variables)

  func variable(at address: FileAddress) -> DataVariable? {
    guard let symbols = variables,
      let symbol = symbols.table.symbol(containing: address, in: symbols.file.bytes)
    else { return nil }
    let offset = address.rawValue - symbol.start.rawValue
    let name = DisplayName(nil, symbol: symbol)?.text ?? symbol.name
    guard let place = debugData?.variables.place(in: symbol.start, at: offset) else {
      return DataVariable(name: name, size: symbol.size, offset: offset)
    }
    return DataVariable(
      name: name, size: symbol.size, offset: offset, path: place.path, file: place.file)
  }

  private func readSymbols(
    _ content: SymbolTable.Content = .functions
  ) -> (table: SymbolTable, file: MappedFile)? {
    guard let elf, let file else { return nil }
    if elf.section(named: ".symtab") == nil, let id = elf.buildID(in: file.bytes),
      let separate = debugFile(id), let debug = try? ELFFile(separate.bytes),
      debug.buildID(in: separate.bytes) == id, debug.section(named: ".symtab") != nil
    {
      return (SymbolTable(debug, bytes: separate.bytes, content: content), separate)
    }
    return (SymbolTable(elf, bytes: file.bytes, content: content), file)
  }

  private func readLinkage() -> ProcedureLinkage? {
    guard let elf, let file else { return nil }
    return ProcedureLinkage(elf, bytes: file.bytes)
  }

  private func openDebugData() -> DebugData? {
    guard let elf, let file else { return nil }
    do throws(DebugData.Problem) {
      return try DebugData(file, elf: elf)
    } catch {
      problem = error.words
      return nil
    }
  }
}

/// A function's name for the reader, and the linker's where it is another.
private struct DisplayName {
  let text: String
  let linkageName: String?

  /// Prefers the debug data's linkage name, then a mangled symbol, then the plain name.
  init?(_ function: DebugFunctionName?, symbol: Symbol?) {
    let symbolName = symbol.map { Self.withoutVersion($0.name) }
    // Not a version: a stub of that function.
    let suffix = symbol?.name.hasSuffix("@plt") == true ? "@plt" : ""
    if let linkageName = function?.linkageName {
      text = demangle(linkageName) ?? linkageName
      self.linkageName = text == linkageName ? nil : linkageName
      return
    }
    if let symbolName, let plain = demangle(symbolName) {
      text = plain + suffix
      linkageName = symbolName + suffix
      return
    }
    guard let name = function?.plainName ?? symbolName.map({ $0 + suffix }) else { return nil }
    text = name
    linkageName = nil
  }

  /// Without `@@GLIBC_2.14` or the like.
  private static func withoutVersion(_ name: String) -> String {
    let at = name.utf8.firstIndex(of: UInt8(ascii: "@"))
    guard let at, at > name.startIndex else { return name }
    return String(name[..<at])
  }
}

extension DebugData.Problem {
  /// What it means for the user; nil for an image without debug data.
  fileprivate var words: String? {
    switch self {
    case .noDebugData: nil
    case .tooLarge(let section, let bytes):
      "no lines: its \(section) has \(bytes >> 20) MiB, more than the \(DebugData.sizeLimit >> 20) "
        + "MiB that are read"
    case .unsupportedCompression(let section):
      "no lines: its \(section) is compressed in a way that libelf cannot read (Zstandard)"
    case .unreadable(let reason): "no lines: its debug data cannot be read (\(reason))"
    }
  }
}
