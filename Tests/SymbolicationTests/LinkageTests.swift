import Foundation
import LinuxProcess
import ProfileModel
import Symbolication
import TestSupport
import Testing

@Suite struct `Stubs that lead to other images` {
  @Test(
    .enabled(if: areInstalled("gcc", "g++", "objdump"), "needs gcc and binutils"),
    arguments: [
      "gcc -O1 -fcf-protection=none -Wl,-z,lazy IN -o OUT",
      "gcc -O1 -fcf-protection=full -Wl,-z,lazy -Wl,-z,ibtplt IN -o OUT",
      "gcc -O1 -Wl,-z,now IN -o OUT", "gcc -O1 -no-pie IN -o OUT",
      "gcc -O1 -g -shared -fPIC IN -o OUT", "g++ -x c++ -O1 IN -o OUT",
    ])
  func `have the names that objdump gives them`(command: String) throws {
    let fixture = try Fixture(Self.source, name: "a.c", command: command)
    let stubs = try Self.stubs(in: fixture.path)
    #expect(stubs.contains { $0.name == "strtol@plt" })
    try Self.check(stubs, fixture.symbolizer())
  }

  @Test(.enabled(if: areInstalled("objdump", "ldd"), "needs binutils"))
  func `of a real program's libraries have those names`() throws {
    let libraries = try shell("ldd $(command -v objdump)").split(separator: "\n")
      .compactMap { $0.split(separator: " ").first { $0.hasPrefix("/") }.map(String.init) }
    var count = 0
    for library in libraries {
      let stubs = try Self.stubs(in: library)
      count += stubs.count
      try Self.check(stubs, Fixture.symbolizer(of: library))
    }
    #expect(count > 50)
  }

  @Test(.enabled(if: areInstalled("objdump", "ldd", "nm"), "needs binutils"))
  func `to functions of several forms are called after these`() throws {
    let library = try #require(
      try shell("ldd $(command -v objdump)").split(separator: "\n")
        .first { $0.contains("libc.so") }?.split(separator: " ").first { $0.hasPrefix("/") })
    var names: [UInt64: Set<Substring>] = [:]
    for line in try shell("nm -D \(library)").split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 3, words[1] == "i", let address = UInt64(words[0], radix: 16) else {
        continue
      }
      names[address, default: []].insert(words[2].prefix { $0 != "@" })
    }
    let symbolizer = Fixture.symbolizer(of: String(library))
    var count = 0
    for stub in try Self.stubs(in: String(library)) where stub.name.hasPrefix("*ABS*+0x") {
      let chooser = UInt64(stub.name.dropFirst(8).dropLast(4), radix: 16)
      guard let expected = chooser.flatMap({ names[$0] }) else { continue }
      let name = symbolizer.resolve(code([stub.address]), detail: .lines)[0].lines[0].function
      #expect(name.hasSuffix("@plt") && expected.contains(name.dropLast(4)))
      count += 1
    }
    #expect(count > 5)
  }

  @Test(.enabled(if: areInstalled("g++", "objdump"), "needs g++ and binutils"))
  func `are demangled`() throws {
    let fixture = try Fixture(
      "#include <new>\nint main(int count, char **) { operator delete(operator new(count)); }\n",
      name: "a.cpp", command: "g++ -O1 -fno-builtin IN -o OUT")
    let stub = try #require(try Self.stubs(in: fixture.path).first { $0.name == "_Znwm@plt" })
    let lines = fixture.symbolizer().resolve(code([stub.address]), detail: .lines)[0].lines
    #expect(
      lines == [
        SourceLine(function: "operator new(unsigned long)@plt", linkageName: "_Znwm@plt")
      ])
  }

  @Test(.enabled(if: areInstalled("gcc", "readelf"), "needs gcc and binutils"))
  func `are not taken for the nearest function before them`() throws {
    let fixture = try Fixture(
      Self.source, name: "a.c", command: "gcc -O1 -Wl,-z,lazy -fcf-protection=none IN -o OUT")
    // The first one belongs to no function: it asks the loader for one.
    let section = try shell("readelf -SW \(fixture.path)").split(separator: "\n")
      .first { $0.contains(" .plt ") }
    let words = try #require(section).split(separator: " ")
    let place = try #require(words.firstIndex(of: "PROGBITS"))
    let start = try #require(UInt64(words[place + 1], radix: 16))
    let address = FileAddress(start + 6)
    let lines = fixture.symbolizer().resolve(code([address]), detail: .lines)[0].lines
    #expect(lines == [SourceLine(function: address.description)])
  }

  @Test(.enabled(if: areInstalled("gcc", "objdump"), "needs gcc and binutils"))
  func `in damaged files have some name`() throws {
    let fixture = try Fixture(
      Self.source, name: "a.c", command: "gcc -O1 -Wl,-z,lazy -fcf-protection=none IN -o OUT")
    let stubs = try Self.stubs(in: fixture.path)
    let original = try fixture.bytes()
    let intact = stubs.map(\.name)
    var changed = 0
    for place in 0..<Repository.trials(short: 400, full: 20_000) {
      var bytes = original
      // All over the file, headers and tables first.
      let step = 2654435761 &* place
      bytes[place < 200 ? place : step % bytes.count] ^= 1 << UInt8(place % 8)
      bytes[(step / 7) % bytes.count] = 0xff
      let names = try Fixture(bytes: bytes).symbolizer()
        .resolve(code(stubs.map(\.address)), detail: .lines).map { $0.lines[0].function }
      #expect(names.count == stubs.count)
      if names != intact { changed += 1 }
    }
    // The damage reaches what is read.
    #expect(changed > 5)
  }

  private static let source = """
    #include <stdio.h>
    #include <stdlib.h>
    int main(int count, char **words) {
      long sum = 0;
      for (int index = 0; index < count; index++) sum += strtol(words[index], NULL, 10);
      printf("%ld %s\\n", sum, getenv("HOME"));
      free(realloc(malloc(sum), 2));
      return 0;
    }
    """

  /// The stubs that objdump names.
  private static func stubs(in path: String) throws -> [(address: FileAddress, name: String)] {
    try shell("objdump -d \(path) | grep '@plt>:$' || true").split(separator: "\n")
      .compactMap { line in
        let words = line.split(separator: " ")
        guard words.count == 2, let address = UInt64(words[0], radix: 16) else { return nil }
        return (FileAddress(address), String(words[1].dropFirst().dropLast(2)))
      }
  }

  private static func check(
    _ stubs: [(address: FileAddress, name: String)], _ symbolizer: Symbolizer
  ) throws {
    for offset in [0, 4] as [UInt64] {
      let frames = symbolizer.resolve(
        code(stubs.map { FileAddress($0.address.rawValue + offset) }), detail: .lines)
      for (stub, frame) in zip(stubs, frames) where !stub.name.hasPrefix("*ABS*") {
        // C++ names are shown as people write them; the linker's are as objdump has them.
        #expect((frame.lines[0].linkageName ?? frame.lines[0].function) == stub.name)
      }
    }
  }
}
