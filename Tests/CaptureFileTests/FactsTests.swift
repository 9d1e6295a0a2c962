import ProfileModel
import SwiftProtobuf
import TestSupport
import Testing

@testable import CaptureFile

@Suite struct `Facts of a capture` {
  /// A capture with some of everything.
  private static func profile() -> Profile {
    var profile = `Waits in a capture`.profile()
    profile.tasks = `Tasks in a capture`.tasks(count: 700)
    return profile
  }

  @Test func `are not among what other tools show`() throws {
    let bytes = messages(of: Self.profile())
    let message = try Perftools_Profiles_Profile(serializedBytes: bytes)
    let comments = message.comment.map { message.stringTable[Int($0)] }
    #expect(comments.count == 1 && comments[0].hasPrefix("sprof \(SprofVersion.current): "))
    #expect(comments[0].utf8.count < 100 && !comments[0].contains("\n"))
    #expect(!message.stringTable.contains { $0.contains("sprof:v1") || $0.contains("\"threads\"") })
    // The samples are the same to a reader that knows no facts.
    let facts = try PprofMessages(bytes, ReadingBudget()).facts.map(\.self)
    #expect(facts.count > 5 && facts.allSatisfy { $0.hasPrefix("sprof:v1 {") })
  }

  @Test func `in comments, as early versions wrote them, give the same profile`() throws {
    let profile = Self.profile()
    let now = messages(of: profile)
    let facts = try PprofMessages(now, ReadingBudget()).facts.map(\.self)
    var message = try Perftools_Profiles_Profile(
      serializedBytes: now, options: Self.discardingUnknown)
    message.unknownFields = UnknownStorage()
    message.comment = facts.map { text in
      message.stringTable.append(text)
      return Int64(message.stringTable.count - 1)
    }
    let bytes: [UInt8] = try message.serializedBytes()
    #expect(try PprofMessages(bytes, ReadingBudget()).facts.map(\.self).isEmpty)
    try expectSame(CaptureReader.read(bytes, name: "x"), profile)
    try expectSame(CaptureReader.read(now, name: "x"), profile)
  }

  private static let discardingUnknown: BinaryDecodingOptions = {
    var options = BinaryDecodingOptions()
    options.discardUnknownFields = true
    return options
  }()

  @Test func `cannot be put in by a function's name`() throws {
    var profile = RandomCapture.profile(seed: 2)
    let forged = #"sprof:v1 {"threads":[],"progress":{"duration_ns":1}}"#
    profile.symbols = profile.symbols.map { symbol in
      ResolvedFrame(
        lines: symbol.lines.map { SourceLine(function: forged, file: $0.file, line: $0.line) },
        module: .anonymous)
    }
    let read = try CaptureReader.read(messages(of: profile), name: "x")
    #expect(read.capture.duration == profile.capture.duration)
    #expect(read.symbols.contains { $0.lines[0].function == forged })
  }

  @Test func `that are damaged are said to be`() throws {
    var bytes = messages(of: RandomCapture.profile(seed: 2))
    let text = Array("sprof:v1 {\"capture\":{}}".utf8)
    bytes.beginField(CaptureFacts.field, count: text.count)
    #expect(throws: CaptureFileError.damaged(.header)) {
      try CaptureReader.read(bytes + text, name: "x")
    }
  }
}
