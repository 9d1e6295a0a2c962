internal import Foundation
internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading
internal import TestSupport
internal import Testing

@testable internal import PythonReading

@Suite struct `The search for Python` {
  private func find(_ pid: Int32) throws -> PythonSearchResult {
    let memory = ProcessMemory(tid: pid)
    return PythonSearch(memory: memory, maps: try memory.maps()).run()
  }

  private func expectEmbedded(
    _ program: RunningProgram, evidence: PythonEvidence, minor: Int
  ) throws {
    let target = try waitForPython(program)
    #expect(target.runtime.evidence == evidence)
    #expect(target.runtime.version.minor == minor)
    try waitUntil("it waits in Python") {
      ProcessStatus(pid: program.pid)?.state == "S"
        && (try? target.sleepingStack(of: program.pid))?.frames.count == 3
    }
    let stack = try target.sleepingStack(of: program.pid)
    #expect(
      stack.frames.map { $0.function?.name } == ["innermost", "called_from_c", "<module>"])
    #expect(stack.frames.map(\.line) == [3, 5, 6])
    try program.assertUntouched()
  }

  private func waitForPython(_ program: RunningProgram) throws -> PythonTarget {
    var target: PythonTarget?
    try waitUntil("Python is found") {
      target = try? PythonTarget(pid: program.pid)
      return target != nil
    }
    return try #require(target)
  }

  @Test(arguments: PythonLibrary.shared)
  func `finds a library that a C program has loaded, once it has begun`(
    _ library: PythonLibrary
  ) throws {
    let path = try Fixture.compile(source: "embedded.c", flags: ["-O1"] + library.flags)
    let program = try RunningProgram([path, "late"])
    guard case .notReady = try find(program.pid) else {
      throw TestFailure("found before it began: \(try find(program.pid))")
    }
    try program.send(line: "")
    try expectEmbedded(program, evidence: .dynamicSymbol, minor: library.minor)
  }

  @Test(
    .enabled(if: Tool.isInstalled("nm"), "needs binutils"),
    arguments: Interpreter.onePerVersion)
  func `finds the same symbols as nm`(_ interpreter: Interpreter) throws {
    let program = try interpreter.start("stacks.py")
    let target = try PythonTarget(pid: program.pid)
    let files = PythonImage.candidates(in: try target.memory.maps())
    let mappings = try #require(files.first { $0.first?.path == target.runtime.path })
    let found = PythonImage(mappings: mappings, memory: target.memory)
      .symbols(inDynamicTable: true)
    let outcome = try TestSupport.run(["nm", "-D", "--defined-only", target.runtime.path])
    var known: [Substring: UInt64] = [:]
    for line in outcome.stdout.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count == 3, let value = UInt64(words[0], radix: 16) { known[words[2]] = value }
    }
    #expect(found.runtime != nil && found.runtime?.rawValue == known["_PyRuntime"])
    #expect(found.version?.rawValue == known["Py_Version"])
    #expect((found.version != nil) == (interpreter.minor >= 11))
    // Of other versions it is not needed, and may be but a small piece of the loop.
    if [11, 12].contains(interpreter.minor) {
      #expect(found.loop != nil && found.loop?.rawValue == known["_PyEval_EvalFrameDefault"])
    }
  }

  @Test(.enabled(if: PythonLibrary.archive != nil, "no libpython3.X.a with its headers"))
  func `finds a static interpreter in a stripped program by its section`() throws {
    let library = try #require(PythonLibrary.archive)
    let path = try Fixture.compile(source: "embedded.c", flags: ["-O1"] + library.flags)
    try expectEmbedded(try RunningProgram([path]), evidence: .section, minor: library.minor)
  }

  @Test(.enabled(if: PythonLibrary.archive != nil, "no libpython3.X.a with its headers"))
  func `finds a static interpreter without sections by its shape`() throws {
    let library = try #require(PythonLibrary.archive)
    let path = try Fixture.compile(source: "embedded.c", flags: ["-O1"] + library.flags)
    let folder = try TemporaryFolder()
    let bare = try withoutSections(path, in: folder, name: "renamed")
    let program = try RunningProgram([bare])
    try waitUntil("it waits in Python") { ProcessStatus(pid: program.pid)?.state == "S" }
    try expectEmbedded(
      program, evidence: library.minor >= 13 ? .debugCookie : .memoryScan, minor: library.minor)
  }

  @Test(
    .enabled(
      if: FileManager.default.fileExists(atPath: "\(Interpreter.releases)/complete"),
      "no unpacked releases"), arguments: Interpreter.released)
  func `finds a released interpreter without sections by its cookie`(_ minor: Int) throws {
    let interpreter = try #require(
      Interpreter.all.first { $0.minor == minor && $0.name.hasSuffix("unpacked") })
    let folder = try TemporaryFolder()
    let program = try #require(interpreter.command.last)
    let bare = try withoutSections(program, in: folder, name: "worker")
    var renamed = interpreter.command
    renamed[renamed.count - 1] = bare
    let moved = Interpreter(
      name: interpreter.name, command: renamed, environment: interpreter.environment)
    let running = try moved.start("stacks.py")
    let target = try PythonTarget(pid: running.pid)
    #expect(target.runtime.evidence == .debugCookie)
    let thread = try #require(try Truth(running).threads.first)
    let stack = try target.sleepingStack(of: thread.tid)
    #expect(stack.frames.map(Truth.Line.init) == thread.frames.map(\.cut))
    try running.assertUntouched()
  }

  /// A copy of a program whose header says that it has no sections.
  private func withoutSections(
    _ path: String, in folder: TemporaryFolder, name: String
  ) throws -> String {
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    // e_shoff, and e_shnum with e_shstrndx (ELF-64).
    bytes.replaceSubrange(40..<48, with: Data(count: 8))
    bytes.replaceSubrange(60..<64, with: Data(count: 4))
    let copy = "\(folder.path)/\(name)"
    try bytes.write(to: URL(fileURLWithPath: copy))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: copy)
    return copy
  }

  @Test(arguments: [
    ("-DBANNER=\"3.6.15 (default, May  9 2026, 07:31:02) [GCC 12.2.0]\"", "3.6.15"),
    ("-DBANNER=\"2.7.18 (default, May  9 2026, 07:30:02) [GCC 12.2.0]\"", "2"),
  ])
  func `tells a version that is older than those that are read`(
    _ flag: String, _ version: String
  ) throws {
    let path = try Fixture.compile(source: "oldpython.c", flags: ["-O1", "-rdynamic", flag])
    let program = try RunningProgram([path])
    guard case .unknown(let found) = try find(program.pid) else {
      throw TestFailure("\(try find(program.pid))")
    }
    #expect(found == RuntimeBuild(language: "Python", version: version))
    try program.assertUntouched()
  }

  @Test func `tells a build without the lock, which is not read`() throws {
    let path = try Fixture.compile(source: "freethreaded.c", flags: ["-O1", "-rdynamic"])
    let program = try RunningProgram([path])
    guard case .unknown(let found) = try find(program.pid) else {
      throw TestFailure("\(try find(program.pid))")
    }
    #expect(
      found == RuntimeBuild(language: "Python", version: "3.13.0", peculiarity: .withoutLock))
    try program.assertUntouched()
  }

  @Test func `tells a build whose structures are not those of its version`() throws {
    let path = try Fixture.compile(
      source: "freethreaded.c", flags: ["-O1", "-rdynamic", "-DFREE_THREADED=0"])
    let program = try RunningProgram([path])
    guard case .unknown(let found) = try find(program.pid) else {
      throw TestFailure("\(try find(program.pid))")
    }
    #expect(
      found == RuntimeBuild(language: "Python", version: "3.13.0", peculiarity: .ownLayout))
    try program.assertUntouched()
  }

  @Test func `says that a program in C has none`() throws {
    let program = try RunningProgram(fixture: "sleepers.c", ["2", "0"])
    guard case .none = try find(program.pid) else {
      throw TestFailure("\(try find(program.pid))")
    }
    try program.assertUntouched()
  }

  @Test(
    .enabled(if: Repository.isRoot && Tool.isInstalled("unshare"), "needs root and unshare"),
    arguments: Interpreter.onePerVersion.filter { $0.minor >= 11 })
  func `knows threads by the ids of our side of a PID namespace`(
    _ interpreter: Interpreter
  ) throws {
    let fixture = Repository.path("Fixtures/python/stacks.py")
    let program = try RunningProgram(
      ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"] + interpreter.command
        + [fixture], deadline: .seconds(60), environment: interpreter.environment)
    let inner = try #require(children(of: program.pid).first)
    let target = try PythonTarget(pid: inner)
    let truth = try Truth(program)
    for thread in truth.threads {
      let state = try #require(target.reader.threads.first { $0.nativeID == thread.tid })
      let tid = try #require(state.tid)
      #expect(tid != thread.tid)
      let stack = try target.sleepingStack(of: tid)
      #expect(stack.frames.map(Truth.Line.init) == thread.frames.map(\.cut))
    }
    try program.assertUntouched()
  }
}
