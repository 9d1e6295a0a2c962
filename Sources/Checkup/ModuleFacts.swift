internal import ELFReading
internal import LinuxProcess
package import ProfileModel

/// What one file of a program gave to the stacks of a dump, and what it has to give.
package struct ModuleFacts: Sendable {
  package let path: String
  package let buildID: String?
  /// Why its code has no names or no lines; nil where nothing is wrong with it.
  package let problem: ModuleProblem?
  /// Distinct frames in it, those whose function has a name, and those with a line.
  package var frames = 0
  package var named = 0
  package var withLines = 0
  /// Stacks that end in it too early, by why.
  package var ends: [StackEnd.Reason: Int] = [:]
  /// What the file itself has; nil where it could not be opened.
  package var contents: Contents?

  /// What a file has for unwinding and for names.
  package struct Contents: Equatable, Sendable {
    package var hasUnwindTable = false
    package var hasSymbols = false
    /// Whether it has MiniDebugInfo, or Go's own table of functions.
    package var hasCompressedSymbols = false
    package var hasDebugData = false
    package var hasSeparateFile = false

    package init() {}
  }

  package init(path: String, buildID: String?, problem: ModuleProblem?) {
    self.path = path
    self.buildID = buildID
    self.problem = problem
  }

  /// The facts of the modules that the stacks of a profile go through, by their place in it.
  static func all(of profile: Profile) -> [Int: ModuleFacts] {
    var facts: [Int: ModuleFacts] = [:]
    func change(_ id: ModuleID, _ body: (inout ModuleFacts) -> Void) {
      let place = Int(id.rawValue)
      guard profile.modules.indices.contains(place) else { return }
      let module = profile.modules[place]
      body(
        &facts[
          place,
          default: ModuleFacts(
            path: module.path, buildID: module.buildID, problem: module.problem)])
    }
    for (number, frame) in profile.stacks.frames.enumerated() {
      guard case .code(let address) = frame else { continue }
      let line = number < profile.symbols.count ? profile.symbols[number].lines.last : nil
      change(address.module) { module in
        module.frames += 1
        if line?.isNamed ?? false { module.named += 1 }
        if (line?.line ?? 0) > 0 { module.withLines += 1 }
      }
    }
    for run in profile.runs {
      guard case .truncated(let reason) = run.end,
        let last = profile.stacks.frames(of: run.stack).last,
        case .code(let address) = profile.stacks[last]
      else { continue }
      change(address.module) { $0.ends[reason, default: 0] += 1 }
    }
    return facts
  }
}

extension ModuleFacts.Contents {
  /// What the file of a mapping has, and whether a separate debug file for it is installed.
  init?(_ mapping: MemoryMapping, _ memory: ProcessMemory) {
    guard let file = try? memory.open(mapping), let elf = try? ELFFile(file.bytes) else {
      return nil
    }
    hasUnwindTable =
      elf.segments.contains { $0.type == ELFFile.Segment.ehFrameHeader }
      || [".eh_frame", ".debug_frame"].contains { Self.has(elf, $0) }
    hasSymbols = Self.has(elf, ".symtab")
    hasCompressedSymbols = Self.has(elf, ".gnu_debugdata") || Self.has(elf, ".gopclntab")
    hasDebugData = Self.has(elf, ".debug_info") || Self.has(elf, ".zdebug_info")
    let id = elf.buildID(in: file.bytes)
    hasSeparateFile = id.flatMap { memory.debugFile(buildID: $0) } != nil
  }

  private static func has(_ elf: ELFFile, _ name: String) -> Bool {
    elf.section(named: name).map { $0.size > 0 && !$0.hasNoBytes } ?? false
  }
}
