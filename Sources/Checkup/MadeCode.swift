internal import LinuxProcess
internal import ProfileModel

/// The code that a program has compiled into its own memory, and whether it has names: those come from a
/// file that its runtime writes for profilers, if it is asked to.
package struct MadeCode: Equatable, Sendable {
  /// A runtime with a just-in-time compiler.
  package enum Runtime: Equatable, Sendable {
    case node, dotNet, python, php, luaJIT
  }

  /// Nil where none is recognised.
  package var runtime: Runtime?
  /// Distinct frames in such code, and those whose function has a name.
  package var frames = 0
  package var named = 0
  /// Whether the program has left a file with names.
  package var hasNames = false

  package init() {}

  /// What a process has, by its dump with names and by the files that it has mapped.
  init(of profile: Profile, _ process: ProcessIdentity, _ memory: ProcessMemory, _ maps: MemoryMaps)
  {
    for (number, frame) in profile.stacks.frames.enumerated() {
      guard case .code(let address) = frame, address.module == .anonymous else { continue }
      frames += 1
      let line = number < profile.symbols.count ? profile.symbols[number].lines.last : nil
      if line?.isNamed ?? false { named += 1 }
    }
    runtime = Self.runtime(files: maps.mappings.lazy.filter(\.isExecutable).map(\.path))
    let number = (try? ProcessStatus(of: process.pid))?.namespaceNumbers.last ?? process.pid
    hasNames =
      memory.ownedFile(path: "/tmp/perf-\(number).map") != nil
      || maps.mappings.contains { $0.path.hasSuffix("/jit-\(number).dump") }
  }

  /// The runtime whose files are among those with code that a program has mapped.
  package static func runtime(files: some Sequence<String>) -> Runtime? {
    for path in files {
      let name = path.lastPathPart
      if name == "node" || name == "nodejs" || name.hasPrefix("libnode.so") { return .node }
      if name == "libcoreclr.so" { return .dotNet }
      if name.hasPrefix("libluajit-") || name.hasPrefix("luajit") { return .luaJIT }
      if name.hasPrefix("libphp") || isPHP(name) { return .php }
      if let minor = pythonMinor(name), minor >= 12 { return .python }
    }
    return nil
  }

  /// `php`, `php8.2`, `php-fpm8.2`.
  private static func isPHP(_ name: String) -> Bool {
    guard name.hasPrefix("php") else { return false }
    let rest = name.dropFirst("php".count)
    let version = rest.hasPrefix("-fpm") ? rest.dropFirst("-fpm".count) : rest
    return version.allSatisfy { $0.isNumber || $0 == "." }
  }

  /// Of `python3.12` and `libpython3.12.so.1.0` 12.
  private static func pythonMinor(_ name: String) -> Int? {
    for start in ["python3.", "libpython3."] where name.hasPrefix(start) {
      return Int(name.dropFirst(start.count).prefix { $0.isNumber })
    }
    return nil
  }

  /// What is said of it; nil where there is no such code, and nothing shows that there will be.
  package var finding: Finding? {
    if frames > named { return hint("\(named) of \(frames) functions named") }
    if frames > 0 { return Finding("names", "code that the program compiled: functions named") }
    guard !hasNames else { return nil }
    switch runtime {
    case .node, .dotNet: return hint("functions will have no names")
    // Few programs have any: Python's functions are read, and PHP compiles only where it is told to.
    case .python, .php, .luaJIT, nil: return nil
    }
  }

  private func hint(_ count: String) -> Finding {
    let subject = "code that \(name) compiles while it runs: \(count)"
    guard let fix else {
      return Finding(
        "names", .hint,
        "\(subject). Only the runtime can name them, in a file /tmp/perf-PID.map: see its manual")
    }
    return Finding(
      "names", .hint, "\(subject). Start it so that it writes them to /tmp/perf-PID.map", fix: fix)
  }

  private var name: String {
    switch runtime {
    case .node: "node"
    case .dotNet: ".NET"
    case .python: "Python"
    case .php: "PHP"
    case .luaJIT: "LuaJIT"
    case nil: "the program"
    }
  }

  /// nodejs.org: `--perf-basic-prof`; learn.microsoft.com: `DOTNET_PerfMapEnabled`; docs.python.org: "Python
  /// support for the Linux perf profiler", from 3.12 on.
  private var fix: String? {
    switch runtime {
    case .node: "node --perf-basic-prof PROGRAM"
    case .dotNet: "DOTNET_PerfMapEnabled=1 dotnet PROGRAM"
    case .python: "python3 -X perf PROGRAM"
    case .php, .luaJIT, nil: nil
    }
  }
}
