import ProfileModel
import Symbolication
import TestSupport
import Testing

@Suite struct `Functions, lines and inlined calls` {
  @Test(
    .enabled(if: areInstalled("gcc", "nm", "addr2line"), "needs gcc and binutils"),
    arguments: [
      "gcc -O2 -gdwarf-4", "gcc -O2 -gdwarf-5", "gcc -O0 -g", "gcc -O2 -g -gz=zlib",
      "gcc -O2 -gdwarf-4 -flto", "gcc -O2 -g -no-pie -ffunction-sections -Wl,--gc-sections",
      "gcc -O2 -g -fno-omit-frame-pointer -static",
    ])
  func `of C by gcc are those of addr2line`(compiler: String) throws {
    try expectAgreement(Fixture(Source.c, name: "a.c", command: "\(compiler) IN -o OUT"))
  }

  @Test(
    .enabled(if: areInstalled(Tool.clang, "nm", "addr2line"), "needs clang and binutils"),
    arguments: ["\(Tool.clang) -O2 -gdwarf-4", "\(Tool.clang) -O0 -gdwarf-4"])
  func `of C by clang are those of addr2line`(compiler: String) throws {
    // No .debug_aranges: the index over the units is our own.
    let fixture = try Fixture(Source.c, name: "a.c", command: "\(compiler) IN -o OUT")
    #expect(try !shell("readelf -SW \(fixture.path)").contains(".debug_aranges"))
    try expectAgreement(fixture)
  }

  @Test(
    .enabled(if: areInstalled("g++", "nm", "addr2line"), "needs g++ and binutils"),
    arguments: ["g++ -O2 -gdwarf-4", "g++ -O0 -gdwarf-4"])
  func `of C++ by gcc are those of addr2line`(compiler: String) throws {
    try expectAgreement(Fixture(Source.cxx, name: "b.cpp", command: "\(compiler) IN -o OUT"))
  }

  @Test(
    .enabled(if: areInstalled(Tool.clangPlusPlus, "nm", "addr2line"), "needs clang++ and binutils"),
    arguments: ["\(Tool.clangPlusPlus) -O2 -gdwarf-4", "\(Tool.clangPlusPlus) -O0 -gdwarf-4"])
  func `of C++ by clang are those of addr2line`(compiler: String) throws {
    try expectAgreement(Fixture(Source.cxx, name: "b.cpp", command: "\(compiler) IN -o OUT"))
  }

  @Test(.enabled(if: areInstalled("rustc", "nm", "addr2line"), "needs rustc and binutils"))
  func `of Rust are those of addr2line`() throws {
    // The standard library's names are of the newer scheme.
    try expectAgreement(
      Fixture(
        Source.rust, name: "wheel.rs",
        command: "rustc --crate-name wheel -C opt-level=2 -g IN -o OUT"))
  }

  // binutils 2.40 loses inlined calls whose ranges are in .debug_rnglists and mixes up the first two
  // files of some line tables, so DWARF 5 is held against DWARF 4 of the same machine code.
  @Test(
    .enabled(if: areInstalled("g++", Tool.clangPlusPlus, "nm"), "needs g++, clang++ and binutils"),
    arguments: ["g++ -O2", "\(Tool.clangPlusPlus) -O2"])
  func `of DWARF 5 are those of DWARF 4`(compiler: String) throws {
    let (four, five) = (
      try Fixture(Source.cxx, name: "b.cpp", command: "\(compiler) -gdwarf-4 IN -o OUT"),
      try Fixture(Source.cxx, name: "b.cpp", command: "\(compiler) -gdwarf-5 IN -o OUT")
    )
    let addresses = try four.addresses()
    #expect(try addresses == five.addresses())
    let expected = four.symbolizer().resolve(code(addresses), detail: .lines)
    let found = five.symbolizer().resolve(code(addresses), detail: .lines)
    #expect(expected.filter { $0.lines.count > 1 }.count > 100)
    for (index, address) in addresses.enumerated() {
      let (left, right) = (expected[index].lines, found[index].lines)
      #expect(left.map(\.function) == right.map(\.function), "\(address)")
      #expect(left.map(\.line) == right.map(\.line), "\(address)")
      #expect(left.map(\.baseName) == right.map(\.baseName), "\(address)")
    }
  }

