import Foundation
import LinuxProcess
import ProfileModel
import Symbolication
import TestSupport
import Testing

/// A program, and what is known of its addresses from its own symbols and debug data.
private struct WholeProgram {
  let fixture: Fixture
  let addresses: [FileAddress]
  let frames: [[SourceLine]]

  init(_ compiler: String, _ source: String = Source.cxx, name: String = "b.cpp") throws {
    fixture = try Fixture(
      source, name: name, command: "cd $(dirname IN) && \(compiler) \(name) -o OUT")
    addresses = try fixture.addresses()
    frames = fixture.symbolizer().resolve(code(addresses), detail: .lines).map(\.lines)
    #expect(frames.contains { $0.count > 1 && $0.allSatisfy { $0.line > 0 } })
  }

  var path: String { fixture.path }
  var folder: String { String(path.dropLast("/program".count)) }

  /// The build ID, as readelf gives it.
  func buildID() throws -> String {
    let text = try shell("readelf -n \(path)")
    let id = text.split(separator: "\n").first { $0.contains("Build ID") }
    return try #require(id?.split(separator: " ").last.map(String.init))
  }

  func symbolizer(_ debugFiles: DebugFiles, timeLimit: Nanoseconds? = nil) -> Symbolizer {
    Symbolizer(
      file: { [path] _ in MappedFile.regular(at: path) }, debugFiles: debugFiles,
      timeLimit: timeLimit)
  }

  func frames(_ debugFiles: DebugFiles) -> [[SourceLine]] {
    symbolizer(debugFiles).resolve(code(addresses), detail: .lines).map(\.lines)
  }

  func expectSame(_ debugFiles: DebugFiles) {
    let found = frames(debugFiles)
    for (index, address) in addresses.enumerated() where found[index] != frames[index] {
      Issue.record("\(address): \(found[index]) in place of \(frames[index])")
      return
    }
  }
}

private var none: DebugFiles { DebugFiles() }
private var own: DebugFiles { DebugFiles(roots: [{ MappedFile.regular(at: $0) }]) }

@Suite(.enabled(if: areInstalled("g++", "nm", "objcopy", "strip"), "needs g++ and binutils"))
struct `Separate debug data` {
  private static let flags = [
    "-O2 -gdwarf-4", "-O2 -gdwarf-5", "-O2 -g -gz=zlib", "-O2 -g -flto", "-O0 -g",
    "-O2 -g -no-pie",
  ]

  @Test(arguments: flags)
  func `by build ID gives all that an unstripped program has`(flags: String) throws {
    let program = try WholeProgram("g++ \(flags)")
    let id = try program.buildID()
    let root = program.folder + "/root"
    let place = "\(root)/usr/lib/debug/.build-id/\(id.prefix(2))"
    try shell(
      """
      mkdir -p \(place) && cd \(program.folder) &&
      objcopy --only-keep-debug program \(place)/\(id.dropFirst(2)).debug && strip program
      """)
    #expect(program.frames(none) != program.frames)
    // The first has nothing there, the second all.
    program.expectSame(
      DebugFiles(roots: [
        { MappedFile.regular(at: "/nowhere" + $0) }, { MappedFile.regular(at: root + $0) },
      ]))
  }

  @Test(arguments: ["none", "zlib-gabi", "zlib-gnu"])
  func `is the same however it is compressed`(kind: String) throws {
    let program = try WholeProgram("g++ -O2 -g")
    try shell("cd \(program.folder) && objcopy --compress-debug-sections=\(kind) program")
    program.expectSame(none)
  }

  private static let writesZstd =
    (try? shell("objcopy --help")).map { $0.contains("zstd") } ?? false

  @Test(.enabled(if: writesZstd, "needs an objcopy that writes zstd"))
  func `is the same compressed with zstd`() throws {
    let program = try WholeProgram("g++ -O2 -g")
    try shell("cd \(program.folder) && objcopy --compress-debug-sections=zstd program")
    #expect(try shell("readelf -tW \(program.path)").contains("ZSTD"))
    program.expectSame(none)
  }

