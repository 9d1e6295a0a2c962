import ELFReading
import Foundation
import LinuxProcess
import ProfileModel
import TestSupport
import Testing

@testable import Symbolication

@Suite struct `A symbolizer` {
  @Test func `shows code in no file as its address`() {
    let symbolizer = Symbolizer { _ in nil }
    let addresses = [
      CodeAddress(module: .anonymous, address: FileAddress(0x7f00_1234)),
      CodeAddress(module: ModuleID(3), address: FileAddress(0x10)),
    ]
    let frames = symbolizer.resolve(addresses, detail: .lines)
    #expect(
      frames.map(\.lines) == [
        [SourceLine(function: "0x7f001234")], [SourceLine(function: "0x10")],
      ])
    #expect(frames.map(\.module) == [.anonymous, ModuleID(3)])
    #expect(symbolizer.problems.isEmpty)
  }

  @Test(.enabled(if: areInstalled("g++"), "needs g++"))
  func `tells the lambdas of a function apart, and the methods of types within functions`() throws {
    let fixture = try Fixture(
      """
      #include <functional>
      #include <vector>
      volatile int sink;
      namespace app {
      struct Jobs {
        std::vector<std::function<void()>> list;
        __attribute__((noinline)) void fill(int n) {
          list.push_back([n] { for (int i = 0; i < n; i++) sink = sink * 3 + i; });
          list.push_back([n] { for (int i = 0; i < n; i++) sink = sink * 5 - i; });
          struct Step { void run(int n) { for (int i = 0; i < n; i++) sink = sink + i; } };
          Step().run(n);
        }
      };
      }
      static void add(std::vector<std::function<void()>>& list, int n) {
        list.push_back([n] { for (int i = 0; i < n; i++) sink = sink * 7 + i; });
        list.push_back([n] { for (int i = 0; i < n; i++) sink = sink * 9 - i; });
      }
      int main(int n, char**) {
        app::Jobs jobs;
        jobs.fill(n);
        add(jobs.list, n);
        for (auto& job : jobs.list) job();
        return [](auto x) { for (int i = 0; i < x; i++) sink = sink / 3; return sink; }(n);
      }
      """, name: "jobs.cpp", command: "g++ -O1 -g -std=c++17 IN -o OUT")
    let addresses = try fixture.addresses(perFunction: 400)
    let frames = fixture.symbolizer().resolve(code(addresses), detail: .lines)
    let names = Set(frames.flatMap(\.lines).map(\.function))
    // These have linkage names, as what is around them has.
    for number in [1, 2] {
      let name = "app::Jobs::fill(int)::{lambda()#\(number)}::operator()() const"
      #expect(names.contains(name), "\(names)")
    }
    for line in [16, 17] {
      #expect(names.contains { $0.hasPrefix("add") && $0.hasSuffix("::{lambda at line \(line)}") })
    }
    #expect(names.contains { $0.hasPrefix("app::Jobs::fill(int)::Step::run") }, "\(names)")
    #expect(names.contains { $0.hasPrefix("main::{lambda at line 24}") }, "\(names)")
    #expect(!names.contains("operator()"), "\(names)")
  }

  @Test func `opens each module once and counts its progress`() {
    var opened: [ModuleID] = []
    let symbolizer = Symbolizer { module in
      opened.append(module)
      return nil
    }
    let addresses = [1, 2, 1, 2].map {
      CodeAddress(module: ModuleID($0), address: FileAddress(UInt64($0)))
    }
    var progress: [Int] = []
    for _ in 0..<2 {
      _ = symbolizer.resolve(addresses, detail: .functions) { done, total in
        #expect(total == 4)
        progress.append(done)
      }
    }
    #expect(opened == [ModuleID(1), ModuleID(2)])
    #expect(progress == [1, 2, 3, 4, 1, 2, 3, 4])
  }

  @Test func `says what is wrong with a file that is no ELF file`() {
    let symbolizer = Symbolizer { _ in MappedFile(copying: Array("#!/bin/sh\n".utf8)) }
    let frames = symbolizer.resolve(code([FileAddress(4)]), detail: .lines)
    #expect(frames[0].lines == [SourceLine(function: "0x4")])
    #expect(symbolizer.problems == [ModuleID(0): .notELF])
  }

  @Test(.enabled(if: areInstalled("gcc", "nm"), "needs gcc and binutils"))
  func `lets go of a file whose lines it has read`() throws {
    let fixture = try Fixture(Source.c, name: "a.c", command: "gcc -O2 -g IN -o OUT")
    let file = try MappedFile(descriptor: openForReading(fixture.path))
    let code = CodeRanges(try ELFFile(file.bytes))
    weak var session: DwarfSession?
    do {
      let opened = try DwarfSession(file) { _, _ in nil }
      session = opened
      let table = LineTables(opened).table(at: 0, directory: nil, code: code)
      #expect(table != nil && session != nil)
    }
    #expect(session == nil)
  }

  @Test(.enabled(if: areInstalled("gcc", "nm"), "needs gcc and binutils"))
  func `gives functions only when asked for functions`() throws {
    let fixture = try Fixture(Source.c, name: "a.c", command: "gcc -O2 -g IN -o OUT")
    let addresses = code(try fixture.addresses())
    let symbolizer = fixture.symbolizer()
    let functions = symbolizer.resolve(addresses, detail: .functions)
    #expect(functions.allSatisfy { $0.lines.count == 1 && $0.lines[0].file == nil })
    #expect(functions.contains { $0.lines[0].function == "helper" })
    let lines = symbolizer.resolve(addresses, detail: .lines)
    #expect(lines.contains { $0.lines.map(\.function) == ["square", "twice", "helper"] })
  }

  @Test(.enabled(if: areInstalled("gcc", "nm", "strip"), "needs gcc and binutils"))
  func `names what a stripped program exports, and nothing else`() throws {
    let fixture = try Fixture(Source.c, name: "a.c", command: "gcc -O2 -g -rdynamic IN -o OUT")
    let compare = try #require(try fixture.address(in: "compare", offset: 1))
    let helper = try #require(try fixture.address(in: "helper", offset: 1))
    try shell("strip \(fixture.path)")
    let symbolizer = fixture.symbolizer()
    let frames = symbolizer.resolve(code([compare, helper]), detail: .lines)
    #expect(frames[0].lines == [SourceLine(function: "compare")])
    #expect(frames[1].lines == [SourceLine(function: helper.description)])
    #expect(symbolizer.problems.isEmpty)
  }

  @Test(
    .enabled(if: areInstalled("gcc", "nm"), "needs gcc and binutils"),
    arguments: [
      (0, UInt64(9), "does not know"), (0, 2, "is damaged"), (8, 600 << 20, "600 MiB"),
      (8, 1, "is damaged"), (8, 400 << 20, "is damaged"),
    ])
  func `falls back to symbols for debug data that is not read`(
    offset: Int, value: UInt64, words: String
  ) throws {
    let fixture = try Fixture(Source.c, name: "a.c", command: "gcc -O2 -g -gz=zlib IN -o OUT")
    let address = try #require(try fixture.address(in: "compare"))
    var bytes = try fixture.bytes()
    let section = try #require(try Fixture.range(of: ".debug_info", in: bytes))
    // The compression header: 4 bytes of type, 4 reserved, 8 of size.
    for byte in 0..<(offset == 0 ? 4 : 8) {
      bytes[section.lowerBound + offset + byte] = UInt8(truncatingIfNeeded: value >> (byte * 8))
    }
    let patched = try Fixture(bytes: bytes)
    let symbolizer = patched.symbolizer()
    let frames = symbolizer.resolve(code([address]), detail: .lines)
    #expect(frames[0].lines == [SourceLine(function: "compare")])
    #expect(symbolizer.problems[ModuleID(0)]?.words.contains(words) == true)
  }
}

