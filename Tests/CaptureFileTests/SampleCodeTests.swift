import Foundation
import ProfileModel
import SwiftProtobuf
import TestSupport
import Testing

@testable import CaptureFile

/// Samples are coded by hand; the library that codes all else says whether that is right.
@Suite struct `Bytes of samples` {
  @Test(arguments: 0..<5)
  func `are those that the library reads`(seed: Int) throws {
    let profile = RandomCapture.profile(seed: seed)
    let message = try Perftools_Profiles_Profile(serializedBytes: messages(of: profile))
    #expect(message.sample.count == profile.runs.count && !message.sample.isEmpty)
    for (sample, run) in zip(message.sample, profile.runs) {
      let weight = run.weight
      #expect(
        sample.value == [weight.samples, weight.ticks, weight.cpu, weight.wall, weight.delay])
      #expect(
        sample.locationID == profile.stacks.frames(of: run.stack).map { UInt64($0.rawValue) + 1 })
      let labels = sample.label.map { label in
        let text = message.stringTable[Int(label.str)]
        return "\(message.stringTable[Int(label.key)])=\(text.isEmpty ? "\(label.num)" : text)"
      }
      #expect(labels.contains("start=\(run.start)"))
      #expect(labels.contains("state=\(run.activity.rawName)"))
      #expect(labels.contains("tid=\(profile.threads[run.thread].tid)"))
    }
  }

  @Test func `hold the largest and the smallest numbers`() throws {
    var profile = RandomCapture.profile(seed: 1, ticks: 1)
    let weights = [
      Weight(samples: .max, ticks: .min, cpu: -1, wall: 0, delay: 1 << 62),
      Weight(samples: 127, ticks: 128, cpu: 16_383, wall: 16_384, delay: 1 << 35),
    ]
    profile.runs = RunList(
      weights.map {
        Run(
          thread: 0, stack: .empty, end: .truncated(.noStack), activity: .stopped, start: .max,
          weight: $0)
      })
    let message = try Perftools_Profiles_Profile(serializedBytes: messages(of: profile))
    #expect(
      message.sample.map(\.value) == [
        [.max, .min, -1, 0, 1 << 62], [127, 128, 16_383, 16_384, 1 << 35],
      ])
  }

  @Test func `that the library writes are read, packed or not, with fields that nobody knows`()
    throws
  {
    let packed = ForeignProfile.sample(
      [1, 300, .max], [-1, 5], labels: [(1, 2, 0), (3, 0, .min)])
    var bytes: [UInt8] = try packed.serializedBytes()
    // Fields 9 (varint), 10 (8 bytes), 11 (bytes), 12 (4 bytes); then location 7 and value 8 alone.
    bytes += [9 << 3, 1, 10 << 3 | 1, 1, 2, 3, 4, 5, 6, 7, 8, 11 << 3 | 2, 1, 0xff]
    bytes += [12 << 3 | 5, 1, 2, 3, 4, 1 << 3, 7, 2 << 3, 8]
    let file = ForeignProfile.bytes { profile in
      profile.stringTable = ["", "samples", "count"]
      profile.sampleType = [ForeignProfile.type(1, 2)]
    }
    var read: [PprofSample] = []
    let messages = try PprofMessages(
      file + [2 << 3 | 2, UInt8(bytes.count)] + bytes, ReadingBudget())
    try messages.forEachSample { sample throws(CaptureFileError) in read.append(sample) }
    #expect(read.count == 1)
    #expect(read[0].locations == [1, 300, .max, 7])
    #expect(read[0].values == [-1, 5, 8])
    #expect(read[0].labels.map(\.key) == [1, 3] && read[0].labels.map(\.text) == [2, 0])
    #expect(read[0].labels.map(\.number) == [0, .min])
  }

  @Test func `that contradict themselves are refused`() throws {
    let header = ForeignProfile.bytes { profile in
      profile.stringTable = ["", "samples", "count"]
      profile.sampleType = [ForeignProfile.type(1, 2)]
    }
    let bodies: [[UInt8]] = [
      [1 << 3 | 2, 5, 1],  // A list longer than its sample.
      [1 << 3 | 2, 1, 0x80],  // A number that goes on behind its list.
      [3 << 3 | 2, 2, 1 << 3, 0x80],  // The same in a label.
      [3 << 3 | 3],  // A group.
      [0, 1],  // Field 0.
      [9 << 3 | 1, 1, 2],  // Eight bytes of which two are there.
    ]
    for body in bodies {
      let messages = try PprofMessages(
        header + [2 << 3 | 2, UInt8(body.count)] + body, ReadingBudget())
      #expect(throws: CaptureFileError.damaged(.message), "\(body)") {
        try messages.forEachSample { _ throws(CaptureFileError) in }
      }
    }
  }
}

@Suite struct `Capture written part by part` {
  @Test(arguments: 0..<5)
  func `is the same as one written whole`(seed: Int) throws {
    let folder = try TemporaryFolder()
    let profile = RandomCapture.profile(seed: seed)
    let path = folder.path + "/parts"
    var writer = try CaptureWriter(path: path, replacing: false)
    for start in stride(from: 0, to: profile.runs.count, by: 17) {
      let part = RunList(profile.runs[start..<min(start + 17, profile.runs.count)])
      try writer.add(part, stacks: profile.stacks, threads: profile.threads)
    }
    var rest = profile
    rest.runs = []
    try writer.finish(rest)
    try expectSame(CaptureReader.read(path: path), profile)
    #expect(try CaptureReader.info(path: path) == nil, "it is at the end")
    #expect(try folder.names == ["parts"])
  }

  @Test func `is gone when it is left before its end`() throws {
    let folder = try TemporaryFolder()
    do {
      let writer = try CaptureWriter(path: folder.path + "/a", replacing: false)
      #expect(try folder.names.map { $0.hasPrefix("a.") && $0.hasSuffix(".tmp") } == [true])
      _ = consume writer
    }
    #expect(try folder.names == [])
  }

  @Test func `says what it is a capture of, from its beginning alone`() throws {
    let folder = try TemporaryFolder()
    let profile = RandomCapture.profile(seed: 3)
    let path = folder.path + "/a"
    try CaptureWriter(path: path, replacing: false).finish(profile)
    let info = try #require(try CaptureReader.info(path: path))
    #expect(String(reflecting: info) == String(reflecting: profile.capture))
    let whole = try bytes(of: path)
    // Longer than the facts and shorter than the whole.
    let beginning = Array(whole[..<(whole.count * 3 / 4)])
    #expect(throws: CaptureFileError.cutOff) { try CaptureReader.read(beginning, name: "x") }
    try Data(beginning).write(to: URL(fileURLWithPath: path))
    #expect(try CaptureReader.info(path: path)?.pid == profile.capture.pid)
    try Data(ForeignProfile.go).write(to: URL(fileURLWithPath: path))
    #expect(try CaptureReader.info(path: path) == nil, "another tool's file has none")
  }
}
