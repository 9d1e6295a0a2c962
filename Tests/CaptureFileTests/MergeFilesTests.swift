import Foundation
import ProfileModel
import TestSupport
import Testing

@testable import CaptureFile

/// The real `sprof merge` on real files.
@Suite struct `Merge of files` {
  /// Captures of many processes of one program: each file names its own process, and holds one of a
  /// few loads.
  private struct Fleet {
    let folder: TemporaryFolder
    private var loads: [(capture: Profile, samples: [UInt8])] = []

    /// Some 25,000 ticks make a megabyte.
    init(loads count: Int, ticks: Int) throws {
      folder = try TemporaryFolder()
      for seed in 0..<count {
        var server = SimulatedServer(seed: seed)
        for _ in 0..<ticks { server.tick() }
        var info = CaptureInfo(kind: .attach, pid: 1, processName: "server", rate: 100)
        info.duration = Int64(ticks) * 10_000_000
        var profile = server.finish(info)
        var encoder = ProfileEncoder(info)
        encoder.addFacts(of: profile)
        for (index, thread) in profile.threads.enumerated() { encoder.add(thread, index: index) }
        _ = encoder.take()
        for (index, frame) in profile.stacks.frames.enumerated() {
          encoder.add(FrameID(UInt32(index)), frame, named: profile.symbols[index])
        }
        for run in profile.runs { encoder.add(run, frames: profile.stacks.frames(of: run.stack)) }
        let samples = GzipMember.compressing(encoder.take())
        profile.runs = []
        loads.append((profile, samples))
      }
    }

    /// Writes the capture of process `number`: its facts, and the samples of its load.
    func write(_ number: Int) throws -> String {
      var (profile, samples) = loads[number % loads.count]
      profile.capture.pid = Int32(1000 + number)
      profile.capture.hostName = "host\(number % 40)"
      var encoder = ProfileEncoder(profile.capture)
      encoder.addFacts(of: profile)
      let path = "\(folder.path)/\(number).pb.gz"
      try Data(GzipMember.compressing(encoder.take()) + samples).write(
        to: URL(fileURLWithPath: path))
      return path
    }
  }

  /// Merges, and gives what it took.
  private func merge(
    _ files: [String], to output: String
  ) throws -> (seconds: Double, peak: Int) {
    let (outcome, peak) = try measured(["merge"] + files + ["-o", output])
    #expect(outcome.status == 0, "\(outcome.stderr)")
    return (outcome.seconds, peak)
  }

  @Test func `takes memory for what differs, not for the number of files`() throws {
    let fleet = try Fleet(loads: 1, ticks: 400)
    let files = try (0..<60).map { try fleet.write($0) }
    let few = try merge(Array(files[..<6]), to: fleet.folder.path + "/few")
    let many = try merge(files, to: fleet.folder.path + "/many")
    #expect(few.peak > 4 << 20, "the memory was not seen")
    #expect(many.peak < few.peak + (12 << 20), "\(few.peak) for 6 files, \(many.peak) for 60")
    let one = totals(try CaptureReader.read(path: files[0])).values.reduce(into: Weight(), +=)
    let merged = try CaptureReader.read(path: fleet.folder.path + "/many")
    #expect(merged.threads.count == 60 * 50)
    #expect(merged.threads[0].name == "host0/server[1000]/worker-0")
    let sum = merged.runs.reduce(into: Weight()) { $0 += $1.weight }
    #expect(sum.wall == one.wall * 60 && sum.cpu == one.cpu * 60 && sum.ticks == one.ticks * 60)
  }

  @Test func `joins the files of a label, wherever they stand`() throws {
    let fleet = try Fleet(loads: 1, ticks: 50)
    let files = try [0, 1, 0, 2, 1, 0].map { try fleet.write($0) }
    let output = fleet.folder.path + "/merged"
    let outcome = try SprofCommand.run(["merge"] + files + ["-o", output])
    #expect(outcome.status == 0, "\(outcome.stderr)")
    let merged = try CaptureReader.read(path: output)
    #expect(merged.threads.count == 3 * 50)
    var seen: Set<String> = []
    for run in merged.runs {
      let place = "\(run.thread) \(run.stack) \(run.activity) \(run.end)"
      #expect(seen.insert(place).inserted, "\(place) is there twice")
    }
    let capture = try CaptureReader.read(path: files[0]).capture
    #expect(merged.capture.duration == 6 * capture.duration)
    #expect(try fleet.folder.names == ["0.pb.gz", "1.pb.gz", "2.pb.gz", "merged"])
  }

