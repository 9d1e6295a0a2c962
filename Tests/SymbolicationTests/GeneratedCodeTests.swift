import Foundation
import Glibc
import LinuxProcess
import ProfileModel
import Symbolication
import TestSupport
import Testing

/// Files that a program writes for profilers, made by a test.
private final class Files {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  var map: String { folder.path + "/perf-1.map" }
  var dump: String { folder.path + "/jit-1.dump" }

  func append(_ text: String) throws { try append(Array(text.utf8), to: map) }

  func append(_ bytes: [UInt8], to path: String) throws {
    let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    try #require(file >= 0)
    defer { close(file) }
    #expect(bytes.isEmpty || write(file, bytes, bytes.count) == bytes.count)
  }

  func code() -> GeneratedCode {
    GeneratedCode(
      map: { [map] in OwnedFile(path: map, user: geteuid()) },
      dump: { [dump] in OwnedFile(path: $0 ?? dump, user: geteuid()) })
  }
}

private func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

private func record(_ kind: UInt32, _ body: [UInt8]) -> [UInt8] {
  bytes(kind) + bytes(UInt32(body.count + 16)) + bytes(UInt64(0)) + body
}

private let header: [UInt8] =
  bytes(UInt32(0x4a69_5444)) + bytes(UInt32(1)) + bytes(UInt32(40)) + bytes(UInt32(62))
  + bytes(UInt32(0)) + bytes(UInt32(1)) + bytes(UInt64(0)) + bytes(UInt64(0))

private func load(_ address: UInt64, _ size: UInt64, _ name: String) -> [UInt8] {
  record(
    0,
    bytes(UInt32(1)) + bytes(UInt32(1)) + bytes(address) + bytes(address) + bytes(size)
      + bytes(UInt64(1)) + Array(name.utf8) + [0] + [UInt8](repeating: 0x90, count: Int(size)))
}

@Suite struct `Names of generated code` {
  @Test func `come from a map, where later entries take the place of others`() throws {
    let files = try Files()
    let code = files.code()
    code.refresh()
    #expect(code.line(at: 0x1000) == nil)
    try files.append("1000 100 first\n1080 40 inner one\n0x2000 10 prefixed\n3000 10 cut")
    code.refresh()
    #expect(code.line(at: 0x1000)?.function == "first")
    #expect(code.line(at: 0x107f)?.function == "first")
    #expect(code.line(at: 0x1080)?.function == "inner one")
    #expect(code.line(at: 0x10bf)?.function == "inner one")
    #expect(code.line(at: 0x10c0)?.function == "first")
    #expect(code.line(at: 0x1100) == nil)
    #expect(code.line(at: 0x200f)?.function == "prefixed")
    #expect(code.line(at: 0x3000) == nil)
    try files.append(" off\nbad line\n\nzz 1 x\n1000 90 later\n4000 0 empty\n")
    code.refresh()
    #expect(code.line(at: 0x3000)?.function == "cut off")
    #expect(code.line(at: 0x1080)?.function == "later")
    #expect(code.line(at: 0x1090)?.function == "inner one")
    #expect(code.line(at: 0x4000) == nil)
  }

  @Test func `are those of the last program of several`() throws {
    let files = try Files()
    let code = files.code()
    try files.append("1000 100 one\n2000 100 two\n")
    code.refresh()
    #expect(truncate(files.map, 0) == 0)
    try files.append("2000 10 new\n")
    code.refresh()
    #expect(code.line(at: 0x1000) == nil)
    #expect(code.line(at: 0x2000)?.function == "new")
  }

  @Test(arguments: [
    ("JS:*sum /srv/app.js:3:14", "sum", "/srv/app.js", 3),
    ("JS:~ file:///srv/app.mjs:1:1", "(anonymous)", "/srv/app.mjs", 1),
    ("LazyCompile:~next node:internal/timers:507:12", "next", "node:internal/timers", 507),
    ("py::Tree.walk:/srv/tree.py", "Tree.walk", "/srv/tree.py", 0),
    ("Builtin:ArrayMap", "Builtin:ArrayMap", nil, 0), ("py::", "py::", nil, 0),
    ("JS:", "JS:", nil, 0), ("void Main::Run()[Tier0]", "void Main::Run()[Tier0]", nil, 0),
  ])
  func `show the function, and its file where the name has one`(
    name: String, function: String, file: String?, line: Int
  ) throws {
    let files = try Files()
    try files.append("1000 100 \(name)\n")
    let code = files.code()
    code.refresh()
    let found = try #require(code.line(at: 0x1004))
    #expect(found.function == function)
    #expect(found.file == file)
    #expect(found.line == line)
    #expect(found.linkageName == (function == name ? nil : name))
  }

