internal import ELFReading
internal import LinuxProcess
internal import NativeUnwinding
internal import ProfileModel
internal import RuntimeReading

/// Tells the machinery of the process's runtimes from the built-in functions that a program calls.
///
/// Belongs to the resolver's thread.
final class InterpreterFrames {
  enum Kind: Equatable {
    /// Code of a runtime.
    case runtime(NativeRole)
    /// The C library, which also starts programs and threads.
    case library
    /// Any other code.
    case foreign
  }

  private let modules: ModuleMap
  private var runtimes: [any RuntimeNativeCode] = []
  /// By the frame's number.
  private var kinds: [Kind?] = []
  private var tables: [ModuleID: (symbols: SymbolTable, linkage: ProcedureLinkage)?] = [:]
  /// What the interpreter's functions are that were met, ascending by their starts: a sample often meets
  /// a new address, but seldom a new function.
  private var functions: [ModuleID: [(code: Range<FileAddress>, role: NativeRole)]] = [:]

  init(modules: ModuleMap) { self.modules = modules }

  /// Says which runtimes the process has; never fewer than before.
  func use(_ runtimes: [any RuntimeNativeCode]) {
    guard runtimes.count != self.runtimes.count else { return }
    self.runtimes = runtimes
    kinds.removeAll()
    functions.removeAll()
  }

  func kind(of frame: FrameID, _ stacks: StackTable) -> Kind {
    let number = Int(frame.rawValue)
    if number < kinds.count, let known = kinds[number] { return known }
    let kind = classify(stacks[frame])
    if number >= kinds.count {
      kinds += repeatElement(nil, count: max(number, stacks.frames.count - 1) + 1 - kinds.count)
    }
    kinds[number] = kind
    return kind
  }

  private func classify(_ frame: Frame) -> Kind {
    if modules.isPythonStub(frame) { return .runtime(.machinery) }
    guard case .code(let code) = frame, code.module.rawValue >= 0,
      modules.modules.indices.contains(Int(code.module.rawValue))
    else { return .foreign }
    let module = modules.modules[Int(code.module.rawValue)]
    if let runtime = runtimes.first(where: { $0.path == module.path }) {
      return .runtime(role(of: code, in: runtime))
    }
    let file = module.name
    if file.hasPrefix("libc.so") || file.hasPrefix("libc-") || file.hasPrefix("libpthread")
      || file.hasPrefix("ld-")
    {
      return .library
    }
    // The small program around a runtime's library starts it, as the C library does.
    return runtimes.contains { $0.isLauncher(file) } ? .library : .foreign
  }

  private func role(of code: CodeAddress, in runtime: any RuntimeNativeCode) -> NativeRole {
    if let known = functions[code.module] {
      let next = known.partitioningIndex { $0.code.lowerBound > code.address }
      if next > 0, known[next - 1].code.contains(code.address) { return known[next - 1].role }
    }
    // Without symbols a built-in function cannot be told from the rest.
    guard let symbol = symbol(of: code) else { return .machinery }
    let role = runtime.role(ofFunction: symbol.name)
    let end = FileAddress(symbol.start.rawValue &+ symbol.size)
    if symbol.start < end {
      let known = functions[code.module] ?? []
      let place = known.partitioningIndex { $0.code.lowerBound > symbol.start }
      functions[code.module, default: []].insert((symbol.start..<end, role), at: place)
    }
    return role
  }

  private func symbol(of code: CodeAddress) -> Symbol? {
    guard let file = modules.file(of: code.module) else { return nil }
    if tables[code.module] == nil {
      tables[code.module] = .some(
        (try? ELFFile(file.bytes)).map {
          (SymbolTable($0, bytes: file.bytes), ProcedureLinkage($0, bytes: file.bytes))
        })
    }
    guard let tables = tables[code.module] ?? nil else { return nil }
    return tables.symbols.symbol(containing: code.address, in: file.bytes)
      ?? tables.linkage.symbol(containing: code.address, in: file.bytes) {
        tables.symbols.symbol(containing: $0, in: file.bytes)?.name
      }
  }
}
