package import LinuxProcess
package import ProfileModel

/// Opens the debug files that others refer to; whether they are the right ones their build ids say.
package struct DebugFiles {
  let byBuildID: (_ buildID: String) -> MappedFile?
  let byPath: (_ path: String) -> MappedFile?

  /// Finds none where a closure is left out.
  package init(
    byBuildID: @escaping (_ buildID: String) -> MappedFile? = { _ in nil },
    byPath: @escaping (_ path: String) -> MappedFile? = { _ in nil }
  ) {
    self.byBuildID = byBuildID
    self.byPath = byPath
  }
}

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
  private var modules: [ModuleID: ModuleSymbols] = [:]
  private var resolved: [Request: ResolvedFrame] = [:]

  /// `file` opens a module's file; it is called once for each module, and where it gives nil, the
  /// module's addresses stay addresses.
  ///
  /// Of the separate debug file of a stripped module only the symbols are read: inflating its debug
  /// data would take longer than all the rest (65 ms for the C library).
  package init(file: @escaping (ModuleID) -> MappedFile?, debugFiles: DebugFiles = DebugFiles()) {
    self.file = file
    self.debugFiles = debugFiles
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
    var new: [ModuleID: [Int]] = [:]
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
    let symbols = symbols(of: address.module)
    let variable = symbols.variable(at: address.address)
    return symbols.checkFiles() == .changed ? nil : variable
  }

  private func symbols(of module: ModuleID) -> ModuleSymbols {
    if let known = modules[module] { return known }
    let symbols = ModuleSymbols(module == .anonymous ? nil : file(module), debugFiles: debugFiles)
    modules[module] = symbols
    return symbols
  }
}