  @Test func `is found in what a debuginfod client has fetched`() throws {
    let program = try WholeProgram("g++ -O2 -g")
    let id = try program.buildID()
    let cache = program.folder + "/cache"
    try shell(
      """
      mkdir -p \(cache)/\(id) && cd \(program.folder) &&
      objcopy --only-keep-debug program \(cache)/\(id)/debuginfo && strip program
      """)
    program.expectSame(DebugFiles(roots: [{ MappedFile.regular(at: $0) }], caches: [cache]))
    let variables = ["HOME": "/h", "XDG_CACHE_HOME": "/x"]
    #expect(
      DebugFiles.caches { variables[$0] }
        == ["/x/debuginfod_client", "/h/.cache/debuginfod_client", "/h/.debuginfod_client_cache"])
    #expect(DebugFiles.caches { $0 == "DEBUGINFOD_CACHE_PATH" ? "/c" : variables[$0] } == ["/c"])
  }

  @Test(arguments: ["", ".debug/"])
  func `by name and checksum gives it too, and none where the checksum is another's`(
    folder: String
  ) throws {
    let program = try WholeProgram("g++ -O2 -g -Wl,--build-id=none")
    try shell(
      """
      cd \(program.folder) && mkdir -p .debug && objcopy --only-keep-debug program \(folder)p.debug &&
      strip program && objcopy --add-gnu-debuglink=\(folder)p.debug program
      """)
    program.expectSame(own)
    try shell("printf x >>\(program.folder)/\(folder)p.debug")
    #expect(program.frames(own) == program.frames(none))
  }

  @Test(.timeLimit(.minutes(1)))
  func `by name is not waited for where that is a FIFO, nor taken from elsewhere`() throws {
    let program = try WholeProgram("g++ -O2 -g")
    try shell(
      """
      cd \(program.folder) && objcopy --only-keep-debug program p.debug && strip program &&
      objcopy --add-gnu-debuglink=p.debug program && mv p.debug q && mkfifo p.debug
      """)
    #expect(program.frames(own) == program.frames(none))
    // Of another build.
    try shell("cd \(program.folder) && rm p.debug && cp /bin/sh p.debug")
    #expect(program.frames(own) == program.frames(none))
  }

  @Test(.enabled(if: areInstalled("dwz"), "needs dwz"))
  func `that dwz has split gives the same`() throws {
    let program = try WholeProgram("g++ -O2 -gdwarf-5")
    let id = try program.buildID()
    let root = program.folder + "/root"
    let place = "\(root)/usr/lib/debug/.build-id/\(id.prefix(2))"
    try shell(
      """
      mkdir -p \(place) && cd \(program.folder) && cp program twin &&
      dwz -m \(root)/common.debug -M /common.debug program twin &&
      objcopy --only-keep-debug program \(place)/\(id.dropFirst(2)).debug && strip program
      """)
    program.expectSame(DebugFiles(roots: [{ MappedFile.regular(at: root + $0) }]))
  }

  @Test(.enabled(if: areInstalled("xz"), "needs xz"))
  func `in the program itself, compressed with xz, gives the names`() throws {
    let program = try WholeProgram("gcc -O2 -g -rdynamic", Source.c, name: "a.c")
    let functions = try program.fixture.functions().filter { $0.size > 0 }
    let addresses = functions.map { FileAddress($0.start) }
    let names = program.fixture.symbolizer().resolve(code(addresses), detail: .functions)
    try shell(
      """
      cd \(program.folder) && nm -D program --format=posix --defined-only |
        awk '{ print $1 }' | sort >dynamic &&
      nm program --format=posix --defined-only |
        awk '{ if ($2 == "T" || $2 == "t" || $2 == "D") print $1 }' | sort >full &&
      comm -13 dynamic full >kept && objcopy --only-keep-debug program mini &&
      objcopy -S --remove-section .gdb_index --keep-symbols=kept mini && strip program &&
      xz mini && objcopy --add-section .gnu_debugdata=mini.xz program
      """)
    let found = program.symbolizer(none).resolve(code(addresses), detail: .functions)
    #expect(names.contains { $0.lines[0].function == "helper" })
    #expect(found.map(\.lines) == names.map(\.lines))
  }

  @Test func `is left out where reading it would take longer than it may, which is said`() throws {
    let program = try WholeProgram("g++ -O2 -g -gz=zlib")
    let names = program.symbolizer(none).resolve(code(program.addresses), detail: .functions)
    let hurried = program.symbolizer(none, timeLimit: .microseconds(1))
    let found = hurried.resolve(code(program.addresses), detail: .lines)
    #expect(found.map(\.lines) == names.map(\.lines))
    #expect(hurried.problems[ModuleID(0)]?.words.contains("--symbols-timeout") == true)
    let patient = program.symbolizer(none, timeLimit: .seconds(60))
    #expect(
      patient.resolve(code(program.addresses), detail: .lines).map(\.lines) == program.frames)
    #expect(patient.problems.isEmpty)
  }
}

