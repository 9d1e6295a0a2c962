import Foundation
import Glibc
import LinuxProcess
import ProfileModel
import Symbolication

/// A program built for a test, in a directory that goes away with it.
final class Fixture {
  struct Failure: Error { let output: String }

  /// The path of the program.
  let path: String
  private let directory: URL

  /// Writes `source` as `name` and runs `command`, in which `IN` and `OUT` stand for the paths.
  init(_ source: String, name: String, command: String) throws {
    directory = try Self.makeDirectory()
    let input = directory.appendingPathComponent(name)
    try source.write(to: input, atomically: true, encoding: .utf8)
    path = directory.appendingPathComponent("program").path
    let line = command.replacingOccurrences(of: "IN", with: input.path)
      .replacingOccurrences(of: "OUT", with: path)
    try shell(line)
  }

  /// A program with these bytes.
  init(bytes: [UInt8]) throws {
    directory = try Self.makeDirectory()
    path = directory.appendingPathComponent("program").path
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }

  deinit { try? FileManager.default.removeItem(at: directory) }

  private static func makeDirectory() throws -> URL {
    let directory = FileManager.default.temporaryDirectory
      .appendingPathComponent("sprof-symbols-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    return directory
  }

  func bytes() throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

  func symbolizer() -> Symbolizer { Fixture.symbolizer(of: path) }

  static func symbolizer(of path: String) -> Symbolizer {
    Symbolizer { _ in try? MappedFile(descriptor: openForReading(path)) }
  }

  /// Addresses inside every function that has a size, at most `limit` of each.
  func addresses(perFunction limit: UInt64 = 60) throws -> [FileAddress] {
    var result: Set<FileAddress> = []
    for function in try functions() {
      let step = max(1, function.size / limit)
      for offset in stride(from: 0, to: function.size, by: Int(step)) {
        result.insert(FileAddress(function.start + offset))
      }
    }
    return result.sorted()
  }

  /// The functions with a size, as nm lists them.
  func functions() throws -> [(start: UInt64, size: UInt64, name: String)] {
    try shell("nm -S --defined-only \(path)").split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ", maxSplits: 3)
      guard fields.count == 4, "tTwWiu".contains(fields[2]),
        let start = UInt64(fields[0], radix: 16),
        let size = UInt64(fields[1], radix: 16)
      else { return nil }
      return (start, size, String(fields[3]))
    }
  }

  /// An address in the function of that name.
  func address(in name: String, offset: UInt64 = 0) throws -> FileAddress? {
    try functions().first { $0.name == name }.map { FileAddress($0.start + offset) }
  }
}

/// What addresses are called in the tests' one module.
func code(_ addresses: [FileAddress]) -> [CodeAddress] {
  addresses.map { CodeAddress(module: ModuleID(0), address: $0) }
}

/// Runs a line of shell and gives its output; a failure throws what it said.
@discardableResult
func shell(_ line: String, input: String = "") throws -> String {
  let base = FileManager.default.temporaryDirectory
    .appendingPathComponent("sprof-shell-\(UUID().uuidString)")
  let files = ["in", "out", "err"].map { base.appendingPathExtension($0) }
  defer { for file in files { try? FileManager.default.removeItem(at: file) } }
  try input.write(to: files[0], atomically: true, encoding: .utf8)
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/bin/sh")
  process.arguments = [
    "-c", "exec <\(files[0].path) >\(files[1].path) 2>\(files[2].path); \(line)",
  ]
  try process.run()
  process.waitUntilExit()
  guard process.terminationStatus == 0 else {
    throw Fixture.Failure(output: (try? String(contentsOf: files[2], encoding: .utf8)) ?? "")
  }
  return try String(contentsOf: files[1], encoding: .utf8)
}

/// Whether all of these programs are on PATH.
func areInstalled(_ tools: String...) -> Bool {
  let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
  return tools.allSatisfy { tool in
    path.split(separator: ":").contains { access("\($0)/\(tool)", X_OK) == 0 }
  }
}

/// A descriptor of the file, -1 when it cannot be opened.
func openForReading(_ path: String) -> CInt { open(path, O_RDONLY | O_CLOEXEC) }
