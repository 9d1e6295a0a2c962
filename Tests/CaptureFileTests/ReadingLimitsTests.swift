import Foundation
import ProfileModel
import SwiftProtobuf
import TestSupport
import Testing

@testable import CaptureFile

/// Files that ask for much memory or time for each of their bytes, by what they are full of.
enum GreedyFile: String, CaseIterable, Sendable {
  case padding, locations, functions, mappings, texts, types, foreignFields, records, threadRecords
  case samples, threads, deepStack, inlinedLines, longStackAgain

  /// The bytes of the file, not compressed, with `count` of what it is full of.
  func bytes(_ count: Int) -> [UInt8] {
    switch self {
    case .padding: Self.repeated(6, [UInt8](repeating: 0x61, count: 1000), count)
    case .locations: Self.head() + Self.repeated(4, [], count)
    case .functions: Self.head() + Self.repeated(5, [], count)
    case .mappings: Self.head() + Self.repeated(3, [], count)
    case .texts: Self.head() + Self.repeated(6, [], count)
    case .types: Self.head() + Self.repeated(1, [], count)
    case .foreignFields: Self.head() + Self.repeated(900, [], count)
    case .records:
      Self.head("sprof:v1 {}") + Self.field(13, [UInt8](repeating: 3, count: count))
    case .threadRecords: Self.head(Self.threads(count)) + Self.field(13, [3])
    case .samples: Self.head() + Self.repeated(2, [2 << 3, 1], count)
    case .threads:
      (1...count).reduce(into: Self.head("tid")) { bytes, number in
        var label: [UInt8] = [1 << 3, 3, 3 << 3]
        label.appendVarint(UInt64(number))
        bytes += Self.field(2, [2 << 3, 1] + Self.field(3, label))
      }
    case .deepStack: Self.head("f") + Self.location(lines: 1) + Self.sample(depth: count)
    case .inlinedLines:
      Self.head("f") + Self.location(lines: 500) + Self.sample(depth: count / 500 + 1)
    case .longStackAgain:
      Self.head("f") + Self.location(lines: 10)
        + Array([[UInt8]](repeating: Self.sample(depth: 100), count: count).joined())
    }
  }

  /// How many are far too much for a budget of a MiB.
  var tooMany: Int {
    switch self {
    case .padding, .records, .threadRecords, .longStackAgain: 2_000
    default: 30_000
    }
  }

  /// Whether what it is full of makes a profile, however much memory that takes.
  var isProfile: Bool {
    switch self {
    case .padding, .locations, .functions, .mappings, .types: false
    default: true
    }
  }

  static func head(_ texts: String...) -> [UInt8] {
    ["", "samples", "count"].reduce(field(1, [1 << 3, 1, 2 << 3, 2])) {
      $0 + field(6, Array($1.utf8))
    } + texts.flatMap { field(6, Array($0.utf8)) }
  }

  private static func location(lines: Int) -> [UInt8] {
    let line = field(4, [1 << 3, 1, 2 << 3, 7])
    return field(5, [1 << 3, 1, 2 << 3, 3])
      + field(4, [1 << 3, 1] + Array([[UInt8]](repeating: line, count: lines).joined()))
  }

  private static func sample(depth: Int) -> [UInt8] {
    field(2, field(1, [UInt8](repeating: 1, count: depth)) + [2 << 3, 1])
  }

  private static func threads(_ count: Int) -> String {
    let threads = (0..<count).map { number in
      """
      {"index":\(number),"tid":1,"name":"","main":false,"first_seen_ns":0,"last_seen_ns":0,\
      "cpu_ns":0,"delay_ns":0,"cpu_since_start_ns":0,"ended":false}
      """
    }
    return "sprof:v1 {\"threads\":[\(threads.joined(separator: ","))]}"
  }

  private static func repeated(_ number: UInt64, _ body: [UInt8], _ count: Int) -> [UInt8] {
    Array([[UInt8]](repeating: field(number, body), count: count).joined())
  }

  static func field(_ number: UInt64, _ body: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.beginField(number, count: body.count)
    return bytes + body
  }
}

@Suite struct `A small file that asks for much` {
  /// A floor of a MiB, and beyond it as much for each byte as for users.
  private static let limits = ReadingLimits(memoryFloor: 1 << 20)

  private func failure(_ file: [UInt8], _ limits: ReadingLimits) -> CaptureFileError? {
    do throws(CaptureFileError) {
      _ = try CaptureReader.read(file, name: "x", budget: ReadingBudget(limits))
      return nil
    } catch {
      return error
    }
  }

