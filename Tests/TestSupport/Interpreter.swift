internal import Foundation

/// A Python interpreter of this machine that tests start.
package struct Interpreter: CustomStringConvertible, Sendable {
  package let name: String
  /// The command, without arguments.
  package let command: [String]
  package var environment: [String: String] = [:]

  package var description: String { name }

  /// The minor versions of CPython that sprof reads: the tests take theirs from here alone.
  package static let minors = Array(7...15)

  /// The same as sprof's messages write them.
  package static let versions = words(minors)

  /// Those of them that `scripts/python-releases.sh` unpacks.
  package static let released: [Int] = {
    let script = try? String(
      contentsOfFile: Repository.path("scripts/python-releases.sh"), encoding: .utf8)
    let line = script?.split(separator: "\n").first { $0.hasPrefix("versions=") }
    return line?.split { !$0.isNumber && $0 != "." }.compactMap { version in
      version.split(separator: ".").last.flatMap { Int($0) }
    } ?? []
  }()

  /// The first and last of some versions: `3.7 to 3.15`.
  package static func words(_ minors: [Int]) -> String {
    "3.\(minors.first ?? 0) to 3.\(minors.last ?? 0)"
  }

  package init(name: String, command: [String], environment: [String: String] = [:]) {
    self.name = name
    self.command = command
    self.environment = environment
  }

  /// The minor version, from the name.
  package var minor: Int {
    Int(name.split { $0 == "." || $0 == " " }.dropFirst().first ?? "") ?? 0
  }

  /// Whether its C functions have names beyond those that it exports.
  package var hasSymbols: Bool { command.count == 1 && command[0].contains(".pyenv") }

  /// All that can be found: of pyenv, of the distribution, and those that
  /// `scripts/python-releases.sh` unpacks.
  package static let all: [Interpreter] = ofPyenv + ofDistribution + unpacked

  /// One for each minor version.
  package static let onePerVersion: [Interpreter] = {
    var seen: Set<Int> = []
    return all.filter { seen.insert($0.minor).inserted }
  }()

  /// The minor versions of which there is none, so that their tests do not run.
  package static func missing(of minors: [Int]) -> [Int] {
    minors.filter { minor in !onePerVersion.contains { $0.minor == minor } }
  }

  /// Each version with every kind of program in the trials, else a part of these pairs.
  package static func perVersion(
    _ kinds: [String], parts: Int = 2
  ) -> [(Interpreter, String)] {
    Repository.pairs(onePerVersion, kinds, parts: parts)
  }

  /// One for each way in which Python keeps its frames and locks, and all versions in the trials.
  package static let onePerLayout = onePerVersion.filter {
    Repository.isTrial || [8, 11, 13, 14].contains($0.minor)
  }

  /// The oldest, the newest, and another one each day, for what does not depend on how Python keeps its
  /// frames; all versions in the trials.
  package static let few = few(of: onePerVersion)

  /// The same of some of them.
  package static func few(of all: [Interpreter]) -> [Interpreter] {
    let sorted = all.sorted { $0.minor < $1.minor }
    guard !Repository.isTrial, sorted.count > 3 else { return sorted }
    let middle = 1 + Repository.turn % (sorted.count - 2)
    return [sorted[0], sorted[middle], sorted[sorted.count - 1]]
  }

  private static var ofPyenv: [Interpreter] {
    let root = NSHomeDirectory() + "/.pyenv/versions"
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
    return versions.sorted { $0.compare($1, options: .numeric) == .orderedAscending }
      .filter { version in
        guard let minor = version.split(separator: ".").dropFirst().first.flatMap({ Int($0) })
        else { return false }
        return version.hasPrefix("3.") && minors.contains(minor)
      }
      .map { Interpreter(name: $0, command: ["\(root)/\($0)/bin/python3"]) }
  }

  private static var ofDistribution: [Interpreter] {
    minors.compactMap { minor in
      let path = "/usr/bin/python3.\(minor)"
      guard FileManager.default.isExecutableFile(atPath: path) else { return nil }
      return Interpreter(name: "3.\(minor) of the system", command: [path])
    }
  }

  /// Where the releases lie that the distribution does not carry.
  package static let releases = Repository.path(".build/python-releases")

  /// Started by a loader of their own: the program that the kernel sees is the loader.
  private static var unpacked: [Interpreter] {
    guard FileManager.default.fileExists(atPath: "\(releases)/complete") else { return [] }
    let root = "\(releases)/root"
    let libraries = "\(root)/usr/lib/x86_64-linux-gnu"
    return released.map { minor in
      Interpreter(
        name: "3.\(minor) unpacked",
        command: [
          "\(libraries)/ld-linux-x86-64.so.2", "--library-path", libraries,
          "\(root)/usr/bin/python3.\(minor)",
        ], environment: ["PYTHONHOME": "\(root)/usr"])
    }
  }

  /// Starts a fixture of `Fixtures/python`; gives what it printed before `ready`.
  package func start(
    _ fixture: String, _ arguments: [String] = [], environment more: [String: String] = [:]
  ) throws -> RunningProgram {
    try RunningProgram(
      command + [Repository.path("Fixtures/python/\(fixture)")] + arguments,
      deadline: .seconds(60), environment: environment.merging(more) { $1 })
  }

  /// Those that have gevent: of `scripts/greenlets.sh`, and the distribution's.
  package static let withGreenlets: [Interpreter] = {
    let root = Repository.path(".build/greenlets")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
    let installed = names.sorted().filter {
      FileManager.default.fileExists(atPath: "\(root)/\($0)/complete")
    }.map { Interpreter(name: $0, command: ["\(root)/\($0)/bin/python3"]) }
    return installed + ofDistribution.filter { $0.has(module: "gevent") }
  }()

  /// Whether it can import a module.
  package func has(module: String) -> Bool {
    let outcome = try? TestSupport.run(
      command + ["-c", "import \(module)"], environment: environment)
    return outcome?.status == 0
  }
}
