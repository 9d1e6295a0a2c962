import Foundation
import LinuxProcess
import ProfileModel
import Symbolication
import TestSupport
import Testing

@Suite(.enabled(if: areInstalled("gcc", "nm"), "needs gcc and binutils"))
struct `Names from a file that is changed in place` {
  private let fixture: Fixture
  private let symbolizer: Symbolizer
  private let helper: FileAddress
  private let main: FileAddress

  init() throws {
    fixture = try Fixture(Source.c, name: "a.c", command: "gcc -O2 -g IN -o OUT")
    let file = try MappedFile(descriptor: openForReading(fixture.path))
    symbolizer = Symbolizer { _ in file }
    helper = try #require(try fixture.address(in: "helper", offset: 1))
    main = try #require(try fixture.address(in: "main", offset: 1))
  }

  private func functions(at addresses: FileAddress...) -> [String] {
    symbolizer.resolve(code(addresses), detail: .lines).flatMap { $0.lines.map(\.function) }
  }

  private static let changes = [
    // Another program, which has other functions there.
    "cp /bin/sh PATH", "strip PATH", ": > PATH", "truncate -s 5000 PATH",
  ]

  @Test(arguments: changes)
  func `are left out before the first is looked up`(command: String) throws {
    try shell(command.replacingOccurrences(of: "PATH", with: fixture.path))
    #expect(functions(at: helper, main) == [helper.description, main.description])
    #expect(symbolizer.problems == [ModuleID(0): .changed])
  }

  @Test(arguments: changes)
  func `are left out from then on, and stay where they were found before`(command: String) throws {
    #expect(functions(at: helper).last == "helper")
    try shell(command.replacingOccurrences(of: "PATH", with: fixture.path))
    #expect(functions(at: helper, main).suffix(2) == ["helper", main.description])
    #expect(symbolizer.problems == [ModuleID(0): .changed])
  }

  @Test(.enabled(if: areInstalled("objcopy"), "needs binutils"))
  func `are left out when the separate debug file is changed, too`() throws {
    let path = fixture.path
    try shell(
      "gcc -O2 -Wl,--build-id -x c -o \(path).new - && objcopy --only-keep-debug \(path).new \(path).debug"
        + " && strip \(path).new", input: Source.c)
    let file = try MappedFile(descriptor: openForReading(path + ".new"))
    let debugFile = try MappedFile(descriptor: openForReading(path + ".debug"))
    func function(_ change: String) throws -> String {
      let symbolizer = Symbolizer(
        file: { _ in file }, debugFiles: DebugFiles(byBuildID: { _ in debugFile }))
      let start = try #require(
        try shell("nm \(path).debug").split(separator: "\n").first { $0.hasSuffix(" helper") }
          .flatMap { UInt64($0.split(separator: " ")[0], radix: 16) })
      try shell(change)
      return symbolizer.resolve(code([FileAddress(start)]), detail: .lines)[0].lines[0].function
    }
    #expect(try function("true") == "helper")
    #expect(try function(": >> \(path).debug; printf x >> \(path).debug").hasPrefix("0x"))
  }

  @Test func `are there when the file was replaced as a whole`() throws {
    try shell("cp /bin/sh \(fixture.path).new && mv \(fixture.path).new \(fixture.path)")
    #expect(functions(at: main).last == "main")
    #expect(symbolizer.problems.isEmpty)
  }
}

/// A file of which one name is in another, as dwz(1) leaves it.
private final class SharedNames {
  /// A function of 16 bytes, whose name is `DW_FORM_GNU_strp_alt` 1.
  private static let source = """
    .text
    .globl _start
    _start: .skip 16, 0x90
    .section .debug_abbrev,"",@progbits
    .uleb128 1, 0x11
    .byte 1
    .uleb128 0x11, 1, 0x12, 7, 0, 0
    .uleb128 2, 0x2e
    .byte 0
    .uleb128 3, 0x1f21, 0x11, 1, 0x12, 7, 0, 0
    .byte 0
    .section .debug_info,"",@progbits
    .long 2f-1f
    1: .short 4
    .long 0
    .byte 8
    .uleb128 1
    .quad _start, 16
    .uleb128 2
    .long 1
    .quad _start, 16
    .byte 0
    2:
    """
  private static let shared = """
    .section .note.gnu.build-id,"a",@note
    .long 4, 4, 3
    .asciz "GNU"
    .long 0x04030201
    .section .debug_str,"MS",@progbits,1
    .asciz ""
    .asciz "shared_name"
    .section .debug_info,"",@progbits
    .long 0
    """

