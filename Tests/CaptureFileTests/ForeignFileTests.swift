import ProfileModel
import SwiftProtobuf
import Testing

@testable import CaptureFile

/// Profiles as other tools write them.
enum ForeignProfile {
  /// Like Go's: samples and cpu, no labels, addresses in memory, two functions in one location.
  static let go = bytes { profile in
    profile.stringTable = [
      "", "samples", "count", "cpu", "nanoseconds", "/usr/bin/app", "main.main", "main.work",
      "/src/main.go", "main.inlined",
    ]
    profile.sampleType = [type(1, 2), type(3, 4)]
    profile.periodType = type(3, 4)
    profile.period = 10_000_000
    profile.durationNanos = 5_000_000_000
    var mapping = Perftools_Profiles_Mapping()
    mapping.id = 1
    (mapping.memoryStart, mapping.memoryLimit) = (0x400000, 0x500000)
    mapping.filename = 5
    profile.mapping = [mapping]
    profile.function = [function(1, 6), function(2, 7), function(3, 9)]
    profile.location = [
      location(1, 0x401000, [(3, 5), (2, 22)]), location(2, 0x402000, [(1, 9)]),
    ]
    profile.sample = [sample([1, 2], [3, 30_000_000]), sample([2], [1, 10_000_000])]
  }

  static func bytes(_ fill: (inout Perftools_Profiles_Profile) -> Void) -> [UInt8] {
    var profile = Perftools_Profiles_Profile()
    fill(&profile)
    let bytes: [UInt8]? = try? profile.serializedBytes()
    return bytes ?? []
  }

  static func type(_ type: Int64, _ unit: Int64) -> Perftools_Profiles_ValueType {
    var value = Perftools_Profiles_ValueType()
    (value.type, value.unit) = (type, unit)
    return value
  }

  static func function(_ id: UInt64, _ name: Int64) -> Perftools_Profiles_Function {
    var function = Perftools_Profiles_Function()
    (function.id, function.name, function.filename) = (id, name, 8)
    return function
  }

  static func location(
    _ id: UInt64, _ address: UInt64, _ lines: [(UInt64, Int64)]
  ) -> Perftools_Profiles_Location {
    var location = Perftools_Profiles_Location()
    (location.id, location.mappingID, location.address) = (id, 1, address)
    location.line = lines.map { function, number in
      var line = Perftools_Profiles_Line()
      (line.functionID, line.line) = (function, number)
      return line
    }
    return location
  }

  static func sample(
    _ locations: [UInt64], _ values: [Int64], labels: [(Int64, Int64, Int64)] = []
  ) -> Perftools_Profiles_Sample {
    var sample = Perftools_Profiles_Sample()
    sample.locationID = locations
    sample.value = values
    sample.label = labels.map { key, text, number in
      var label = Perftools_Profiles_Label()
      (label.key, label.str, label.num) = (key, text, number)
      return label
    }
    return sample
  }
}