  @Test func `reads a file once, so that it may come through a pipe`() throws {
    let fleet = try Fleet(loads: 1, ticks: 50)
    let files = try [0, 1].map { try fleet.write($0) }
    let output = fleet.folder.path + "/merged"
    for label in ["process", "none"] {
      let command =
        "cat '\(files[1])' | '\(SprofCommand.path)' merge '\(files[0])' /dev/stdin --force "
        + "--label \(label) -o '\(output)'"
      let outcome = try run(["sh", "-c", command])
      #expect(outcome.status == 0, "\(outcome.stderr)")
      let merged = try CaptureReader.read(path: output)
      #expect(merged.threads.count == (label == "none" ? 1 : 2) * 50)
      let labels = Set(merged.threads.map { $0.name.prefix(6) })
      #expect(labels == (label == "none" ? ["worker"] : ["host0/", "host1/"]))
    }
  }

  @Test func `joins the files of other tools, whose label is not at their beginning`() throws {
    let folder = try TemporaryFolder()
    let files = (0..<3).map { "\(folder.path)/\($0).pb" }
    for file in files { try Data(ForeignProfile.go).write(to: URL(fileURLWithPath: file)) }
    let output = folder.path + "/merged"
    let outcome = try SprofCommand.run(["merge"] + files + ["-o", output])
    #expect(outcome.status == 0, "\(outcome.stderr)")
    let merged = try CaptureReader.read(path: output)
    #expect(merged.threads.map(\.name) == ["/app[0]/all threads"])
    #expect(merged.runs.map(\.weight.cpu) == [30_000_000, 90_000_000])
  }

  @Test func `leaves no file when one of them cannot be read`() throws {
    let fleet = try Fleet(loads: 1, ticks: 20)
    var files = try (0..<3).map { try fleet.write($0) }
    files.append(fleet.folder.path + "/damaged")
    let good = try bytes(of: files[0])
    try Data(good[..<(good.count - 9)] + [1]).write(to: URL(fileURLWithPath: files[3]))
    try Data([0x1f, 0x8b, 8, 0]).write(to: URL(fileURLWithPath: files[3]))
    for label in ["file", "process"] {
      let outcome = try SprofCommand.run(
        ["merge"] + files + ["--label", label, "-o", fleet.folder.path + "/out"])
      #expect(outcome.status == 65)
      #expect(outcome.stderr.contains(files[3]))
    }
    #expect(try fleet.folder.names == ["0.pb.gz", "1.pb.gz", "2.pb.gz", "damaged"])
  }

  @Test(.enabled(if: Repository.trials(short: 0, full: 1) == 1, "a thousand files of a megabyte"))
  func `of a thousand captures of a megabyte stays under 500 MB`() throws {
    let fleet = try Fleet(loads: 8, ticks: 25_000)
    let files = try (0..<1000).map { try fleet.write($0) }
    let size = try files.reduce(0) { $0 + (try sizeOfFile($1)) }
    let output = fleet.folder.path + "/merged"
    let (seconds, peak) = try merge(files, to: output)
    print(
      "\(files.count) captures, \(size) bytes: \(seconds) s, \(peak) bytes resident, "
        + "\(try sizeOfFile(output)) bytes merged")
    #expect(size > 900_000_000)
    #expect(peak < 500_000_000)
    let report = try SprofCommand.run(
      ["report", output, "--by", "function", "--top", "5"], timeout: .seconds(600))
    #expect(report.status == 0, "\(report.stderr)")
    #expect(report.stdout.contains("merged from 1000 captures of 1000 processes"))
  }
}
