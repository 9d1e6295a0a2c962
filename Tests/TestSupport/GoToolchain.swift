internal import Foundation

/// A release of Go that programs are built with.
package struct GoToolchain: Sendable, CustomStringConvertible {
  /// The `go` command.
  package let command: String
  /// Its GOROOT; nil for the one that it finds itself.
  private let root: String?

  package var description: String { root ?? "go" }

  /// The installed one, and those whose folders `SPROF_GO` names, with colons between.
  package static let all: [GoToolchain] = {
    let named = ProcessInfo.processInfo.environment["SPROF_GO"] ?? ""
    let installed = Tool.isInstalled("go") ? [GoToolchain(command: "go", root: nil)] : []
    return installed
      + named.split(separator: ":").map { GoToolchain(command: "\($0)/bin/go", root: String($0)) }
  }()

  /// How a program is built.
  package enum Form: String, Sendable, CaseIterable {
    case plain
    /// Without symbols and debug data.
    case stripped
    /// Stripped, and at any address.
    case positionIndependent

    fileprivate var flags: [String] {
      switch self {
      case .plain: []
      case .stripped: ["-ldflags=-s -w"]
      case .positionIndependent: ["-ldflags=-s -w", "-buildmode=pie"]
      }
    }
  }

  /// Builds a program of `Fixtures/runtimes`, and gives its path; the same text is built once.
  package func build(_ source: String, _ form: Form = .plain) throws -> String {
    let path = Repository.path("Fixtures/runtimes/\(source)")
    let text = FileManager.default.contents(atPath: path) ?? Data()
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text + Data((command + form.rawValue).utf8) {
      hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
    }
    let folder = Repository.path(".build/fixtures/go")
    let program = "\(folder)/\(String(hash, radix: 16))/\(source).program"
    if FileManager.default.isExecutableFile(atPath: program) { return program }
    let temporary = "\(program).\(UUID().uuidString)"
    var environment = [
      "GO111MODULE": "off", "GOTOOLCHAIN": "local", "HOME": folder,
      "GOCACHE": folder + "/cache" + (root ?? "").replacingOccurrences(of: "/", with: "-"),
    ]
    if let root { environment["GOROOT"] = root }
    let outcome = try run(
      [command, "build"] + form.flags + ["-o", temporary, path], timeout: .seconds(300),
      environment: environment)
    guard outcome.status == 0 else { throw TestFailure("\(command) build: \(outcome.stderr)") }
    try? FileManager.default.moveItem(atPath: temporary, toPath: program)
    return program
  }
}