@Suite struct `Profile of another tool` {
  @Test(arguments: [false, true])
  func `like Go's becomes one thread with CPU times`(isCompressed: Bool) throws {
    let file = isCompressed ? GzipMember.compressing(ForeignProfile.go) : ForeignProfile.go
    let profile = try CaptureReader.read(file, name: "file")
    #expect(profile.capture.kind == .imported)
    #expect(profile.capture.processName == "app")
    #expect(profile.capture.duration == 5_000_000_000)
    #expect(profile.capture.rate == 100)
    #expect(profile.threads.map(\.name) == ["all threads"])
    #expect(profile.threads[0].cpu == 40_000_000)
    #expect(
      profile.runs.map(\.weight) == [
        Weight(samples: 3, ticks: 3, cpu: 30_000_000, wall: 30_000_000),
        Weight(samples: 1, ticks: 1, cpu: 10_000_000, wall: 10_000_000),
      ])
    #expect(profile.runs[0].activity == .running)
    let functions = profile.stacks.frames(of: profile.runs[0].stack).flatMap { frame in
      profile.symbols[Int(frame.rawValue)].lines.map(\.function)
    }
    #expect(functions == ["main.inlined", "main.work", "main.main"])
    #expect(
      profile.stacks.frames.contains(
        .code(CodeAddress(module: ModuleID(0), address: FileAddress(0x1000)))))
    #expect(try everyReport(on: profile)[1].contains("main.work"))
  }

  @Test func `with threads in its labels keeps them`() throws {
    let file = ForeignProfile.bytes { profile in
      profile.stringTable = [
        "", "wall", "milliseconds", "thread", "thread_id", "io", "", "f", "f.c",
      ]
      profile.sampleType = [ForeignProfile.type(1, 2)]
      profile.function = [ForeignProfile.function(9, 7)]
      var location = ForeignProfile.location(4, 0, [(9, 1)])
      location.mappingID = 0
      profile.location = [location]
      profile.sample = [
        ForeignProfile.sample([4], [7], labels: [(3, 5, 0), (4, 0, 77)]),
        ForeignProfile.sample([4, 4], [5], labels: [(4, 0, 78)]),
        ForeignProfile.sample([], [1], labels: [(3, 5, 0), (4, 0, 77)]),
      ]
    }
    let profile = try CaptureReader.read(file, name: "file")
    #expect(profile.threads.map(\.tid) == [77, 78])
    #expect(profile.threads.map(\.name) == ["io", ""])
    #expect(profile.runs.map(\.weight.wall) == [7_000_000, 5_000_000, 1_000_000])
    #expect(profile.runs.map(\.thread) == [0, 1, 0])
    #expect(profile.runs[2].end == .truncated(.noStack))
  }

  @Test func `without addresses keeps its functions apart`() throws {
    let file = ForeignProfile.bytes { profile in
      profile.stringTable = ["", "samples", "count", "a", "b", "c", "", "", "x.py"]
      profile.sampleType = [ForeignProfile.type(1, 2)]
      profile.function = (1...3).map { ForeignProfile.function($0, Int64($0) + 2) }
      profile.location = (1...3).map { (number: UInt64) in
        var location = ForeignProfile.location(number, 0, [(number, 1)])
        location.mappingID = 0
        return location
      }
      profile.sample = [ForeignProfile.sample([3, 2, 1], [4])]
    }
    let profile = try CaptureReader.read(file, name: "file")
    #expect(profile.symbols.map { $0.lines[0].function } == ["a", "b", "c"])
    #expect(profile.runs[0].weight == Weight(samples: 4, ticks: 4, wall: 40_000_000))
    #expect(profile.capture.notes.contains { $0.words.contains("10 ms") })
  }

  @Test func `of memory alone is refused`() throws {
    let file = ForeignProfile.bytes { profile in
      profile.stringTable = ["", "inuse_space", "bytes"]
      profile.sampleType = [ForeignProfile.type(1, 2)]
    }
    #expect(throws: CaptureFileError.noSampleTypes) {
      _ = try CaptureReader.read(file, name: "file")
    }
  }

  @Test func `that refers to what it lacks is refused`() throws {
    let file = ForeignProfile.bytes { profile in
      profile.stringTable = ["", "samples", "count"]
      profile.sampleType = [ForeignProfile.type(1, 2)]
      profile.sample = [ForeignProfile.sample([3], [4])]
    }
    #expect(throws: CaptureFileError.damaged(.reference)) {
      _ = try CaptureReader.read(file, name: "file")
    }
  }
}

@Suite struct `Folded stacks` {
  @Test func `become a profile of counts`() throws {
    let text =
      "# made by hand\nmain;work;copy 42\r\nmain;work 7\n\nmain;std::map<int, int>::find 1\n"
    let profile = try CaptureReader.read(Array(text.utf8), name: "app.folded")
    #expect(profile.capture.processName == "app.folded")
    #expect(profile.threads.map(\.name) == ["all threads"])
    #expect(profile.runs.map(\.weight.ticks) == [42, 7, 1])
    #expect(profile.capture.duration == 500_000_000)
    let functions = profile.stacks.frames(of: profile.runs[2].stack).map {
      profile.symbols[Int($0.rawValue)].lines[0].function
    }
    #expect(functions == ["std::map<int, int>::find", "main"])
    #expect(try everyReport(on: profile)[0].contains("copy"))
  }

  @Test func `with a thread in front of each stack keep the threads`() throws {
    let text = "io pool (12);main;work 42\nmain (11);main 7\nio pool (12);main 3\n"
    let profile = try CaptureReader.read(Array(text.utf8), name: "x")
    #expect(profile.threads.map(\.name) == ["io pool", "main"])
    #expect(profile.threads.map(\.tid) == [12, 11])
    #expect(profile.runs.map(\.thread) == [0, 1, 0])
    #expect(profile.threads[0].lastSeen == 450_000_000)
  }

  @Test(arguments: ["main;work\n", "main;work x\n", "main;work -3\n", "a 1\nb\n", " \n"])
  func `with a line without a count are none`(text: String) throws {
    #expect(throws: CaptureFileError.self) {
      _ = try CaptureReader.read(Array(text.utf8), name: "x")
    }
  }
}
