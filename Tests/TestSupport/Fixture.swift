internal import Foundation
internal import Glibc

/// The example programs under `Fixtures/`.
package enum Fixture {
  /// Compiles `source` and gives the program's path; the same text and flags compile once.
  ///
  /// `flags` come behind the source, so that libraries may be among them.
  package static func compile(
    source: String, compiler: String = "cc", flags: [String] = ["-g", "-O1"]
  ) throws -> String {
    let folder = Repository.path("Fixtures")
    let path = "\(folder)/\(source)"
    let header = FileManager.default.contents(atPath: "\(folder)/fixture.h") ?? Data()
    guard let text = FileManager.default.contents(atPath: path) else {
      throw TestFailure("no fixture \(path)")
    }
    let command = [compiler, path, "-I\(folder)", "-pthread"] + flags
    let key = hash(of: text + header + Data(command.joined(separator: "\0").utf8))
    let name = URL(fileURLWithPath: source).deletingPathExtension().lastPathComponent
    let place = Repository.path(".build/fixtures/\(key)")
    let program = "\(place)/\(name)"
    if FileManager.default.isExecutableFile(atPath: program) { return program }
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    // Tests run at the same time: each compiles to a name of its own, and the last one stays.
    let temporary = "\(program).\(UUID().uuidString)"
    let outcome = try run(command + ["-o", temporary], timeout: .seconds(120))
    guard outcome.status == 0 else { throw TestFailure("\(command): \(outcome.stderr)") }
    guard rename(temporary, program) == 0 else { throw TestFailure("cannot rename \(temporary)") }
    return program
  }

  /// Compiles a program of `Fixtures/runtimes` with the compiler of its language, and gives its path.
  package static func build(runtime source: String, _ command: [String]) throws -> String {
    let folder = Repository.path(".build/fixtures/runtimes")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let program = "\(folder)/\(source).program"
    let path = Repository.path("Fixtures/runtimes/\(source)")
    let outcome = try run(command + ["-o", program, path], timeout: .seconds(300))
    guard outcome.status == 0 else { throw TestFailure("\(command): \(outcome.stderr)") }
    return program
  }

  /// The flags that a library needs, from `pkg-config`.
  package static func flags(forLibrary name: String) throws -> [String] {
    let outcome = try run(["pkg-config", "--cflags", "--libs", name])
    guard outcome.status == 0 else { throw TestFailure("pkg-config \(name): \(outcome.stderr)") }
    return outcome.stdout.split { $0 == " " || $0 == "\n" }.map(String.init)
  }

  /// FNV-1a, 64 bits: tells apart what a developer edits, and needs no library.
  private static func hash(of data: Data) -> String {
    var value: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in data { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return String(value, radix: 16)
  }
}
