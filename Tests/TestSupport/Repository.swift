internal import Foundation

/// Where this checkout lies, and what the environment asks of its tests.
package enum Repository {
  /// The folder with `Package.swift`.
  package static let root: String = {
    let file = URL(fileURLWithPath: #filePath)
    return file.deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().path
  }()

  /// The absolute path of `path`, which counts from the root.
  package static func path(_ path: String) -> String { root + "/" + path }

  /// How often a test with random moments repeats: `short` times, or `full` times in
  /// `make trials`.
  package static func trials(short: Int, full: Int) -> Int {
    isTrial ? full : short
  }

  /// Each of the first with each of the second in the trials; else each with a half of the others (or a third,
  /// `parts`), with another one each day.
  package static func pairs<First, Second>(
    _ first: [First], _ second: [Second], parts: Int = 2
  ) -> [(First, Second)] {
    first.enumerated().flatMap { row, one in
      second.enumerated().filter { isTrial || (row + $0.offset + turn) % parts == 0 }
        .map { (one, $0.element) }
    }
  }

  /// Which part of the pairs it is the turn of: the number of the day, so that those of one day agree, or
  /// `SPROF_TURN`.
  package static let turn: Int = {
    let wanted = ProcessInfo.processInfo.environment["SPROF_TURN"].flatMap { Int($0) }
    return max(0, wanted ?? Int(Date().timeIntervalSince1970 / 86_400))
  }()

  /// Whether this is `make trials`.
  package static var isTrial: Bool {
    ProcessInfo.processInfo.environment["SPROF_TRIALS"] == "full"
  }

  package static var isRoot: Bool { geteuid() == 0 }
}

/// A program of the system that a test may use.
package enum Tool {
  /// The path of `name`: from `PATH`, or from where packages put what is not on it.
  package static func path(_ name: String) -> String? {
    let environment = ProcessInfo.processInfo.environment
    var folders = (environment["PATH"] ?? "").split(separator: ":").map(String.init)
    folders += ["/usr/bin", "/usr/sbin", "/usr/local/bin"]
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql"))
    folders += (versions ?? []).map { "/usr/lib/postgresql/\($0)/bin" }
    return folders.map { "\($0)/\(name)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  package static func isInstalled(_ name: String) -> Bool { path(name) != nil }

  /// Whether `pkg-config` knows the library with its headers.
  package static func hasLibrary(_ name: String) -> Bool {
    let outcome = try? run(["pkg-config", "--exists", name])
    return outcome?.status == 0
  }

  /// The first of `names` that is installed: compilers carry versions in their names.
  package static func first(of names: [String]) -> String? { names.first(where: isInstalled) }

  /// A C compiler of the clang family: the distribution's, or else that of the Swift toolchain.
  package static let clang = first(of: versions(of: "clang")) ?? "clang"

  /// The same for C++.
  package static let clangPlusPlus = first(of: versions(of: "clang++")) ?? "clang++"

  /// Distributions' packages put the version in the name.
  private static func versions(of name: String) -> [String] {
    (14...22).map { "\(name)-\($0)" } + [name]
  }
}
