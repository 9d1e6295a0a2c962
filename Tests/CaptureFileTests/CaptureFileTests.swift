import Foundation
import ProfileModel
import TestSupport
import Testing

@testable import CaptureFile

@Suite struct `Capture file` {
  @Test(arguments: 0..<20)
  func `gives the same profile and the same reports again`(seed: Int) throws {
    let folder = try TemporaryFolder()
    let profile = RandomCapture.profile(seed: seed)
    let path = folder.path + "/a.pb.gz"
    let recorder = try CaptureRecorder(path: path, replacing: false, capture: profile.capture)
    try recorder.finish(profile)
    try expectSame(CaptureReader.read(path: path), profile)
    #expect(try folder.names == ["a.pb.gz"])
  }

  @Test func `gives a dump again`() throws {
    var profile = RandomCapture.profile(seed: 3, ticks: 1)
    profile.capture.kind = .dump
    profile.capture.ending = .once
    profile.capture.rate = 0
    try expectSame(
      CaptureReader.read(GzipMember.compressing(messages(of: profile)), name: "x"), profile)
  }

  @Test func `gives a profile without anything again`() throws {
    let profile = Profile(capture: CaptureInfo(kind: .attach, pid: 1, processName: ""))
    try expectSame(CaptureReader.read(messages(of: profile), name: "x"), profile)
  }

  @Test func `keeps the largest numbers`() throws {
    var profile = RandomCapture.profile(seed: 1, ticks: 2)
    profile.runs[0].weight = Weight(
      samples: .max, ticks: .max, cpu: .max, wall: .max, delay: .max)
    profile.threads[0].cpu = .max
    let read = try CaptureReader.read(messages(of: profile), name: "x")
    #expect(read.runs[0].weight == profile.runs[0].weight)
    #expect(read.threads[0].cpu == .max)
  }

  @Test func `is refused where it cannot be written, before anything is made`() throws {
    let folder = try TemporaryFolder()
    let info = RandomCapture.profile(seed: 1, ticks: 1).capture
    func failure(_ path: String) -> CaptureFileError? {
      do throws(CaptureFileError) {
        _ = try CaptureRecorder(path: path, replacing: false, capture: info)
        return nil
      } catch {
        return error
      }
    }
    let missing = folder.path + "/missing/a.pb.gz"
    #expect(
      failure(missing)
        == .system(path: missing + ".partial", reason: "No such file or directory"))
    // Nobody may create files in /proc, not even root.
    guard case .system(_, let reason) = failure("/proc/a.pb.gz") else {
      Issue.record("/proc takes files")
      return
    }
    #expect(!reason.isEmpty)
    #expect(failure(folder.path) == .notRegular(path: folder.path))
    #expect(failure("/dev/null") == .notRegular(path: "/dev/null"))
    let there = folder.path + "/there"
    try Data("mine".utf8).write(to: URL(fileURLWithPath: there))
    #expect(failure(there) == .exists(path: there))
    #expect(try bytes(of: there) == Array("mine".utf8))
    let grown = folder.path + "/b.partial"
    try Data("mine".utf8).write(to: URL(fileURLWithPath: grown))
    #expect(failure(folder.path + "/b") == .unfinishedExists(path: grown))
    #expect(try folder.names == ["b.partial", "there"])
  }

  @Test func `replaces a file when it is asked to, and only at the end`() throws {
    let folder = try TemporaryFolder()
    let profile = RandomCapture.profile(seed: 2)
    let path = folder.path + "/a"
    try Data("mine".utf8).write(to: URL(fileURLWithPath: path))
    let recorder = try CaptureRecorder(path: path, replacing: true, capture: profile.capture)
    #expect(try bytes(of: path) == Array("mine".utf8))
    try recorder.finish(profile)
    try expectSame(CaptureReader.read(path: path), profile)
    #expect(try folder.names == ["a"])
  }

  @Test func `leaves nothing when the capture comes to nothing`() throws {
    let folder = try TemporaryFolder()
    let info = RandomCapture.profile(seed: 1, ticks: 1).capture
    try CaptureRecorder(path: folder.path + "/a", replacing: false, capture: info).cancel()
    #expect(try folder.names == [])
  }
}

extension ProfileBuilder {
  fileprivate consuming func takeGrowthOfNothing() -> ProfileGrowth {
    takeGrowth { _, _ in Weight() }
  }
}

@Suite struct `Growing capture file` {
  /// Feeds a recorder as a capture does, and gives the profile of all that it told.
  private func grow(
    seed: Int, path: String, members: Int
  ) throws -> (recorder: CaptureRecorder, told: Profile) {
    var capture = RandomCapture(seed: seed)
    let recorder = try CaptureRecorder(path: path, replacing: false, capture: capture.info)
    for _ in 0..<members {
      for _ in 0..<7 { capture.tick() }
      var growth = capture.builder.takeGrowth { _, _ in Weight() }
      growth.capture = capture.info
      growth.modules = RandomCapture.modules
      growth.symbols = growth.frames.map { RandomCapture.symbol($0.frame) }
      recorder.append(growth)
    }
    return (recorder, capture.finish())
  }

