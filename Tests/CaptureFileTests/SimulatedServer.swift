import Foundation
import ProfileModel
import TestSupport
import Testing

/// The size without reading it, which would take memory of its own.
func sizeOfFile(_ path: String) throws -> Int {
  let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
  return try #require(size)
}

/// Lets the peak of this process's memory begin anew: proc_pid_clear_refs(5).
func resetPeakMemory() throws {
  try Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
}

/// A size of a process in bytes, such as `VmHWM`, the most that was ever resident.
func memory(_ name: String, of pid: Int32? = nil) throws -> Int {
  let path = "/proc/\(pid.map(String.init) ?? "self")/status"
  let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
  let line = lines.first { $0.hasPrefix("\(name):") }
  let words = line?.split { $0 == " " || $0 == "\t" } ?? []
  guard words.count > 1, let kilobytes = Int(words[1]) else { throw TestFailure("no \(name)") }
  return kilobytes * 1024
}

/// Runs `sprof` to its end, and gives the most memory that was ever resident.
func measured(_ arguments: [String]) throws -> (outcome: CommandOutcome, peak: Int) {
  let command = try StartedCommand([SprofCommand.path] + arguments)
  var peak = 0
  // A child that has ended and was not waited for has no memory any more.
  while let size = try? memory("VmHWM", of: command.pid) {
    peak = size
    usleep(5_000)
  }
  return (try command.finish(timeout: .seconds(600)), peak)
}

/// A server of 50 threads on two CPUs: two that always run, eight that wake up each second, and forty
/// that wait all the time.
struct SimulatedServer {
  var builder = ProfileBuilder()
  let modules = [
    Module(path: "/usr/bin/server", buildID: "0123456789abcdef0123456789abcdef01234567"),
    Module(path: "/usr/lib/x86_64-linux-gnu/libc.so.6", buildID: "89abcdef"),
  ]
  private var numbers: SeededNumbers
  private var time: Int64 = 0
  private var tickNumber = 0

  init(seed: Int = 1) {
    numbers = SeededNumbers(seed: seed)
    for number in 0..<50 {
      _ = builder.add(
        ThreadInfo(tid: 1000 + Int32(number), name: "worker-\(number)", isMain: number == 0))
    }
  }

  mutating func tick() {
    time += 10_000_000
    tickNumber += 1
    for thread in 0..<50 {
      let wakes = thread < 10 && (tickNumber + thread * 7) % 100 < 2
      if thread < 2 || wakes {
        let cpu = Int64.random(in: 9_800_000...10_000_000, using: &numbers)
        let wall = Int64.random(in: 9_950_000...10_050_000, using: &numbers)
        builder.sample(
          thread: thread, stack: busyStack(thread), end: .complete, activity: .running, time: time,
          weight: Weight(samples: 1, ticks: 1, cpu: cpu, wall: wall, delay: wall - cpu))
      } else if tickNumber == 1 || (thread < 10 && (tickNumber + thread * 7) % 100 == 2) {
        builder.sample(
          thread: thread, stack: stack((0..<14).map { 500 + $0 }), end: .complete,
          activity: .blocked(WaitReason(systemCall: "futex")), time: time,
          weight: Weight(samples: 1, ticks: 1, wall: 10_000_000))
      } else {
        builder.extend(thread: thread, by: Weight(samples: 1, ticks: 1, wall: 10_000_000))
      }
    }
  }

  /// One of some thousand stacks, the frequent ones more often.
  private mutating func busyStack(_ thread: Int) -> StackID {
    var place = 0
    var frames: [Int] = (0..<10).map { thread * 20 + $0 }
    for _ in 0..<10 {
      let choice = Int.random(in: 0..<4, using: &numbers)
      guard choice > 0 else { break }
      place = (place * 3 + (choice > 2 ? 1 : choice)) % 300
      frames.append(100 + place)
    }
    return stack(frames)
  }

  private mutating func stack(_ outermostFirst: [Int]) -> StackID {
    var stack = StackID.empty
    for number in outermostFirst {
      let address = FileAddress(0x40_0000 + UInt64(number) * 48)
      let code = CodeAddress(module: ModuleID(number % 20 == 0 ? 1 : 0), address: address)
      stack = builder.stacks.stack(of: builder.stacks.id(of: .code(code)), calledBy: stack)
    }
    return stack
  }

  /// The profile of all that it did.
  consuming func finish(_ info: CaptureInfo) -> Profile {
    var profile = builder.finish(capture: info, modules: modules)
    profile.symbols = profile.stacks.frames.map { symbol($0) }
    return profile
  }

  func symbol(_ frame: Frame) -> ResolvedFrame {
    guard case .code(let code) = frame else { return ResolvedFrame(unknown: frame) }
    let number = Int(code.address.rawValue & 0xffff) / 48
    return ResolvedFrame(
      lines: [
        SourceLine(
          function: "server::handle_\(number)(Request const&)",
          linkageName: "_ZN6server\(number)E", file: "/src/server/part\(number % 20).cpp",
          line: number)
      ], module: code.module)
  }
}
