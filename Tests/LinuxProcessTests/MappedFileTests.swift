import Foundation
import Glibc
import TestSupport
import Testing

@testable import LinuxProcess

@Suite struct `A mapped file` {
  private let folder: TemporaryFolder
  private let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = folder.path + "/file"
    try Data(repeating: 7, count: 40_000).write(to: URL(fileURLWithPath: path))
  }

  private func map() throws -> MappedFile {
    try MappedFile(descriptor: open(path, O_RDONLY | O_CLOEXEC))
  }

  private func bytes(of file: MappedFile) -> Set<UInt8> { Set(file.pointer) }

  @Test func `reads as zeros where it was cut short, and says that it has changed`() throws {
    let file = try map()
    #expect(bytes(of: file) == [7])
    #expect(!file.hasChanged)
    try #require(truncate(path, 5000) == 0)
    // The rest of the last page that is left is zeros, and the pages behind it are gone.
    #expect(Set(file.pointer[..<5000]) == [7])
    #expect(Set(file.pointer[5000...]) == [0])
    #expect(file.hasChanged)
  }

  @Test func `is read again after its pages were given back`() throws {
    let file = try map()
    #expect(bytes(of: file) == [7])
    let resident = try residentKilobytes(at: file)
    #expect(resident >= 36)
    file.giveBackPages()
    #expect(try residentKilobytes(at: file) == 0)
    #expect(bytes(of: file) == [7])
    try #require(truncate(path, 5000) == 0)
    file.giveBackPages()
    #expect(Set(file.pointer[5000...]) == [0])
    #expect(file.hasChanged)
  }

  /// How much of its mapping is in memory.
  private func residentKilobytes(at file: MappedFile) throws -> Int {
    let start = String(UInt(bitPattern: file.pointer.baseAddress), radix: 16)
    let maps = try #require(procText("/proc/self/smaps"))
    let entry = try #require(maps.range(of: "\n\(start)-")?.upperBound)
    let line = try #require(maps[entry...].range(of: "\nRss:")?.upperBound)
    return try #require(Int(maps[line...].split(separator: " ")[0]))
  }

  @Test func `is still read where it is longer again`() throws {
    let file = try map()
    try #require(truncate(path, 0) == 0)
    #expect(bytes(of: file) == [0])
    try #require(truncate(path, 40_000) == 0)
    #expect(bytes(of: file) == [0])
    #expect(file.hasChanged)
  }

  @Test func `reads as zeros on a thread that takes no signals`() throws {
    let file = try map()
    try #require(truncate(path, 0) == 0)
    // Of two mappings, one was read before.
    let second = try #require(try file.writableMapping())
    let thread = try OSThread.start {
      second.start.storeBytes(of: 1, toByteOffset: 8192, as: UInt8.self)
      _ = file.pointer[39_999]
    }
    thread.join()
    #expect(second.start.load(fromByteOffset: 8192, as: UInt8.self) == 1)
    #expect(bytes(of: file) == [0])
  }

  @Test func `has changed when it was written to in place`() throws {
    let file = try map()
    let writer = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try writer.write(contentsOf: Data([1]))
    try writer.close()
    #expect(file.hasChanged)
    #expect(bytes(of: file) == [1, 7])
  }

  @Test func `is unchanged when it was renamed, replaced or removed`() throws {
    let file = try map()
    try #require(rename(path, path + ".old") == 0)
    #expect(!file.hasChanged)
    try #require(chmod(path + ".old", 0o600) == 0 && unlink(path + ".old") == 0)
    try Data([1]).write(to: URL(fileURLWithPath: path))
    #expect(!file.hasChanged)
    #expect(bytes(of: file) == [7])
  }
}

@Suite struct `A process's debug file` {
  private static let identifier = "0123456789abcdef"
  private let folder: TemporaryFolder
  private let place: String

  /// A root directory with a program in it.
  init() throws {
    folder = try TemporaryFolder()
    place = folder.path + "/usr/lib/debug/.build-id/01"
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    let program = try Fixture.compile(source: "brief.c", flags: ["-O1", "-static"])
    try FileManager.default.copyItem(atPath: program, toPath: folder.path + "/program")
    try Data("in the root".utf8).write(to: URL(fileURLWithPath: folder.path + "/inside"))
    try Data("elsewhere".utf8).write(to: URL(fileURLWithPath: folder.path + "/../\(outside)"))
  }

  private var outside: String { "outside-" + (folder.path as NSString).lastPathComponent }

  private func debugFile() throws -> MappedFile? {
    let program = try RunningProgram([
      Tool.path("chroot") ?? "chroot", folder.path, "/program", "signals", "1",
    ])
    defer { program.kill() }
    return ProcessMemory(tid: program.pid).debugFile(buildID: Self.identifier)
  }

  private func link(to target: String) throws {
    try FileManager.default.createSymbolicLink(
      atPath: "\(place)/\(Self.identifier.dropFirst(2)).debug", withDestinationPath: target)
  }

  private static let canChangeRoot = Repository.isRoot && Tool.isInstalled("chroot")

  @Test(
    .enabled(if: canChangeRoot, "needs root and chroot"),
    arguments: ["/inside", "../../../../../inside", "../../../../../../../../inside"])
  func `is found behind a link as the process sees it`(target: String) throws {
    try link(to: target)
    let file = try #require(try debugFile())
    #expect(String(decoding: file.pointer, as: UTF8.self) == "in the root")
  }

  @Test(.enabled(if: canChangeRoot, "needs root and chroot"))
  func `is not what a link names outside of the process's root`() throws {
    defer { unlink("/tmp/\(outside)") }
    try #require(access("/tmp/\(outside)", F_OK) == 0)
    try link(to: "/tmp/\(outside)")
    #expect(try debugFile() == nil)
  }

  @Test(.enabled(if: canChangeRoot, "needs root and chroot"))
  func `is no FIFO, and no device`() throws {
    try link(to: "/fifo")
    try #require(mkfifo(folder.path + "/fifo", 0o666) == 0)
    #expect(try debugFile() == nil)
    try #require(unlink(folder.path + "/fifo") == 0)
    // The null device.
    try #require(mknod(folder.path + "/fifo", S_IFCHR | 0o666, 1 << 8 | 3) == 0)
    #expect(try debugFile() == nil)
  }
}
