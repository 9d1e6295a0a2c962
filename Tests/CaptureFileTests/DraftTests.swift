import Foundation
import Glibc
import ProfileModel
import TestSupport
import Testing

@testable import CaptureFile

@Suite struct `Draft of a file` {
  private let folder: TemporaryFolder
  private let path: String
  private let profile = RandomCapture.profile(seed: 2)

  init() throws {
    folder = try TemporaryFolder()
    path = folder.path + "/a"
  }

  private func recorder(replacing: Bool) throws -> CaptureRecorder {
    try CaptureRecorder(path: path, replacing: replacing, capture: profile.capture)
  }

  private func mode(of path: String) -> mode_t? {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode & 0o777 : nil
  }

  private func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/" + name))
  }

  @Test func `is private to its owner, and so is the capture`() throws {
    let recorder = try recorder(replacing: false)
    #expect(mode(of: recorder.partialPath) == 0o600)
    let draft = try DraftFile(path: folder.path + "/b")
    #expect(mode(of: draft.output.path) == 0o600)
    try recorder.finish(profile)
    #expect(mode(of: path) == 0o600)
  }

  @Test func `has the permissions of any new file in the end when it is to be shared`() throws {
    var draft = try DraftFile(path: path)
    try draft.putInPlace(replacing: false, isShared: true)
    try write("", to: "new")
    #expect(mode(of: path) == mode(of: folder.path + "/new"))
    // And those of the file that it replaces.
    chmod(path, 0o640)
    var second = try DraftFile(path: path)
    try second.putInPlace(replacing: true, isShared: true)
    #expect(mode(of: path) == 0o640)
  }

  @Test func `has a name of its own each time, and goes with the value`() throws {
    do {
      let first = try DraftFile(path: path)
      let second = try DraftFile(path: path)
      #expect(first.output.path != second.output.path)
      #expect(try folder.names.count == 2)
    }
    #expect(try folder.names == [])
  }

  @Test func `leaves alone what has a name that it used to have`() throws {
    // A FIFO hangs whoever opens it to write.
    for name in ["a.tmp", "a.\(getpid()).tmp"] {
      #expect(mkfifo(folder.path + "/" + name, 0o600) == 0)
    }
    let names = try folder.names
    try CaptureWriter(path: path, replacing: false).finish(profile)
    #expect(try folder.names == ["a"] + names)
  }

  @Test func `of two captures of one name is its own, and the last one stays`() throws {
    let first = try recorder(replacing: true)
    let second = try recorder(replacing: true)
    #expect(first.remainingPath == nil)
    #expect(second.remainingPath == path + ".partial")
    first.append(ProfileGrowth())
    second.append(ProfileGrowth())
    // The second goes on growing when the first is finished.
    var other = profile
    other.capture.processName = "other"
    try first.finish(other)
    #expect(try CaptureReader.read(path: path).capture.processName == "other")
    #expect(try CaptureReader.read(path: second.partialPath).capture.ending == .unfinished)
    try second.finish(profile)
    try expectSame(CaptureReader.read(path: path), profile)
    #expect(try folder.names == ["a"])
  }

  @Test func `replaces a link, and does not follow it`() throws {
    try write("mine", to: "victim")
    for link in ["a", "a.partial"] {
      #expect(symlink(folder.path + "/victim", folder.path + "/" + link) == 0)
    }
    try recorder(replacing: true).finish(profile)
    #expect(try bytes(of: folder.path + "/victim") == Array("mine".utf8))
    try expectSame(CaptureReader.read(path: path), profile)
    #expect(try folder.names == ["a", "victim"])
  }

  @Test(arguments: ["a", "a.partial"])
  func `is refused for a link that leads nowhere`(link: String) throws {
    #expect(symlink("nowhere", folder.path + "/" + link) == 0)
    #expect(throws: CaptureFileError.self) { try recorder(replacing: false) }
    #expect(try folder.names == [link])
  }

  @Test func `does not replace a file that came meanwhile`() throws {
    let recorder = try recorder(replacing: false)
    try write("mine", to: "a")
    #expect(throws: CaptureFileError.exists(path: path)) { try recorder.finish(profile) }
    #expect(try bytes(of: path) == Array("mine".utf8))
    #expect(recorder.remainingPath == path + ".partial")
    #expect(try folder.names == ["a", "a.partial"])
  }
}
