internal import ELFReading
internal import LinuxProcess
internal import ProfileModel

/// The symbols and debug data of one module.
final class ModuleSymbols {
  enum FileState {
    case unchanged
    /// What was looked up since the last check may be wrong.
    case changed
  }

  private var file: MappedFile?
  private var elf: ELFFile?
  private(set) var problem: String?
  private let debugFiles: DebugFiles
  /// Others that names are taken from.
  private var otherFiles: [MappedFile] = []
  private lazy var symbols: (table: SymbolTable, file: MappedFile)? = readSymbols()
  private lazy var linkage: ProcedureLinkage? = readLinkage()
  private lazy var debugData: DebugData? = openDebugData()

  init(_ file: MappedFile?, debugFiles: DebugFiles) {
    self.file = file
    self.debugFiles = debugFiles
    guard let file else { return }
    do throws(ELFFile.Problem) {
      elf = try ELFFile(file.bytes)
    } catch {
      problem =
        switch error {
        case .notELF: "not an ELF file"
        case .unsupportedClass: "not a 64-bit little-endian ELF file"
        case .truncated: "the ELF file is cut off"
        }
    }
  }

  /// Looks whether a file was written to since it was opened; from then on addresses stay addresses.
  func checkFiles() -> FileState {
    guard ([file].compactMap { $0 } + otherFiles).contains(where: \.hasChanged) else {
      return .unchanged
    }
    (file, elf, otherFiles) = (nil, nil, [])
    (symbols, variables, linkage, debugData) = (nil, nil, nil, nil)
    problem = Module.changedFile
    return .changed
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
      let separate = debugFiles.byBuildID(id), let debug = try? ELFFile(separate.bytes),
      debug.buildID(in: separate.bytes) == id, debug.section(named: ".symtab") != nil
    {
      otherFiles.append(separate)
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
      let data = try DebugData(file, elf: elf, debugFiles)
      otherFiles += data.otherFiles
      return data
    } catch {
      problem = error.words
      return nil
    }
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
