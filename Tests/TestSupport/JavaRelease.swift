internal import Foundation

/// A JDK of this machine, and the programs of `Fixtures/java`.
package struct JavaRelease: Sendable, CustomStringConvertible {
  /// The folder with `bin/java`.
  package let home: String
  /// The feature version: 17.
  package let version: Int

  /// Whether programs may have windows: the packages without are called headless.
  package var hasWindows: Bool {
    FileManager.default.fileExists(atPath: "\(home)/lib/libawt_xawt.so")
  }

  package var description: String { "Java \(version)" }

  /// One of each version that is installed where distributions and vendors put them.
  package static let all: [JavaRelease] = {
    let root = "/usr/lib/jvm"
    let folders = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
    var found: [Int: JavaRelease] = [:]
    for folder in folders.sorted() {
      let home = "\(root)/\(folder)"
      guard FileManager.default.isExecutableFile(atPath: "\(home)/bin/java"),
        let text = try? String(contentsOfFile: "\(home)/release", encoding: .utf8),
        let version = version(inRelease: text), version >= 10, found[version] == nil
      else { continue }
      found[version] = JavaRelease(home: home, version: version)
    }
    return found.values.sorted { $0.version < $1.version }
  }()

  /// Those whose programs can open windows.
  package static let withWindows = all.filter(\.hasWindows)

  /// Those that have virtual threads.
  package static let withVirtualThreads = all.filter { $0.version >= 21 }

  /// Whether programs can be compiled and run.
  package static let isThere: Bool = {
    !all.isEmpty && compiler != nil
  }()

  private static let compiler: String? = {
    let homes = all.map { "\($0.home)/bin/javac" }
    return homes.first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  /// `JAVA_VERSION="17.0.15"` of a JDK's own file `release`.
  private static func version(inRelease text: String) -> Int? {
    for line in text.split(separator: "\n") where line.hasPrefix("JAVA_VERSION=") {
      let number = line.dropFirst("JAVA_VERSION=".count).drop { !$0.isNumber }
      return Int(number.prefix { $0.isNumber })
    }
    return nil
  }

  /// The class path of the compiled programs; compiled once, by the oldest compiler, for all versions.
  package static func classes() throws -> String {
    guard let compiler else { throw TestFailure("no javac") }
    let folder = Repository.path("Fixtures/java")
    let sources = try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.hasSuffix(".java") }.map { "\(folder)/\($0)" }.sorted()
    let place = Repository.path(".build/fixtures/java-\(ProcessInfo.processInfo.processIdentifier)")
    let isCompiled = compiled.withLock { $0 }
    guard !isCompiled else { return place }
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    let outcome = try run([compiler, "-g", "-d", place] + sources, timeout: .seconds(120))
    guard outcome.status == 0 else { throw TestFailure("javac: \(outcome.stderr)") }
    compiled.withLock { $0 = true }
    return place
  }

  /// The library with the native methods of `Fixtures/java`.
  package func nativeLibrary() throws -> String {
    try Fixture.compile(
      source: "java/native.c",
      flags: ["-g", "-O1", "-shared", "-fPIC", "-I\(home)/include", "-I\(home)/include/linux"])
  }

  /// Whether native methods can be compiled.
  package var hasHeaders: Bool {
    FileManager.default.fileExists(atPath: "\(home)/include/jni.h")
  }

  private static let compiled = Compiled()

  /// Starts a program and waits until it has printed `ready`.
  package func start(
    _ program: String, _ arguments: [String] = [], flags: [String] = [],
    environment: [String: String] = [:]
  ) throws -> RunningProgram {
    let classes = try Self.classes()
    return try RunningProgram(
      ["\(home)/bin/java"] + flags + ["-cp", classes, program] + arguments,
      deadline: .seconds(60), environment: environment)
  }
}

/// Whether the programs are compiled.
private final class Compiled: @unchecked Sendable {
  // Sendable: the value is used under the lock alone.
  private let lock = NSLock()
  private var value = false

  func withLock<Result>(_ body: (inout Bool) -> Result) -> Result {
    lock.lock()
    defer { lock.unlock() }
    return body(&value)
  }
}