  @Test(arguments: 0..<10)
  func `holds at any time all that it was told`(seed: Int) throws {
    let folder = try TemporaryFolder()
    let (recorder, told) = try grow(seed: seed, path: folder.path + "/a", members: 9)
    let read = try CaptureReader.read(path: recorder.partialPath)
    #expect(totals(read) == totals(told))
    #expect(read.capture.ending == .unfinished)
    #expect(read.capture.duration == told.capture.duration)
    #expect(read.threads.map(\.name) == told.threads.map(\.name))
    #expect(read.runs.count == told.runs.count)
    #expect(try everyReport(on: read).allSatisfy { !$0.isEmpty })
    try recorder.finish(told)
    try expectSame(CaptureReader.read(path: recorder.path), told)
  }

  @Test func `says what is known of the capture once that has begun`() throws {
    let folder = try TemporaryFolder()
    // As `run` knows it before the program is there.
    let early = CaptureInfo(kind: .run, pid: 0, processName: "python3")
    let recorder = try CaptureRecorder(
      path: folder.path + "/a", replacing: false, capture: early)
    #expect(try CaptureReader.read(path: recorder.partialPath).capture.processName == "python3")
    var growth = ProfileBuilder().takeGrowthOfNothing()
    growth.capture = RandomCapture(seed: 1).info
    for duration: Int64 in [500_000_000, 1_000_000_000] {
      growth.capture?.duration = duration
      recorder.append(growth)
      let read = try CaptureReader.read(path: recorder.partialPath).capture
      let told = RandomCapture(seed: 1).info
      #expect(read.pid == told.pid && read.processName == told.processName)
      #expect(read.startTime == told.startTime && read.commandLine == told.commandLine)
      #expect(read.executable == told.executable && read.hostName == told.hostName)
      #expect(read.duration == duration && read.ending == .unfinished)
    }
  }

  @Test func `cut off anywhere gives what came before the cut`() throws {
    let folder = try TemporaryFolder()
    let (recorder, told) = try grow(seed: 5, path: folder.path + "/a", members: 6)
    let whole = try bytes(of: recorder.partialPath)
    var samples: [Int64] = []
    for end in stride(from: 1, to: whole.count, by: 7) {
      do throws(CaptureFileError) {
        let profile = try CaptureReader.read(Array(whole[..<end]), name: "a")
        samples.append(profile.runs.reduce(0) { $0 + $1.weight.samples })
      } catch {
        // Only the first member has nothing before it.
        #expect(error == .cutOff || error == .foreign)
        #expect(samples.isEmpty)
      }
    }
    #expect(samples == samples.sorted())
    #expect(Set(samples).count == 6, "one count for the header and each whole member but the last")
    #expect(samples.last ?? 0 < told.runs.reduce(0) { $0 + $1.weight.samples })
  }

  @Test func `counts a sleep that nobody told the end of, once`() throws {
    var builder = ProfileBuilder()
    let thread = builder.add(ThreadInfo(tid: 1, name: "a", isMain: true))
    let asleep = Activity.blocked(WaitReason(systemCall: "read"))
    let tick = Weight(samples: 1, ticks: 1, wall: 10)
    builder.sample(
      thread: thread, stack: .empty, end: .complete, activity: asleep, time: 10, weight: tick)
    var walls: [Int64] = []
    func take(_ lasting: Int64) {
      let growth = builder.takeGrowth { _, _ in
        Weight(samples: lasting, ticks: lasting, wall: lasting * 10)
      }
      walls.append(growth.runs.reduce(0) { $0 + $1.weight.wall })
    }
    take(0)
    take(5)
    take(5)
    // Now the tracer tells: it were six, and then the thread ran.
    builder.extend(thread: thread, by: Weight(samples: 6, ticks: 6, wall: 60))
    take(0)
    builder.sample(
      thread: thread, stack: .empty, end: .complete, activity: .running, time: 80, weight: tick)
    take(0)
    #expect(walls == [10, 50, 0, 10, 10])
  }

  @Test func `an hour of 50 threads stays small`() throws {
    let folder = try TemporaryFolder()
    // The whole hour takes a minute in a debug build; its parts are alike.
    let seconds = Repository.trials(short: 40, full: 3600)
    var server = SimulatedServer()
    let info = CaptureInfo(kind: .attach, pid: 1, processName: "server", rate: 100)
    let path = folder.path + "/a"
    let recorder = try CaptureRecorder(path: path, replacing: false, capture: info)
    try resetPeakMemory()
    let before = try memory("VmRSS")
    for half in 0..<seconds * 2 {
      for _ in 0..<50 { server.tick() }
      var growth = server.builder.takeGrowth { _, _ in Weight() }
      growth.capture = info
      growth.capture?.duration = Int64(half) * 500_000_000
      growth.modules = server.modules
      growth.symbols = growth.frames.map { server.symbol($0.frame) }
      recorder.append(growth)
    }
    let partialSize = try sizeOfFile(recorder.partialPath)
    var builder = ProfileBuilder()
    swap(&builder, &server.builder)
    var profile = builder.finish(capture: info, modules: server.modules)
    profile.symbols = profile.stacks.frames.map { server.symbol($0) }
    try recorder.finish(profile)
    let used = try memory("VmHWM") - before
    let size = try sizeOfFile(path)
    print(
      "\(seconds) s of 50 threads: \(profile.runs.count) runs, \(profile.stacks.stackCount) stacks, "
        + "\(size) bytes, \(partialSize) while growing, \(used >> 20) MiB of memory at most")
    #expect(profile.runs.count > seconds * 200)
    #expect(size < (20_000_000 / 3600 * seconds) + 100_000)
    if seconds == 3600 { #expect(used < 100_000_000) }
  }
}
