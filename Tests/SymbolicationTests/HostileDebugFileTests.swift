import Foundation
import LinuxProcess
import ProfileModel
import Symbolication
import TestSupport
import Testing

/// Debug files that lie: each look-up gives some answer, and ends.
@Suite(
  .timeLimit(.minutes(3)),
  .enabled(if: areInstalled("g++", "nm", "objcopy", "xz"), "needs g++, binutils and xz"))
struct `Hostile debug files` {
  private static let rounds = 25

  /// Builds a program and damages one of the files that belong to it, again and again.
  private func damage(
    _ compiler: String, _ commands: String, _ victim: String, seed: UInt64
  ) throws {
    let fixture = try Fixture(
      Source.cxx, name: "b.cpp",
      command: "cd $(dirname IN) && \(compiler) b.cpp -o OUT")
    let addresses = code(try fixture.addresses(perFunction: 4))
    let folder = String(fixture.path.dropLast("/program".count))
    try shell("cd \(folder) && \(commands)")
    let path = try shell("ls \(folder)/\(victim)").split(separator: "\n").first.map(String.init)
    let file = try #require(path)
    let good = Array(try Data(contentsOf: URL(fileURLWithPath: file)))
    var random = Numbers(state: seed)
    for round in 0..<Self.rounds {
      var bytes = good
      for _ in 0...(round % 12) {
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      if round % 5 == 4 { bytes.removeLast(Int(random.next() % UInt64(bytes.count))) }
      try Data(bytes).write(to: URL(fileURLWithPath: file))
      let symbolizer = Symbolizer(
        file: { _ in MappedFile.regular(at: fixture.path) },
        debugFiles: DebugFiles(roots: [{ MappedFile.regular(at: $0) }]))
      let found = symbolizer.resolve(addresses, detail: .lines)
      #expect(found.allSatisfy { !$0.lines.isEmpty && $0.lines.count < 10_000 })
    }
  }

  @Test(arguments: ["-gdwarf-4", "-gdwarf-5", "-gdwarf-5 -ffunction-sections"])
  func `with split units`(flags: String) throws {
    try damage("g++ -O2 \(flags) -gsplit-dwarf", "true", "*.dwo", seed: 1)
  }

  @Test(.enabled(if: areInstalled("dwp"), "needs dwp"))
  func `with packages of them`() throws {
    try damage(
      "g++ -O2 -gdwarf-4 -gsplit-dwarf", "dwp -e program -o program.dwp && rm *.dwo",
      "program.dwp", seed: 2)
  }

  @Test func `with symbols that are compressed`() throws {
    try damage(
      "g++ -O2 -g",
      """
      objcopy --only-keep-debug program mini && objcopy -S --keep-symbols=/dev/null mini;
      strip program && xz -k mini && objcopy --add-section .gnu_debugdata=mini.xz program
      """, "program", seed: 3)
  }

  @Test func `that a link names`() throws {
    try damage(
      "g++ -O2 -g",
      """
      objcopy --only-keep-debug program p.debug && strip program &&
      objcopy --add-gnu-debuglink=p.debug program
      """, "p.debug", seed: 4)
  }
}

/// Numbers that are the same in each run.
private struct Numbers {
  var state: UInt64

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state >> 17
  }
}