  @Test func `come from a dump with their lines`() throws {
    let files = try Files()
    let lines: [UInt8] =
      bytes(UInt64(0x1000)) + bytes(UInt64(3))
      + bytes(UInt64(0x1000)) + bytes(UInt32(7)) + bytes(UInt32(0)) + Array("/a.js".utf8) + [0]
      + bytes(UInt64(0x1010)) + bytes(UInt32(8)) + bytes(UInt32(0)) + [0xff, 0]
      + bytes(UInt64(0x1020)) + bytes(UInt32(2)) + bytes(UInt32(0)) + Array("/b.js".utf8) + [0]
    let moved: [UInt8] =
      bytes(UInt32(1)) + bytes(UInt32(1)) + bytes(UInt64(0)) + bytes(UInt64(0x1000))
      + bytes(UInt64(0x9000)) + bytes(UInt64(0x40)) + bytes(UInt64(1))
    let all =
      header + record(2, lines) + load(0x1000, 0x40, "run") + record(1, moved)
      + load(0x5000, 0x10, "other")
    let code = files.code()
    // In pieces, as it is read while the program writes it.
    for start in stride(from: 0, to: all.count, by: 33) {
      try files.append(Array(all[start..<min(start + 33, all.count)]), to: files.dump)
      code.refresh()
    }
    let places = [0x1000, 0x1012, 0x1020, 0x9012].map { code.line(at: UInt64($0)) }
    #expect(places.map { $0?.function } == ["run", "run", "run", "run"])
    #expect(places.map { $0?.line } == [7, 8, 2, 8])
    #expect(places.map { $0?.file } == ["/a.js", "/a.js", "/b.js", "/a.js"])
    #expect(code.line(at: 0x5004)?.function == "other")
  }

  @Test func `are not taken from files of others, nor through symbolic links`() throws {
    let files = try Files()
    try files.append("1000 100 one\n")
    #expect(OwnedFile(path: files.map, user: geteuid()) != nil)
    #expect(OwnedFile(path: files.map, user: geteuid() &+ 1) == nil)
    let link = files.folder.path + "/link"
    try #require(symlink(files.map, link) == 0)
    #expect(OwnedFile(path: link, user: geteuid()) == nil)
    let fifo = files.folder.path + "/fifo"
    try #require(mkfifo(fifo, 0o600) == 0)
    #expect(OwnedFile(path: fifo, user: geteuid()) == nil)
    #expect(OwnedFile(path: files.folder.path, user: geteuid()) == nil)
  }

  @Test(.timeLimit(.minutes(2)))
  func `of files with any bytes never trap`() throws {
    var random = SplitMix(seed: 23)
    let good =
      header + load(0x1000, 0x40, "run") + load(0x1000, 0x20, "again") + load(0x2000, 8, "x")
    let text = Array("1000 100 one\n1080 ffffffffffffffff two\nffffffffffffffff 5 three\n".utf8)
    for _ in 0..<300 {
      let files = try Files()
      var (dump, map) = (good, text)
      for _ in 0...Int(random.next() % 6) {
        dump[Int(random.next() % UInt64(dump.count))] = UInt8(truncatingIfNeeded: random.next())
        map[Int(random.next() % UInt64(map.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      try files.append(Array(dump.prefix(Int(random.next() % 400))), to: files.dump)
      try files.append(map, to: files.map)
      let code = files.code()
      code.refresh()
      for address in [0, 0x1000, 0x1081, 0x2004, UInt64.max] { _ = code.line(at: address) }
    }
  }
}

/// Numbers that are the same in each run.
private struct SplitMix {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
    return value ^ value >> 31
  }
}
