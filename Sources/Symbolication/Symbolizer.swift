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

  /// `file` opens a module's file; it is called once for each module, and where it gives nil, the
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
