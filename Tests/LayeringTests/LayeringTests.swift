import Foundation
import TestSupport
import Testing

@Suite struct `Layers of the source` {
  @Test func `match every import line`() throws {
    let checker = ImportChecker(
      folder: URL(fileURLWithPath: Repository.path("Sources")), table: Layers.table,
      cModules: Layers.cModules)
    #expect(try checker.problems() == [])
  }

  @Test func `all have a row in the table, and only import lower ones`() throws {
    #expect(Layers.table.count > 10)
    for target in Layers.table {
      for other in Layers.table where target.imports.contains(other.name) {
        #expect(other.layer < target.layer, "\(target.name) imports \(other.name)")
      }
    }
  }

  @Test(arguments: Layers.cModules.sorted())
  func `give each C module one importer`(module: String) {
    #expect(Layers.table.filter { $0.imports.contains(module) }.count == 1)
  }

  @Test func `keep protobuf and zlib in the files`() {
    for module in ["SwiftProtobuf", "CZlib"] {
      #expect(
        Layers.table.filter { $0.imports.contains(module) }.map(\.name) == ["CaptureFile"])
    }
  }

  /// All of Foundation brings the tables of ICU, 34 MB; `FoundationEssentials` does not.
  @Test func `keep Foundation and the argument parser where they cost least`() {
    #expect(
      Layers.table.filter { $0.imports.contains("Foundation") }.map(\.name) == ["sprof-bench"])
    #expect(Layers.table.filter { $0.imports.contains("ArgumentParser") }.map(\.name) == ["sprof"])
  }

  @Test func `keep the file side and the live side apart`() {
    let live: Set = ["LinuxProcess", "NativeUnwinding", "Symbolication", "Sampling"]
    let file: Set = ["ProfileAnalysis", "ProfileExport", "TerminalUI"]
    for target in Layers.table where live.contains(target.name) {
      #expect(target.imports.isDisjoint(with: file.union(["CaptureFile"])), "\(target.name)")
    }
    for target in Layers.table where file.contains(target.name) {
      // The terminal's own library is the one that the file side has.
      let foreign = live.union(Layers.cModules.subtracting(["CNcurses"]))
      #expect(target.imports.isDisjoint(with: foreign), "\(target.name)")
    }
    for target in Layers.table where target.name == "CaptureFile" {
      #expect(target.imports.isDisjoint(with: live))
    }
  }
}

@Suite struct `Paths in the architecture` {
  private static func text() throws -> String {
    try String(contentsOfFile: Repository.path("docs/architecture.md"), encoding: .utf8)
  }

  @Test func `all lead to a file or a folder`() throws {
    let text = try Self.text()
    #expect(DocumentedPaths.all(in: text).count > 50)
    #expect(DocumentedPaths.dead(in: text) == [])
  }

  @Test(arguments: [
    "Sampling/Nowhere", "Sampling/Tick/Sampler.c", "Fixtures/nothing.c", "Sampling/tick",
  ])
  func `are reported when nothing is there`(path: String) {
    #expect(DocumentedPaths.dead(in: "See `\(path)` and `Sampling/Tick`.") == [path])
  }

  @Test func `count from the root, Sources or Tests, and need no ending of Swift files`() {
    let text = """
      `Sampling/Tick/Sampler`, `LayeringTests/Layers`, `scripts/setup.sh`, `Tests/LayeringTests`

      ```
      drawn `at/will`
      ```
      `make golden`, either/or
      """
    let paths = [
      "Sampling/Tick/Sampler", "LayeringTests/Layers", "scripts/setup.sh", "Tests/LayeringTests",
    ]
    #expect(DocumentedPaths.all(in: text) == paths)
    #expect(DocumentedPaths.dead(in: text) == [])
  }
}

@Suite struct `Import checker` {
  private static let table = [
    LayeredTarget(layer: 1, name: "Low", imports: []),
    LayeredTarget(layer: 2, name: "High", imports: ["Low", "CThing"]),
  ]

  private static let high = "internal import Low\nimport CThing\n"