@Suite struct `An image of sections` {
  @Test func `is not made of more sections than a file can have`() {
    let sections = Array(
      repeating: SectionImage.Section(
        name: ".debug_x", content: SectionContent(.init(start: nil, count: 0))),
      count: 65_534)
    #expect(throws: DebugData.Problem.unreadable("too many sections")) {
      try SectionImage(sections)
    }
  }

  @Test(arguments: [UInt64(600) << 20, 1 << 62, .max])
  func `is not made where a section says that it is huge`(size: UInt64) throws {
    // Elf64_Chdr: zlib, reserved, size, alignment; then a stream that is cut off.
    let header: [UInt64] = [1, size, 1, 0x9c78]
    try header.withUnsafeBytes { bytes in
      let content = try SectionContent(of: ".gnu_debugaltlink", isCompressed: true, bytes)
      #expect(
        throws: DebugData.Problem.tooLarge(section: ".gnu_debugaltlink", bytes: size)
      ) {
        try SectionImage([SectionImage.Section(name: ".gnu_debugaltlink", content: content)])
      }
    }
  }
}

@Suite struct `Other languages` {
  @Test(.enabled(if: areInstalled("rustc", "nm"), "needs rustc and binutils"))
  func `Rust functions have paths without a hash, and their inlined calls`() throws {
    let fixture = try Fixture(
      Source.rust, name: "wheel.rs",
      command: "rustc --crate-name wheel -C opt-level=2 -g IN -o OUT")
    let chains = try inlinedChains(of: fixture, endingIn: "wheel::Wheel<T>::spin")
    let step = try #require(chains.first { $0.contains { $0.function == "wheel::step" } })
    let index = try #require(step.firstIndex { $0.function == "wheel::step" })
    #expect(step[index].line == 3 && step[index].baseName == "wheel.rs")
    #expect(step[index + 1].line == 11)
  }

