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

  private typealias NamedTable = (table: SymbolTable, file: MappedFile)

  private var file: MappedFile?
  private var elf: ELFFile?
  private(set) var problem: ModuleProblem?
  private let debugFiles: DebugFiles
  private let time: SymbolTime
  /// Others that names are taken from.
  private var otherFiles: [MappedFile] = []
  private lazy var separate: SeparateDebugFile? = findSeparate()
  private lazy var functions: [NamedTable] = readSymbols(.functions)
  private lazy var variables: [NamedTable] = readSymbols(.variables)
  private lazy var linkage: ProcedureLinkage? = readLinkage()
  private lazy var debugData: DebugData? = openDebugData()
  private var openedData: DebugData?
  private lazy var goFunctions: GoFunctionTable? = readGoFunctions()

  init(_ file: MappedFile?, debugFiles: DebugFiles, time: SymbolTime) {
    self.file = file
    self.debugFiles = debugFiles
    self.time = time
    guard let file else { return }
    do throws(ELFFile.Problem) {
      elf = try ELFFile(file.bytes)
    } catch {
      problem =
        switch error {
        case .notELF: .notELF
        case .unsupportedClass: .unsupportedClass
        case .truncated: .cutOff
        }
    }
  }

  /// Looks whether a file was written to since it was opened; from then on addresses stay addresses.
  func checkFiles() -> FileState {
    let all = [file].compactMap { $0 } + otherFiles + (openedData?.otherFiles ?? [])
    guard all.contains(where: \.hasChanged) else { return .unchanged }
    (file, elf, separate, otherFiles) = (nil, nil, nil, [])
    (functions, variables, linkage, debugData, openedData) = ([], [], nil, nil, nil)
    goFunctions = nil
    problem = .changed
    return .changed
  }

  /// At least one.
  func lines(at address: FileAddress, detail: Symbolizer.Detail) -> [SourceLine] {
    let frames = detail == .functions ? [] : debugFrames(at: address)
    guard let last = frames.last else {
      let lines = goLines(at: address, detail: detail)
      return lines.isEmpty ? [line(at: address, named: nil, file: nil, line: 0)] : lines
    }
    return frames.dropLast().map { frame in
      let name = DisplayName(frame.function, symbol: nil)
      return SourceLine(
        function: name?.text ?? address.description, linkageName: name?.linkageName,
        file: frame.file, line: frame.line, isInlined: true)
    } + [line(at: address, named: last.function, file: last.file, line: last.line)]
  }

  /// Whether there is nowhere to look for lines.
  private(set) var hasNoDebugData = false

  private func debugFrames(at address: FileAddress) -> [DebugFrame] {
    guard !time.isOver else {
      let mayHaveLines = openedData != nil || elf?.hasDebugData == true || separate != nil
      if mayHaveLines, problem == nil { problem = .lines(.timeOver(limit: time.limitText)) }
      return []
    }
    guard let data = debugData else { return [] }
    let frames = data.frames(at: address)
    if problem == nil, let missing = data.missingFile {
      problem = .lines(.noSplitFile(missing))
    }
    return frames
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

  /// What Go's own table says where there is no debug data; nothing for other programs.
  private func goLines(at address: FileAddress, detail: Symbolizer.Detail) -> [SourceLine] {
    guard let file, let goFunctions else { return [] }
    let lines = goFunctions.lines(at: address, in: file.bytes)
    guard detail == .functions else { return lines }
    return lines.suffix(1).map { SourceLine(function: $0.function) }
  }

  private func readGoFunctions() -> GoFunctionTable? {
    guard let elf, let file else { return nil }
    return GoFunctionTable(elf, bytes: file.bytes)
  }

  private func symbol(at address: FileAddress) -> Symbol? {
    Self.symbol(at: address, in: functions)
  }

  /// The best of the symbols that cover an address, or come before it.
  private static func symbol(at address: FileAddress, in tables: [NamedTable]) -> Symbol? {
    var best: Symbol?
    for named in tables {
      guard let symbol = named.table.symbol(containing: address, in: named.file.bytes) else {
        continue
      }
      guard let known = best else {
        best = symbol
        continue
      }
      // What has a size was found because it covers the address; of others the nearest counts.
      let isBetter = (symbol.size > 0 ? 1 : 0, symbol.start) > (known.size > 0 ? 1 : 0, known.start)
      if isBetter { best = symbol }
    }
    return best
  }

  private func stub(at address: FileAddress) -> Symbol? {
    file.flatMap {
      linkage?.symbol(containing: address, in: $0.bytes) { symbol(at: $0)?.name }
    }
  }

  func variable(at address: FileAddress) -> DataVariable? {
    guard let symbol = Self.symbol(at: address, in: variables) else { return nil }
    let offset = address.rawValue - symbol.start.rawValue
    let name = DisplayName(nil, symbol: symbol)?.text ?? symbol.name
    guard let place = debugData?.variables.place(in: symbol.start, at: offset) else {
      return DataVariable(name: name, size: symbol.size, offset: offset)
    }
    return DataVariable(
      name: name, size: symbol.size, offset: offset, path: place.path, file: place.file)
  }

  /// The debug file of a module that lacks symbols or debug data.
  private func findSeparate() -> SeparateDebugFile? {
    guard let elf, let file, !(elf.hasSymbols && elf.hasDebugData) else { return nil }
    let found = SeparateDebugFile.find(of: elf, in: file, debugFiles)
    if let found { otherFiles.append(found.file) }
    return found
  }

  private func readSymbols(_ content: SymbolTable.Content) -> [NamedTable] {
    guard let elf, let file else { return [] }
    func table(_ elf: ELFFile, _ file: MappedFile) -> NamedTable {
      defer { file.giveBackPages() }
      return (SymbolTable(elf, bytes: file.bytes, content: content), file)
    }
    guard !elf.hasSymbols else { return [table(elf, file)] }
    if let separate, separate.elf.hasSymbols { return [table(separate.elf, separate.file)] }
    // What is exported, and the rest.
    if let mini = MiniDebugInfo.read(elf, in: file), let other = try? ELFFile(mini.bytes) {
      return [table(elf, file), table(other, mini)]
    }
    return [table(elf, file)]
  }

  private func readLinkage() -> ProcedureLinkage? {
    guard let elf, let file else { return nil }
    return ProcedureLinkage(elf, bytes: file.bytes)
  }

  private func openDebugData() -> DebugData? {
    guard let elf, let file else { return nil }
    let code = CodeRanges(elf)
    do throws(DebugData.Problem) {
      if elf.hasDebugData {
        openedData = try DebugData(file, elf: elf, code: code, debugFiles, time)
      } else if let separate, separate.elf.hasDebugData {
        openedData = try DebugData(
          separate.file, elf: separate.elf, code: code, debugFiles, time)
      }
      hasNoDebugData = openedData == nil && file.identity != nil
      return openedData
    } catch {
      problem = error.ofLines.map { .lines($0) }
      return nil
    }
  }
}

extension DebugData.Problem {
  /// What it means for the lines of the module; nil for an image without debug data.
  fileprivate var ofLines: LinesProblem? {
    switch self {
    case .noDebugData: nil
    case .tooLarge(let section, let bytes):
      .tooLarge(
        section: section, size: UInt64(bytes >> 20), limit: UInt64(DebugData.sizeLimit >> 20))
    case .unsupportedCompression(let section): .unsupportedCompression(section: section)
    case .unreadable(let reason): .unreadable(reason: reason)
    case .takesTooLong(let cost, let limit):
      .tooSlow(cost: SymbolTime.words(cost), limit: limit)
    }
  }
}
