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

  init(_ process: ProcessIdentity) {
    let memory = ProcessMemory(process)
    symbolizer = Symbolizer(
      file: { [files] in files.known[$0] },
      debugFiles: DebugFiles(
        byBuildID: { memory.debugFile(buildID: $0) }, byPath: { memory.debugFile(path: $0) }))
  }

  /// Calls `body`, which uses the names, while no other thread does so in this way.
  func exclusively<Value>(_ body: () -> Value) -> Value {
    use.withLock { _ in body() }
  }

  /// Why modules have no names or no lines, in words.
  var problems: [ModuleID: String] { symbolizer.problems }

  /// Takes the files of modules; wanted before their first frame is resolved.
  func add(_ files: [ModuleID: MappedFile]) {
    self.files.known.merge(files) { known, _ in known }
  }

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

/// The files of the modules that `frames` are in; opens those that were not opened yet.
func files(of frames: some Sequence<Frame>, in modules: ModuleMap) -> [ModuleID: MappedFile] {
  var files: [ModuleID: MappedFile] = [:]
  for case .code(let address) in frames where files[address.module] == nil {
    files[address.module] = modules.file(of: address.module)
  }
  return files
}