  @Test func `finds nothing in a tree that matches the table`() throws {
    #expect(try problems(in: ["Low/A.swift": "", "High/B.swift": Self.high]) == [])
  }

  @Test func `finds an import of the table that no file has`() throws {
    let files = ["Low/A.swift": "", "High/B.swift": "import CThing\n"]
    #expect(try problems(in: files) == ["High does not import Low"])
  }

  @Test func `finds a foreign import in a folder of a target`() throws {
    let files = ["Low/Deep/A.swift": "package import Foundation\n", "High/B.swift": Self.high]
    #expect(try problems(in: files) == ["Low/Deep/A.swift imports Foundation"])
  }

  @Test func `finds a target that the table lacks, and one that the tree lacks`() throws {
    let files = ["Low/A.swift": "", "Other/B.swift": ""]
    let expected = ["Other is not in the table", "High is in the table, but has no folder"]
    #expect(try problems(in: files) == expected)
  }

  @Test func `leaves the C targets alone`() throws {
    let files = [
      "Low/A.swift": "", "High/B.swift": Self.high, "CThing/C.swift": "import Low",
    ]
    #expect(try problems(in: files) == [])
  }

  @Test func `reads every form of an import line`() {
    let text = """
      // import Comment
      import A
      internal import B
      @preconcurrency package import C
        import struct D.Thing
      let text = "import E"
      """
    #expect(ImportChecker.imports(in: text) == ["A", "B", "C", "D"])
  }

  @Test func `reads the table of a document`() {
    let text = """
      | layer | target | holds | imports |
      | --- | --- | --- | --- |
      | 1 | `Low` | bytes | nothing |
      | 2 | `High` | words | `CThing`, `Low` |

      | a | table | of | another kind |
      """
    #expect(Layers.targets(in: text) == Self.table)
  }

  /// What the checker says of a tree with these files.
  private func problems(in files: [String: String]) throws -> [String] {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (path, text) in files {
      let file = folder.appendingPathComponent(path)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try text.write(to: file, atomically: true, encoding: .utf8)
    }
    let checker = ImportChecker(folder: folder, table: Self.table, cModules: ["CThing"])
    return try checker.problems()
  }
}

@Suite struct `Check of skipped tests` {
  private static let output = """
    ✔ Test "runs" passed after 0.001 seconds.
    ➜ Test "in redis: it goes" skipped: "needs redis"
    ➜ Test plain() skipped.
    """

  @Test(arguments: [
    ("in redis: it goes\nplain()\n", Int32(0)), ("plain()\n", 1), ("# plain()\nplain\n", 1),
  ])
  func `accepts the tests that the list names, and no others`(
    list: String, status: Int32
  ) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let files = [folder.appendingPathComponent("output"), folder.appendingPathComponent("list")]
    try Self.output.write(to: files[0], atomically: true, encoding: .utf8)
    try list.write(to: files[1], atomically: true, encoding: .utf8)
    let script = Repository.path("scripts/check-skips.sh")
    let outcome = try run([script] + files.map(\.path), environment: ["SPROF_STRICT_SKIPS": "1"])
    #expect(outcome.status == status, "\(outcome.stdout)")
  }
}

@Suite struct `Make targets` {
  /// What would be run, line by line.
  private func plan(_ target: String) throws -> [Substring] {
    let outcome = try run(["make", "-n", "-C", Repository.root, target])
    #expect(outcome.status == 0, "\(outcome.stderr)")
    return outcome.stdout.split(separator: "\n")
  }

  @Test(
    .enabled(if: Tool.isInstalled("make"), "needs make"),
    arguments: [
      ("bench", "sprof-bench", "--product sprof"), ("install", "install -m 755", "--product sprof"),
      ("demo", "demo.sh", "--product sprof"), ("trials", "test.sh", "--product sprofPackageTests"),
      ("test", "test.sh", "lint build"),
    ])
  func `build what they run, before they run it`(target: String, run: String, build: String)
    throws
  {
    let lines = try plan(target)
    let runs = try #require(lines.firstIndex { $0.contains(run) && !$0.contains(build) })
    let builds = try #require(lines.firstIndex { $0.contains(build) })
    #expect(builds < runs)
  }
}
