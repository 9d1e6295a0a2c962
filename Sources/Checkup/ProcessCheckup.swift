package import LinuxProcess
package import ProfileModel
package import Sampling

/// What is said of one program: how far its threads, stacks, names and runtimes can be read.
package struct ProcessCheckup: Sendable {
  /// One sample of every thread.
  package var profile: Profile
  /// The files with code that are in its stacks.
  package var modules: [ModuleFacts]
  package var runtimes: [RuntimeSurvey.Entry]
  package var madeCode: MadeCode
  /// The pid of another process that traces the program; 0 for none.
  package var holder: Int32

  /// Facts that were found elsewhere.
  package init(
    profile: Profile, modules: [ModuleFacts], runtimes: [RuntimeSurvey.Entry] = [],
    madeCode: MadeCode = MadeCode(), holder: Int32 = 0
  ) {
    self.profile = profile
    self.modules = modules
    self.runtimes = runtimes
    self.madeCode = madeCode
    self.holder = holder
  }

  /// Looks at a process that may be profiled, whose dump with names is `profile`.
  ///
  /// Costs the target nothing; opens the files of the modules that are in stacks.
  package init(_ process: ProcessIdentity, _ access: ProcessAccess, dump profile: Profile) {
    let memory = ProcessMemory(access.liveThread)
    let maps = (try? memory.maps()) ?? MemoryMaps()
    let facts = ModuleFacts.all(of: profile)
    let modules = facts.sorted { $0.key < $1.key }.map { _, known in
      var known = known
      let mapping = maps.mappings.first { $0.path == known.path && $0.isExecutable }
      known.contents = mapping.flatMap { ModuleFacts.Contents($0, memory) }
      return known
    }
    self.init(
      profile: profile, modules: modules,
      runtimes: RuntimeSurvey.entries(process, through: access.liveThread),
      madeCode: MadeCode(of: profile, process, memory, maps),
      holder: access.tracer)
  }

  /// The files for which a package with debug data would help.
  package var wantedFiles: [String] { modules.filter(\.wantsDebugFile).map(\.path) }

  /// The findings, most important first; `owners` are the packages that files belong to, by path, and
  /// `hasServers` says whether a debuginfod server is known.
  package func findings(
    _ system: OperatingSystem, owners: [String: String] = [:], hasServers: Bool = false
  ) -> [Finding] {
    let wanted = wantedFiles.compactMap { owners[$0] }
    let archive = hasServers ? nil : system.archiveFinding(for: wanted)
    return [threads] + runtimeFindings + [archive].compactMap { $0 }
      + modules.flatMap {
        $0.findings(system, owner: owners[$0.path], hasServers: hasServers)
      } + [madeCodeFinding].compactMap { $0 } + notes
  }

  /// What Java compiles is read, and needs no names from elsewhere; where Python's functions are read, other
  /// code is not Python's.
  private var madeCodeFinding: Finding? {
    guard !runtimes.contains(where: { $0.language == "Java" }) else { return nil }
    var code = madeCode
    let isPythonRead = runtimes.contains { $0.language == "Python" && $0.problem == nil }
    if code.runtime == .python, isPythonRead { code.runtime = nil }
    return code.finding
  }

  private var threads: Finding {
    let count = profile.threads.count
    let withStacks = Set(
      profile.runs.lazy.filter { $0.stack != .empty }.map(\.thread)
    ).count
    let left = profile.capture.unsampled.threads
    if holder != 0 {
      return Finding(
        "threads", .problem,
        "the program is traced by another process (pid \(holder)): only its sleeping threads can be "
          + "read. End that one, such as gdb or strace, first",
        fix: "ps -o pid,args -p \(holder)")
    }
    guard left == 0, withStacks == count else {
      return Finding(
        "threads", .hint,
        "\(withStacks) of \(count + left) threads have a stack; the others were running without a "
          + "moment in which they could be stopped, or have ended")
    }
    return Finding("threads", count == 1 ? "its one thread was read" : "all \(count) were read")
  }

  private var runtimeFindings: [Finding] {
    runtimes.map { runtime in
      let word = runtime.language.lowercased()
      guard let problem = runtime.problem else {
        // A program that is its own runtime names no file.
        let file = runtime.path.flatMap { $0.hasPrefix("/") ? " (\($0))" : nil }
        return Finding(word, "frames are read" + (file ?? ""))
      }
      return Finding(word, .problem, problem.hasSuffix(".") ? String(problem.dropLast()) : problem)
    }
  }

  /// What the dump says of itself, but for what has a finding of its own.
  private var notes: [Finding] {
    let known = Set(runtimes.compactMap(\.problem).map { CaptureNote.plain($0) })
    return profile.capture.notes.filter { note in
      switch note {
      case .traced: false
      case .noNames(let path, _): !modules.contains { $0.path == path }
      default: !known.contains(note)
      }
    }.map { note in
      let words = note.words
      return Finding("note", .hint, words.hasSuffix(".") ? String(words.dropLast()) : words)
    }
  }
}