  @Test(.enabled(if: areInstalled("go", "nm"), "needs go and binutils"))
  func `Go functions have their inlined calls`() throws {
    let fixture = try Fixture(
      Source.go, name: "wheel.go",
      command: "HOME=${HOME:-/tmp} GOFLAGS=-mod=mod GO111MODULE=off go build -o OUT IN")
    let chains = try inlinedChains(of: fixture, endingIn: "main.(*Wheel).Spin")
    #expect(chains.contains { $0.map(\.function) == ["main.step", "main.(*Wheel).Spin"] })
    #expect(chains.contains { $0.map(\.line) == [17, 11] })
  }

  @Test(.enabled(if: areInstalled("swiftc", "nm"), "needs swiftc and binutils"))
  func `Swift functions have their inlined calls`() throws {
    let fixture = try Fixture(
      Source.swift, name: "wheel.swift", command: "swiftc -O -g -module-name wheel IN -o OUT")
    let chains = try inlinedChains(of: fixture, endingIn: "wheel.Wheel.spin() -> Swift.Int")
    let step = try #require(
      chains.first { $0.contains { $0.function.hasPrefix("wheel.step(") && $0.line == 2 } })
    #expect(step.last?.line == 9 && step.last?.baseName == "wheel.swift")
  }

  /// What is known of the addresses in one function that have inlined calls.
  private func inlinedChains(of fixture: Fixture, endingIn name: String) throws -> [[SourceLine]] {
    let frames = fixture.symbolizer().resolve(code(try fixture.addresses()), detail: .lines)
    return frames.map(\.lines).filter { $0.count > 1 && $0.last?.function == name }
  }
}

@Suite struct `Hostile files` {
  @Test(
    .enabled(if: areInstalled("gcc", Tool.clang, "nm"), "needs gcc, clang and binutils"),
    arguments: ["gcc -O2 -gdwarf-5", "gcc -O2 -g -gz=zlib", "\(Tool.clang) -O2 -gdwarf-4"])
  func `with flipped bits give some answer`(compiler: String) throws {
    let fixture = try Fixture(Source.c, name: "a.c", command: "\(compiler) IN -o OUT")
    let addresses = code(try fixture.addresses(perFunction: 10))
    let original = try fixture.bytes()
    let targets = try Fixture.hostileTargets(of: original)
    let intact = fixture.symbolizer().resolve(addresses, detail: .lines)
    var changed = 0
    var random = Random(seed: 42)
    for _ in 0..<Repository.trials(short: 120, full: 3_000) {
      var bytes = original
      let target = targets[random.below(targets.count)]
      for _ in 0...random.below(16) {
        bytes[target.lowerBound + random.below(target.count)] ^= 1 << UInt8(random.below(8))
      }
      let frames = try Fixture(bytes: bytes).symbolizer().resolve(addresses, detail: .lines)
      #expect(frames.count == addresses.count && frames.allSatisfy { !$0.lines.isEmpty })
      if frames != intact { changed += 1 }
    }
    // The flips reach what is read.
    #expect(changed > 20)
  }

