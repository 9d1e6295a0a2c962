import Foundation
import TestSupport

/// What a program loses to `sprof attach -o`, by its own count of loops: with a file, without one, and
/// alone, in turns.
enum FileBench {
  private static let rounds = 5
  private static let seconds = 4.0

  private enum Mode: CaseIterable {
    case alone, report, file
  }

  static func run() throws {
    let spin = try Fixture.compile(source: "spin.c", flags: ["-O1", "-g"])
    let folder = try TemporaryFolder()
    for threads in [1, 4] {
      let program = try RunningProgram([spin, "\(threads)", "20"])
      defer { program.kill() }
      var shares: [Mode: [Double]] = [:]
      for round in 1...rounds {
        var loops: [Mode: Double] = [:]
        for mode in Mode.allCases {
          loops[mode] = try loopsPerSecond(of: program, mode, "\(folder.path)/\(threads)-\(round)")
        }
        let base = loops[.alone] ?? .nan
        for (mode, value) in loops { shares[mode, default: []].append(value / base) }
      }
      let report = median(shares[.report] ?? [])
      let file = median(shares[.file] ?? [])
      print(
        "computing threads: \(threads), at 1,000 Hz, loops relative to the program alone: "
          + "\(decimals(report * 100, 1)) % with attach, \(decimals(file * 100, 1)) % with attach -o, "
          + "ratio \(decimals(file / report, 3)) (medians of \(rounds) rounds)")
    }
  }

  private static func loopsPerSecond(
    of program: RunningProgram, _ mode: Mode, _ file: String
  ) throws -> Double {
    guard mode != .alone else { return try loopsPerSecond(of: program) }
    let command = try StartedCommand(
      [Bench.sprof, "attach", "\(program.pid)", "--rate", "1000"]
        + (mode == .file ? ["-o", file] : []))
    try waitUntil("sprof samples") { command.watches(program.pid) }
    let loops = try loopsPerSecond(of: program)
    command.send(SIGINT)
    let outcome = try command.finish()
    guard outcome.status == 0 else { throw TestFailure(outcome.stderr) }
    return loops
  }

  private static func loopsPerSecond(of program: RunningProgram) throws -> Double {
    let clock = ContinuousClock()
    let (start, before) = (clock.now, try program.figure("iterations"))
    usleep(UInt32(seconds * 1e6))
    let after = try program.figure("iterations")
    return (after - before) / ((clock.now - start) / .seconds(1))
  }
}