@Suite(.enabled(if: areInstalled("g++", "nm"), "needs g++ and binutils"))
struct `Split debug data` {
  private static let compilers = ["g++", Tool.clangPlusPlus].flatMap { compiler in
    ["-gdwarf-4", "-gdwarf-5"].flatMap { version in
      ["", " -ffunction-sections", " -gz=zlib"].map { "\(compiler) -O2 \(version)\($0)" }
    }
  }.filter { areInstalled(String($0.prefix { $0 != " " })) }

  /// The same machine code with all its debug data.
  private func whole(_ compiler: String) throws -> WholeProgram { try WholeProgram(compiler) }

  private func split(_ compiler: String) throws -> Fixture {
    try Fixture(
      Source.cxx, name: "b.cpp",
      command: "cd $(dirname IN) && \(compiler) -gsplit-dwarf b.cpp -o OUT")
  }

  private func expectSame(
    _ fixture: Fixture, _ whole: WholeProgram, _ debugFiles: DebugFiles
  ) throws -> Symbolizer {
    let symbolizer = Symbolizer(
      file: { _ in MappedFile.regular(at: fixture.path) }, debugFiles: debugFiles)
    let found = symbolizer.resolve(code(whole.addresses), detail: .lines).map(\.lines)
    // The two were compiled in different folders.
    func withoutFolders(_ lines: [SourceLine]) -> [SourceLine] {
      lines.map {
        SourceLine(
          function: $0.function, linkageName: $0.linkageName,
          file: $0.file?.split(separator: "/").last.map(String.init), line: $0.line,
          isInlined: $0.isInlined)
      }
    }
    for (index, lines) in found.enumerated()
    where withoutFolders(lines) != withoutFolders(whole.frames[index]) {
      Issue.record("\(whole.addresses[index]): \(lines) in place of \(whole.frames[index])")
      break
    }
    return symbolizer
  }

  @Test(arguments: compilers)
  func `gives what the same program has whole`(compiler: String) throws {
    let symbolizer = try expectSame(split(compiler), whole(compiler), own)
    #expect(symbolizer.problems.isEmpty)
  }

  /// GNU's form is dwp's, that of version 5 llvm-dwp's.
  private static let packages: [(compiler: String, tool: String)] =
    compilers.filter { !$0.contains("-gz") }.compactMap { compiler in
      let tools = compiler.contains("-4") ? ["dwp"] : ["llvm-dwp", "llvm-dwp-14"]
      return tools.first { areInstalled($0) }.map { (compiler, $0) }
    }

  @Test(.enabled(if: !packages.isEmpty, "needs dwp or llvm-dwp"), arguments: packages)
  func `gives it from a package, too`(compiler: String, tool: String) throws {
    let fixture = try split(compiler)
    try shell("cd $(dirname \(fixture.path)) && \(tool) -e program -o program.dwp && rm *.dwo")
    let symbolizer = try expectSame(fixture, whole(compiler), own)
    #expect(symbolizer.problems.isEmpty)
  }

  @Test func `that is not found is said to be missing`() throws {
    let fixture = try split("g++ -O2 -gdwarf-5")
    try shell("rm $(dirname \(fixture.path))/*.dwo")
    let main = try #require(try fixture.address(in: "main", offset: 1))
    let symbolizer = Symbolizer(
      file: { _ in MappedFile.regular(at: fixture.path) }, debugFiles: own)
    let frames = symbolizer.resolve(code([main]), detail: .lines)
    #expect(frames[0].lines.last?.function == "main")
    #expect(frames[0].lines.last.map { $0.line > 0 } == true)
    #expect(symbolizer.problems[ModuleID(0)]?.words.contains(".dwo") == true)
  }
}