  @Test(.enabled(if: areInstalled("gcc", "nm"), "needs gcc and binutils"))
  func `whose references run in circles give the ELF symbol`() throws {
    let fixture = try Fixture(Source.circularDebugData, name: "a.s", command: "gcc IN -o OUT")
    let symbolizer = fixture.symbolizer()
    let addresses = try ["main", "deep"].map { try #require(try fixture.address(in: $0)) }
    let frames = symbolizer.resolve(code(addresses), detail: .lines)
    #expect(frames[0].lines == [SourceLine(function: "main")])
    // More blocks within each other than are followed; the function around them is found.
    #expect(frames[1].lines == [SourceLine(function: "nested")])
    #expect(symbolizer.problems.isEmpty)
  }

  @Test(.enabled(if: areInstalled("gcc", "nm", "objcopy"), "needs gcc and binutils"))
  func `whose index names the wrong units give the right functions`() throws {
    let fixture = try Fixture(
      Source.twoUnits, name: "a.c",
      command: "gcc -O1 -g -c IN -o OUT.a.o && gcc -O1 -g -DSECOND -c IN -o OUT.b.o "
        + "&& gcc OUT.a.o OUT.b.o -o OUT && objcopy --dump-section .debug_aranges=OUT.index OUT")
    let addresses = code(try fixture.addresses(perFunction: 10))
    let intact = fixture.symbolizer().resolve(addresses, detail: .lines)
    #expect(intact.contains { $0.lines.contains { $0.function == "second" && $0.line > 0 } })
    let index = URL(fileURLWithPath: fixture.path + ".index")
    var bytes = Array(try Data(contentsOf: index))
    // Each set: its length without these four bytes, a version, and where its unit begins.
    var places: [Int] = []
    var start = 0
    while start + 12 <= bytes.count {
      places.append(start + 6)
      start += 4 + bytes[start..<(start + 4)].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
    try #require(places.count == 2)
    for offset in 0..<4 { bytes.swapAt(places[0] + offset, places[1] + offset) }
    try Data(bytes).write(to: index)
    try shell("objcopy --update-section .debug_aranges=\(index.path) \(fixture.path)")
    #expect(fixture.symbolizer().resolve(addresses, detail: .lines) == intact)
  }

  @Test(.enabled(if: areInstalled("gcc", "nm"), "needs gcc and binutils"))
  func `cut short give some answer`() throws {
    let fixture = try Fixture(Source.c, name: "a.c", command: "gcc -O2 -g IN -o OUT")
    let addresses = code(try fixture.addresses(perFunction: 10))
    let original = try fixture.bytes()
    let headers = try Fixture.sectionCount(in: original) * 64
    for count in stride(from: 1, to: original.count, by: original.count / 100) {
      let cut = try Fixture(bytes: Array(original.prefix(count)))
      let frames = cut.symbolizer().resolve(addresses, detail: .lines)
      #expect(frames.count == addresses.count && frames.allSatisfy { !$0.lines.isEmpty })
      // The section headers come last, and without them nothing is known.
      if count <= original.count - headers {
        #expect(frames.allSatisfy { $0.lines[0].function.hasPrefix("0x") })
      }
    }
  }
}

/// Numbers that are the same in every run (SplitMix64).
private struct Random {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func below(_ limit: Int) -> Int {
    state &+= 0x9e37_79b9_7f4a_7c15
    var bits = state
    bits = (bits ^ bits >> 30) &* 0xbf58_476d_1ce4_e5b9
    bits = (bits ^ bits >> 27) &* 0x94d0_49bb_1331_11eb
    return Int((bits ^ bits >> 31) % UInt64(limit))
  }
}

extension Fixture {
  static func map(_ path: String) throws -> MappedFile {
    try MappedFile(descriptor: openForReading(path))
  }

  /// Where a section lies in an image.
  static func range(of section: String, in bytes: [UInt8]) throws -> Range<Int>? {
    let file = MappedFile(copying: bytes)
    let elf = try ELFFile(file.bytes)
    return elf.section(named: section).flatMap { elf.bytes(of: $0, fileSize: bytes.count) }
  }

  static func sectionCount(in bytes: [UInt8]) throws -> Int {
    let file = MappedFile(copying: bytes)
    return try ELFFile(file.bytes).sections.count
  }

  /// The debug sections, the symbols and the section headers of an image.
  static func hostileTargets(of bytes: [UInt8]) throws -> [Range<Int>] {
    let file = MappedFile(copying: bytes)
    let elf = try ELFFile(file.bytes)
    let sections = elf.sections.filter { $0.name.contains("debug_") || $0.name.contains("tab") }
    let headers = bytes.count - elf.sections.count * 64
    return sections.compactMap { elf.bytes(of: $0, fileSize: bytes.count) }
      .filter { !$0.isEmpty } + [headers..<bytes.count, 0..<64]
  }
}
