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
  private let debugFiles: DebugFiles
  private let time: SymbolTime
  private let generated: GeneratedCode?
  private var modules: [ModuleID: ModuleSymbols] = [:]
  private var resolved: [Request: ResolvedFrame] = [:]

  /// `file` opens a module's file; it is called once for each module, and where it gives nil, the
  /// module's addresses stay addresses.
  ///
  /// `generated` names code in no file. Debug data is read for at most `timeLimit` in all; what comes later has its function only, and
  /// `problems` says so. Names alone are always looked up.
  package init(
    file: @escaping (ModuleID) -> MappedFile?, debugFiles: DebugFiles = DebugFiles(),
    generated: GeneratedCode? = nil, timeLimit: Nanoseconds? = nil
  ) {
    self.file = file
    self.generated = generated
    self.debugFiles = debugFiles
    time = SymbolTime(limit: timeLimit)
  }

  /// Why modules have no names or no lines although they seem to carry some.
  package var problems: [ModuleID: ModuleProblem] { modules.compactMapValues(\.problem) }

  /// Modules whose lines were looked for, with no file that may have them; nothing is wrong with them.
  package var withoutDebugData: Set<ModuleID> {
    Set(modules.filter { $0.value.hasNoDebugData }.keys)
  }

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
    var new: [ModuleID: [Int]] = [:]
    let isGenerated = addresses.contains {
      $0.module == .anonymous && resolved[Request(address: $0, detail: detail)] == nil
    }
    if isGenerated { generated?.refresh() }
    for (index, address) in addresses.enumerated() {
      if resolved[Request(address: address, detail: detail)] == nil {
        new[address.module, default: []].append(index)
      }
      result.append(frame(at: address, detail: detail))
      progress?(result.count, addresses.count)
    }
    for (module, places) in new where symbols(of: module).checkFiles() == .changed {
      for place in places {
        resolved[Request(address: addresses[place], detail: detail)] = nil
        result[place] = frame(at: addresses[place], detail: detail)
      }
    }
    return result
  }

  private func frame(at address: CodeAddress, detail: Detail) -> ResolvedFrame {
    let request = Request(address: address, detail: detail)
    if let known = resolved[request] { return known }
    if address.module == .anonymous, let generated {
      // What is not known now may be later.
      guard let line = generated.line(at: address.address.rawValue) else {
        return ResolvedFrame(
          lines: [SourceLine(function: address.address.description)], module: .anonymous)
      }
      let frame = ResolvedFrame(lines: [line], module: .anonymous)
      resolved[request] = frame
      return frame
    }
    let symbols = symbols(of: address.module)
    let lines = time.spend { symbols.lines(at: address.address, detail: detail) }
    let frame = ResolvedFrame(lines: lines, module: address.module)
    resolved[request] = frame
    return frame
  }

  /// The global or static variable at an address of a module's data; nil when none is known.
  ///
  /// The first call for a module with debug data reads all its variables, within a limit; meant for
  /// the few addresses that threads wait for.
  package func variable(at address: CodeAddress) -> DataVariable? {
    let symbols = symbols(of: address.module)
    let variable = symbols.variable(at: address.address)
    return symbols.checkFiles() == .changed ? nil : variable
  }

  private func symbols(of module: ModuleID) -> ModuleSymbols {
    if let known = modules[module] { return known }
    let symbols = ModuleSymbols(
      module == .anonymous ? nil : file(module), debugFiles: debugFiles, time: time)
    modules[module] = symbols
    return symbols
  }
}
