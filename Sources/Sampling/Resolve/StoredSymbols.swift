package import LinuxProcess
package import ProfileModel
internal import Symbolication

/// Adds names and lines to a capture that was made where there were none: on a machine without debug
/// files, say.
///
/// A capture has the build ID of each module and the address in its file of each frame, so that another
/// machine's files give exactly the names that the program's own would have given.
package struct StoredSymbols {
  /// What became of a module.
  package enum Outcome: Equatable, Sendable {
    /// So many frames have got names, lines or inlined functions that they lacked.
    case improved(frames: Int)
    /// There was nothing to add.
    case unchanged
    /// The module has no build ID by which a file could be found.
    case noBuildID
    case noFile
    case problem(ModuleProblem)
  }

  /// A module with frames in the capture.
  package struct Entry: Sendable {
    package let module: Module
    package let frames: Int
    package let outcome: Outcome
  }

  private let open: (_ path: String) -> MappedFile?
  private let debugFiles: DebugFiles
  private let caches: [String]
  private let fetch: ((_ buildID: String) -> MappedFile?)?

  /// Looks below `root`, which is `/` for sprof's own file system, and into the folders that a debuginfod
  /// client keeps its files in.
  ///
  /// `fetch` gets the debug file of a module for which none is there.
  package init(
    root: String, caches: [String], fetch: ((_ buildID: String) -> MappedFile?)? = nil
  ) {
    let prefix = root == "/" ? "" : root
    let roots = prefix.isEmpty ? [""] : [prefix, ""]
    open = { path in
      for root in roots {
        if let file = MappedFile.regular(at: root + path) { return file }
      }
      return nil
    }
    self.caches = caches
    self.fetch = fetch
    debugFiles = DebugFiles(
      roots: roots.map { root in { MappedFile.regular(at: root + $0) } }, caches: caches)
  }

  /// The folders of the debuginfod client's that the user's environment names.
  package static var userCaches: [String] { DebugFiles.caches(environment: Environment.value) }

  /// Names the frames of `profile` anew where a module's files are found; what is known stays where these
  /// say less.
  ///
  /// Those with most frames come first. `progress` is called before each module.
  package func addNames(
    to profile: inout Profile, progress: ((_ module: Module) -> Void)? = nil
  ) -> [Entry] {
    let frames = profile.stacks.frames
    var places: [ModuleID: [Int]] = [:]
    for (index, frame) in frames.enumerated() {
      if case .code(let code) = frame, code.module != .anonymous,
        profile.modules.indices.contains(Int(code.module.rawValue))
      {
        places[code.module, default: []].append(index)
      }
    }
    while profile.symbols.count < frames.count {
      profile.symbols.append(ResolvedFrame(unknown: frames[profile.symbols.count]))
    }
    let oldNotes = Set(CaptureNotes.notes(ofModulesIn: profile))
    var entries: [Entry] = []
    for (id, indices) in places.sorted(by: { ($1.value.count, $0.key) < ($0.value.count, $1.key) })
    {
      let module = profile.modules[Int(id.rawValue)]
      progress?(module)
      let outcome = addNames(to: &profile, id, module, indices)
      entries.append(Entry(module: module, frames: indices.count, outcome: outcome))
    }
    profile.capture.notes.removeAll { note in
      oldNotes.contains(note) || entries.contains { $0.refutes(note) }
    }
    profile.capture.notes += CaptureNotes.notes(ofModulesIn: profile)
    return entries
  }

  private func addNames(
    to profile: inout Profile, _ id: ModuleID, _ module: Module, _ indices: [Int]
  ) -> Outcome {
    // It comes from a file, and goes into paths and to servers.
    guard let buildID = module.buildID, (3...128).contains(buildID.utf8.count),
      buildID.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
    else { return .noBuildID }
    guard let file = file(of: module, buildID) else { return .noFile }
    let symbolizer = Symbolizer(file: { _ in file }, debugFiles: debugFiles(for: buildID))
    let addresses = indices.compactMap { index in
      if case .code(let code) = profile.stacks.frames[index] { code } else { nil }
    }
    let found = symbolizer.resolve(addresses, detail: .lines)
    var count = 0
    for (index, frame) in zip(indices, found) where frame.saysMore(than: profile.symbols[index]) {
      profile.symbols[index] = frame
      count += 1
    }
    let problem = symbolizer.problems[id]
    let isKept = module.problem.map { !$0.isAboutLines && count == 0 } ?? false
    profile.modules[Int(id.rawValue)] = Module(
      path: module.path, buildID: buildID, problem: isKept ? module.problem : problem)
    if count == 0, let problem { return .problem(problem) }
    return count > 0 ? .improved(frames: count) : .unchanged
  }

  /// The module's own file, or else that with its symbols and debug data.
  private func file(of module: Module, _ buildID: String) -> MappedFile? {
    func isRight(_ file: MappedFile) -> Bool { BuildID.of(file) == buildID }
    let path =
      module.path.hasSuffix(" (deleted)") ? String(module.path.dropLast(10)) : module.path
    if path.hasPrefix("/"), let file = open(path), isRight(file) { return file }
    for cache in caches {
      let path = "\(cache)/\(buildID)/executable"
      if let file = MappedFile.regular(at: path), isRight(file) { return file }
    }
    return debugFiles.file(forBuildID: buildID, where: isRight)
      ?? fetch?(buildID).flatMap { isRight($0) ? $0 : nil }
  }

  /// Fetches what is not there.
  private func debugFiles(for buildID: String) -> DebugFiles {
    guard let fetch else { return debugFiles }
    return debugFiles.adding { $0 == buildID ? fetch(buildID) : nil }
  }
}

extension StoredSymbols.Entry {
  /// Whether a note says that the module, which has got lines, has none.
  fileprivate func refutes(_ note: CaptureNote) -> Bool {
    switch (outcome, note) {
    case (.improved, .noDebugData(module: module.name, _)): true
    case (.improved, .repeated(let note, _, _)): refutes(note)
    default: false
    }
  }
}

extension ModuleProblem {
  fileprivate var isAboutLines: Bool { if case .lines = self { true } else { false } }
}

extension ResolvedFrame {
  /// Whether it has what another lacks: a name, a line or an inlined function.
  fileprivate func saysMore(than other: ResolvedFrame) -> Bool {
    func value(_ frame: ResolvedFrame) -> (Int, Int, Int) {
      (
        frame.lines.contains(where: \.isNamed) ? 1 : 0, frame.lines.filter { $0.line > 0 }.count,
        frame.lines.count
      )
    }
    return value(self) > value(other)
  }
}