  @Test(arguments: GreedyFile.allCases)
  func `is refused by its bound, and only then`(kind: GreedyFile) throws {
    let file = GzipMember.compressing(kind.bytes(kind.tooMany))
    let limit = max(1 << 20, file.count * 100)
    guard case .tooLarge(.memory(limit, let read)) = failure(file, Self.limits) else {
      Issue.record(
        "\(kind), \(file.count) bytes: \(String(describing: failure(file, Self.limits)))")
      return
    }
    #expect(read == file.count)
    // What is wrong with it otherwise, or nothing, is what a user learns who lifts the bounds.
    let lifted = failure(file, .huge)
    let few = failure(kind.bytes(kind.tooMany / 60), Self.limits)
    for failure in [lifted, few] {
      if kind.isProfile { #expect(failure == nil) }
      if case .tooLarge = failure { Issue.record("\(kind): \(String(describing: failure))") }
    }
  }

  @Test func `may ask for more when it is not small`() throws {
    let file = GreedyFile.samples.bytes(60_000)
    #expect(failure(file, Self.limits) == nil)
    guard case .tooLarge(.memory) = failure(GzipMember.compressing(file), Self.limits) else {
      Issue.record("the compressed file is read")
      return
    }
  }

  @Test func `counts with the others of its command`() throws {
    let file = GzipMember.compressing(GreedyFile.deepStack.bytes(3_000))
    let budget = ReadingBudget(Self.limits)
    _ = try CaptureReader.read(file, name: "x", budget: budget)
    #expect(throws: CaptureFileError.self) {
      _ = try CaptureReader.read(file, name: "x", budget: budget)
    }
    // What is merged is kept once: the floor is for all files together.
    let merge = ReadingBudget(Self.limits)
    try merge.check(stacks: 3_000, threads: 2, addingFileBytes: 200)
    try merge.check(stacks: 3_000, threads: 3, addingFileBytes: 200)
    #expect(throws: CaptureFileError.tooLarge(.memory(limit: 1 << 20, file: 600))) {
      try merge.check(stacks: 6_000, threads: 3, addingFileBytes: 200)
    }
  }

  @Test func `is told which of the fixed bounds it exceeds`() throws {
    var limits = ReadingLimits.huge
    limits.count = 100
    #expect(
      failure(GreedyFile.samples.bytes(101), limits) == .tooLarge(.samples(limit: 100)))
    #expect(
      failure(GreedyFile.deepStack.bytes(101), limits) == .tooLarge(.stacks(limit: 100)))
    let deep = (0..<200).map(String.init).joined(separator: ";")
    #expect(failure(Array("a;b;c 1\n\(deep) 1".utf8), limits) == .tooLarge(.stacks(limit: 100)))
    limits = .huge
    limits.contents = 5_000
    #expect(
      failure(GreedyFile.samples.bytes(5_000), limits) == .tooLarge(.contents(limit: 5_000)))
    #expect(
      failure(Array(String(repeating: "a 1\n", count: 2_000).utf8), limits)
        == .tooLarge(.contents(limit: 5_000)))
    limits = .huge
    limits.tables = 5_000
    #expect(failure(GreedyFile.texts.bytes(5_000), limits) == .tooLarge(.tables(limit: 5_000)))
    limits = .huge
    limits.field = 500
    #expect(failure(GreedyFile.records.bytes(501), limits) == .tooLarge(.field(limit: 500)))
    let line = Array((String(repeating: "a;", count: 300) + "a 1\n").utf8)
    #expect(failure(line, limits) == nil, "lines are not cut that are there as a whole")
    let text = Array("main 1\n".utf8) + Array((0..<600_000).map { $0 % 2 == 0 ? 0x61 : 0x3b })
    #expect(failure(text, limits) == .tooLarge(.line(limit: 500)))
  }
}

@Suite struct `Folded stacks of many lines` {
  private func profile(_ text: String, limits: ReadingLimits) throws -> Profile {
    try CaptureReader.read(Array(text.utf8), name: "x", budget: ReadingBudget(limits))
  }