extension ModuleFacts {
  /// Whether a separate debug file would give it more names or lines.
  var wantsDebugFile: Bool {
    problem == nil && path.hasPrefix("/") && frames > 0 && withLines < frames
      && contents.map { !$0.hasDebugData && !$0.hasSeparateFile } ?? false
  }

  /// What is said of the file.
  func findings(_ system: OperatingSystem, owner: String?, hasServers: Bool) -> [Finding] {
    [names(system, owner: owner, hasServers)] + unwinding
  }

  private func names(_ system: OperatingSystem, owner: String?, _ hasServers: Bool) -> Finding {
    if let problem {
      return Finding(
        "names", .hint, "\(path): \(problem.words)",
        fix: problem.endsWithRestart ? "restart the program" : nil)
    }
    let lines = withLines == frames ? "with lines" : withLines > 0 ? "some with lines" : "no lines"
    guard wantsDebugFile || named < frames else {
      return Finding("names", "\(path): functions named (\(source)), \(lines)")
    }
    let count = frames == 1 ? "its function" : "\(named) of \(frames) functions"
    let found =
      named == frames ? "functions named (\(source)), \(lines)" : "\(count) named, \(lines)"
    let command =
      system.fetchCommand(owner: owner, hasServers: hasServers)
      ?? system.installDebugFile(buildID: buildID, owner: owner)
    return Finding(
      "names", path == "[vdso]" ? .ok : .hint, "\(path): \(found)",
      fix: wantsDebugFile ? command ?? flag : nil)
  }

  /// Where the names come from.
  private var source: String {
    guard let contents else { return "its file was not opened" }
    if contents.hasDebugData { return "debug data in the file" }
    if contents.hasSeparateFile { return "separate debug file" }
    if contents.hasSymbols { return "its symbol table" }
    return contents.hasCompressedSymbols
      ? "its own compressed table" : "exported functions, or a debug file elsewhere"
  }

  /// For a program that no package holds: who builds it can build it with debug data.
  private var flag: String? {
    contents?.hasDebugData == false ? "build it with -g, and do not strip it" : nil
  }

  private var unwinding: [Finding] {
    ends.sorted { $0.key.rawValue < $1.key.rawValue }.compactMap { reason, count in
      let stacks = count == 1 ? "1 stack ends" : "\(count) stacks end"
      switch reason {
      case .noUnwindRule, .badFrame:
        let table =
          contents?.hasUnwindTable == false
          ? "it has no unwind table" : "no rule for its code there"
        return Finding(
          "unwinding", .hint, "\(path): \(stacks) in it, \(table) and no frame pointer",
          fix: "build it with -fasynchronous-unwind-tables or -fno-omit-frame-pointer")
      case .copyLimit, .frameLimit:
        return Finding("unwinding", .hint, "\(path): \(stacks) in it, at the limit of its depth")
      case .unreadable, .unknownRegister:
        return Finding("unwinding", .hint, "\(path): \(stacks) in it, the rest could not be read")
      case .depthLimit, .kernelWorker, .unsupportedProgram, .noStack: return nil
      }
    }
  }
}