  let program: Fixture
  let other: Fixture
  let start = FileAddress(0x401000)

  /// `name` is that of the other file in the first.
  init(name: (_ other: String) -> String) throws {
    program = try Fixture(
      Self.source, name: "a.s",
      command:
        "gcc -nostdlib -static -Wl,-Ttext=0x401000,--build-id=none -Wa,--noexecstack IN -o OUT")
    other = try Fixture(Self.shared, name: "b.s", command: "gcc -c IN -o OUT")
    let path = program.path
    try shell(
      """
      printf '%s\\000\\001\\002\\003\\004' '\(name(other.path))' > \(path).link
      objcopy --add-section .gnu_debugaltlink=\(path).link --strip-symbol=_start \(path)
      """)
  }

  func function(_ debugFiles: DebugFiles) throws -> String {
    let file = try MappedFile(descriptor: openForReading(program.path))
    let symbolizer = Symbolizer(file: { _ in file }, debugFiles: debugFiles)
    return symbolizer.resolve(code([start]), detail: .lines)[0].lines[0].function
  }
}

@Suite(.enabled(if: areInstalled("gcc", "nm", "objcopy"), "needs gcc and binutils"))
struct `Debug data that goes on in another file` {
  private func open(_ path: String) -> MappedFile? {
    try? MappedFile(descriptor: openForReading(path))
  }

  @Test func `has names from the file of that build ID`() throws {
    let names = try SharedNames { _ in "nowhere" }
    var asked: [String] = []
    let found = DebugFiles(byBuildID: { buildID in
      asked.append(buildID)
      return self.open(names.other.path)
    })
    #expect(try names.function(found) == "shared_name")
    #expect(asked.contains("01020304"))
  }

  @Test func `has names from the file of that name, which may be relative`() throws {
    let absolute = try SharedNames { $0 }
    #expect(try absolute.function(DebugFiles(byPath: { self.open($0) })) == "shared_name")
    let relative = try SharedNames {
      "../" + $0.split(separator: "/").suffix(2).joined(separator: "/")
    }
    #expect(try relative.function(DebugFiles(byPath: { self.open($0) })) == "shared_name")
  }

  @Test func `has no names from a file of another build ID`() throws {
    let names = try SharedNames { $0 }
    let wrong = DebugFiles(
      byBuildID: { _ in self.open(names.program.path) }, byPath: { _ in self.open("/bin/sh") })
    #expect(try names.function(wrong) == names.start.description)
  }

  /// libdw would wait for somebody to write to it.
  @Test(.timeLimit(.minutes(1)))
  func `is read without it where that is a FIFO`() throws {
    let folder = try TemporaryFolder()
    let fifo = folder.path + "/fifo"
    try #require(mkfifo(fifo, 0o666) == 0)
    let names = try SharedNames { _ in fifo }
    #expect(try names.function(DebugFiles()) == names.start.description)
  }

  @Test(.timeLimit(.minutes(1)), arguments: ["-gdwarf-4", "-gdwarf-5"])
  func `is read without the units that were split off into a FIFO`(version: String) throws {
    let fixture = try Fixture(
      Source.c, name: "a.c",
      command: "cd $(dirname IN) && gcc -O2 \(version) -gsplit-dwarf IN -o OUT")
    try shell(
      "cd $(dirname \(fixture.path)) && rm *.dwo && for n in a program-a; do mkfifo $n.dwo; done")
    let main = try #require(try fixture.address(in: "main", offset: 1))
    let frames = fixture.symbolizer().resolve(code([main]), detail: .lines)
    #expect(frames[0].lines.last?.function == "main")
  }
}