  @Test func `are kept once each`() throws {
    let text = String(repeating: "main;work;copy 2\nmain;work 3\n", count: 20_000)
    let few = ReadingLimits(memoryFloor: 10_000, memoryPerByte: 0)
    let read = try profile(text, limits: few)
    #expect(read.runs.map(\.weight.ticks) == [40_000, 60_000])
    #expect(read.stacks.stackCount == 4 && read.capture.duration == 1_000_000_000_000)
    #expect(throws: CaptureFileError.self, "distinct ones are counted") {
      _ = try profile((0..<100).map { "main;work\($0) 1\n" }.joined(), limits: few)
    }
  }

  @Test func `are the same in pieces of any size`() throws {
    let text = Array(
      "# a\r\npool (7);main;wörk 1\n\npool (7);main 2.4\r\npool (8);x 3\npool (7);main;wörk +4".utf8
    )
    for size in 1...text.count {
      var stacks = FoldedStacks(ReadingBudget())
      for start in stride(from: 0, to: text.count, by: size) {
        try stacks.add(Array(text[start..<min(start + size, text.count)]))
      }
      let profile = try stacks.finish(name: "x")
      #expect(
        profile.threads.map(\.tid) == [7, 8] && profile.threads.map(\.name) == ["pool", "pool"])
      #expect(
        profile.runs.map(\.weight.ticks) == [5, 2, 3] && profile.runs.map(\.thread) == [0, 0, 1])
      #expect(Set(profile.symbols.map { $0.lines[0].function }) == ["main", "wörk", "x"])
    }
  }

  @Test func `are found behind any number of comments`() throws {
    var limits = ReadingLimits(memoryFloor: 20_000, memoryPerByte: 0)
    limits.field = 1_000
    let comments = String(repeating: "# made by hand\n\r\n", count: 50_000)
    #expect(try profile(comments + "main;work 3\n", limits: limits).runs.map(\.weight.ticks) == [3])
    #expect(throws: CaptureFileError.foreign) { _ = try profile(comments, limits: limits) }
  }

  @Test func `that are compressed and cut off are refused`() throws {
    let file = GzipMember.compressing(Array("main;work 3\n".utf8))
    #expect(try CaptureReader.read(file + file, name: "x").runs.map(\.weight.ticks) == [6])
    let torn = Array(file.dropLast(3))
    for cut in [torn, file + torn] {
      #expect(throws: CaptureFileError.cutOff) { try CaptureReader.read(cut, name: "x") }
    }
  }

  /// The real `sprof`, with the memory that it took at most.
  @Test func `take memory for what differs, not for their number`() throws {
    let folder = try TemporaryFolder()
    var peaks: [Int] = []
    for count in [10, 600_000] {
      let path = "\(folder.path)/\(count).folded"
      try Data(String(repeating: "main;work;copy 1\n", count: count).utf8)
        .write(to: URL(fileURLWithPath: path))
      let (outcome, peak) = try measured(["report", path])
      #expect(outcome.status == 0 && outcome.stdout.contains("copy"), "\(outcome.stderr)")
      peaks.append(peak)
    }
    #expect(peaks[0] > 4 << 20, "the memory was not seen")
    #expect(peaks[1] < peaks[0] + (6 << 20), "\(peaks)")
  }
}

@Suite struct `--allow-huge` {
  @Test(arguments: ["report", "export", "merge", "compare"])
  func `lifts the bounds that each command names`(command: String) throws {
    let folder = try TemporaryFolder()
    let file = folder.path + "/padded"
    // Samples that consist of a field that nobody knows: soon read, and 272 MB of them.
    let padding = GreedyFile.field(99, [UInt8](repeating: 0, count: 4_000_000))
    let sample = GzipMember.compressing(GreedyFile.field(2, padding + [2 << 3, 1]))
    let members = [GzipMember.compressing(GreedyFile.head())] + Array(repeating: sample, count: 68)
    try Data(members.joined()).write(to: URL(fileURLWithPath: file))
    let arguments =
      switch command {
      case "report": [file]
      case "export": [file, "--to", "folded"]
      case "merge": [file, file, "-o", folder.path + "/out"]
      default: [file, file]
      }
    let refused = try SprofCommand.run([command] + arguments, timeout: .seconds(60))
    #expect(refused.status == 65 && refused.stderr.contains("more than 256 MiB of memory"))
    #expect(refused.stderr.contains("--allow-huge"), "\(refused.stderr)")
    #expect(try folder.names == ["padded"])
    let read = try SprofCommand.run([command, "--allow-huge"] + arguments, timeout: .seconds(120))
    #expect(read.status == 0, "\(read.stderr)")
  }
}
