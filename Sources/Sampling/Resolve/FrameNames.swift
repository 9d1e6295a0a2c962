internal import LinuxProcess
internal import NativeUnwinding
internal import ProfileModel
internal import Symbolication
internal import Synchronization

/// Names of frames, each looked up once.
///
/// Used by one thread at a time, by several through `exclusively`; needs no `ModuleMap`, which belongs to the resolver's thread.
final class FrameNames {
  private final class Files {
    var known: [ModuleID: MappedFile] = [:]
  }

  private let files = Files()
  private let use = Mutex<Void>(())
  private let symbolizer: Symbolizer
  private let generated: GeneratedCode?

  /// Debug files are looked for in the process's own file system first, and read for at most as long as
  /// the options say.
  ///
  /// Where the names are for several processes, code in no file has none: each has its own.
  init(
    _ process: ProcessIdentity, _ options: SampleOptions = SampleOptions(),
    isForMany: Bool = false
  ) {
    let memory = ProcessMemory(process)
    generated = isForMany ? nil : GeneratedCode(of: process)
    symbolizer = Symbolizer(
      file: { [files] in files.known[$0] },
      debugFiles: DebugFiles(
        roots: [{ memory.debugFile(path: $0) }, { MappedFile.regular(at: $0) }],
        caches: DebugFiles.caches(environment: Environment.value)),
      generated: generated, timeLimit: options.symbolsTimeout)
  }

  /// Calls `body`, which uses the names, while no other thread does so in this way.
  func exclusively<Value>(_ body: () -> Value) -> Value {
    use.withLock { _ in body() }
  }

  /// Why modules have no names or no lines.
  var problems: [ModuleID: ModuleProblem] { symbolizer.problems }

  /// Modules that have neither debug data nor a debug file.
  var withoutDebugData: Set<ModuleID> { symbolizer.withoutDebugData }

  /// Takes the files of modules; wanted before their first frame is resolved.
  func add(_ files: [ModuleID: MappedFile]) {
    self.files.known.merge(files) { known, _ in known }
  }

  /// Takes the modules that a capture met, one of which may show where names of generated code are.
  func note(_ modules: [Module]) { generated?.note(paths: modules.lazy.map(\.path)) }

  /// The variable at an address of a module's data; `file` is the module's.
  func variable(at address: CodeAddress, file: MappedFile?) -> DataVariable? {
    if let file { add([address.module: file]) }
    return symbolizer.variable(at: address)
  }

  /// The names of frames, in the same order.
  func resolve(
    _ frames: some Collection<Frame>, progress: ((_ done: Int, _ of: Int) -> Void)? = nil
  ) -> [ResolvedFrame] {
    let addresses = frames.compactMap { frame in
      if case .code(let address) = frame { address } else { nil }
    }
    var resolved = symbolizer.resolve(addresses, detail: .lines, progress: progress)[...]
    return frames.map { frame in
      guard case .code = frame, let next = resolved.popFirst() else {
        return ResolvedFrame(unknown: frame)
      }
      return next
    }
  }
}

extension GeneratedCode {
  /// Of the files that a process writes for profilers, which are named by its number in its own namespace.
  convenience init(of process: ProcessIdentity) {
    let memory = ProcessMemory(process)
    let status = try? ProcessStatus(of: process.pid)
    let number = status?.namespaceNumbers.last ?? process.pid
    // A process that has ended shows its files to nobody; but its files are still there.
    let user = memory.sharesMounts ? status?.effectiveUserID : nil
    func open(_ path: String) -> OwnedFile? {
      memory.ownedFile(path: path) ?? user.flatMap { OwnedFile(path: path, user: $0) }
    }
    self.init(
      map: { open("/tmp/perf-\(number).map") },
      dump: { path in
        let name = "/jit-\(number).dump"
        let mapped = (try? memory.maps())?.mappings.first { $0.path.hasSuffix(name) }?.path
        let known = path.flatMap { $0.hasSuffix(name) ? $0 : nil }
        return open(mapped ?? known ?? "/tmp\(name)")
      })
  }
}

/// The files of the modules that `frames` are in; opens those that were not opened yet.
func files(of frames: some Sequence<Frame>, in modules: ModuleMap) -> [ModuleID: MappedFile] {
  var files: [ModuleID: MappedFile] = [:]
  for case .code(let address) in frames where files[address.module] == nil {
    files[address.module] = modules.file(of: address.module)
  }
  return files
}