  /// Compares every function, file, line and inlined call with binutils.
  private func expectAgreement(
    _ fixture: Fixture, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let addresses = Array(try fixture.addresses(perFunction: 25).prefix(6000))
    let references = try Reference.addr2line(fixture.path, addresses)
    let frames = fixture.symbolizer().resolve(code(addresses), detail: .lines)
    try #require(addresses.count > 100 && references.count == addresses.count)
    #expect(references.contains { $0.contains { $0.line > 0 } }, sourceLocation: sourceLocation)
    let differing = zip(addresses, zip(frames, references))
      .filter { !Reference.agree($0.1.0.lines, $0.1.1) }
    #expect(differing.isEmpty, "\(differing.prefix(2))", sourceLocation: sourceLocation)
    #expect(
      frames.allSatisfy {
        $0.lines.last?.isInlined == false && $0.lines.dropLast().allSatisfy(\.isInlined)
      }, sourceLocation: sourceLocation)
  }
}

/// A function and place as another tool prints it.
struct Reference {
  let function: String
  let file: String
  /// 0 where it does not know.
  let line: Int

  /// What `addr2line -fCi` says of each address.
  static func addr2line(_ path: String, _ addresses: [FileAddress]) throws -> [[Reference]] {
    let output = try shell(
      "addr2line -fCia -e \(path)", input: addresses.map { "\($0)\n" }.joined())
    var result: [[Reference]] = []
    var function: Substring?
    for line in output.split(separator: "\n") {
      if line.hasPrefix("0x"), function == nil {
        result.append([])
      } else if let name = function {
        // "/a/b.c:12 (discriminator 3)"
        let place = line.split(separator: " ").first ?? line
        let colon = place.lastIndex(of: ":") ?? place.endIndex
        result[result.count - 1].append(
          Reference(
            function: String(name), file: String(place[..<colon]),
            line: Int(place[colon...].dropFirst()) ?? 0))
        function = nil
      } else {
        function = line
      }
    }
    return result
  }

  /// Whether they say the same, but for what addr2line knows less about.
  static func agree(_ lines: [SourceLine], _ references: [Reference]) -> Bool {
    guard lines.count == references.count else { return false }
    return zip(lines, references).allSatisfy { line, reference in
      // Code without debug data, such as _fini: several symbols may fit, and addr2line may take the
      // line of what lies before it.
      if line.file == nil, reference.file == "??" || reference.function == "??" {
        return !line.function.hasPrefix("0x")
      }
      guard agree(line.function, reference.function) else { return false }
      // Line 0 is code that the compiler made up; we give it its function's line before.
      if reference.line == 0 { return true }
      return line.line == reference.line && line.baseName == reference.file.baseName
    }
  }

  private static func agree(_ name: String, _ reference: String) -> Bool {
    if [name, name + ".cold"].contains(reference) || reference.hasPrefix(name + " [clone ") {
      return true
    }
    // A constructor's debug data may name all variants of it ("C4") and its symbol one of them ("C2").
    // Neither reader of clang 21's newer names has words for them, which else hides the difference.
    if name.hasPrefix("_Z"), reference.hasPrefix("_Z") {
      return reference.replacing("C4I", with: "C2I") == name.replacing("C1I", with: "C2I")
    }
    // gcc gives what is in a type within a function no linkage name; we have what is around it.
    if !reference.contains("::"), name.hasSuffix("::" + reference) { return true }
    if reference.hasPrefix("operator()"), name.contains("{lambda at line ") { return true }
    // gcc gives a static function no linkage name; we have it from the ELF symbol, with types.
    return !reference.contains("(") && name.hasPrefix(reference + "(")
  }
}

extension String {
  /// The last part of a path.
  var baseName: String { split(separator: "/").last.map(String.init) ?? self }
}

extension SourceLine {
  var baseName: String? { file?.baseName }
}
