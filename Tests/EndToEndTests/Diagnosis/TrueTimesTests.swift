import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// Against programs that know how long each of their functions took.
  @Suite struct `Times of functions` {
    private struct Shares {
      /// By function, in percent of the thread's CPU time and of its wall time.
      var cpu: [String: Double] = [:]
      var wall: [String: Double] = [:]
    }

    /// What sprof reports of the thread `worker`, and what is true.
    private func measure(
      _ arguments: [String], functions: [String], options: [String], duration: String
    ) throws -> (measured: Shares, truth: Shares) {
      let program = try RunningProgram(fixture: "timed.c", arguments)
      let before = try program.figures()
      let report = try SprofCommand.report(
        ["attach", "\(program.pid)", "--duration", duration] + options)
      let after = try program.figures()
      var (measured, truth) = (Shares(), Shares())
      for function in functions {
        let (cpu, wall) = ("\(function)_cpu", "\(function)_wall")
        truth.cpu[function] = (after[cpu] ?? 0) - (before[cpu] ?? 0)
        truth.wall[function] = (after[wall] ?? 0) - (before[wall] ?? 0)
      }
      let thread = try report.thread("worker")
      for run in thread.runs {
        let called = try report.functions(of: run)
        let function = functions.first { called.contains($0) } ?? "elsewhere"
        measured.cpu[function, default: 0] += Double(run.cpuNs)
        measured.wall[function, default: 0] += Double(run.wallNs)
      }
      // No time is lost, and none is made up.
      #expect(thread.runs.reduce(0) { $0 + $1.cpuNs } == thread.cpuNs)
      try program.assertUntouched()
      expectNothingLeftBehind()
      return (percent(measured), percent(truth))
    }

    private func percent(_ shares: Shares) -> Shares {
      func percent(_ amounts: [String: Double]) -> [String: Double] {
        let whole = max(amounts.values.reduce(0, +), 1)
        return amounts.mapValues { $0 / whole * 100 }
      }
      return Shares(cpu: percent(shares.cpu), wall: percent(shares.wall))
    }

    @Test(arguments: ["5", "10", "20", "100"])
    func `are right where the program is in step with the clock`(period: String) throws {
      let functions = ["first_phase", "second_phase", "third_phase"]
      for _ in 0..<Repository.trials(short: 1, full: 10) {
        let (measured, truth) = try measure(
          ["locked", period], functions: functions, options: ["--rate", "200"], duration: "4s")
        // 800 samples: a standard deviation is 1.8 points.
        for function in functions {
          for (share, right) in [
            (measured.cpu[function] ?? 0, truth.cpu[function] ?? 0),
            (measured.wall[function] ?? 0, truth.wall[function] ?? 0),
          ] {
            #expect(abs(share - right) < 8, "\(function): \(measured), not \(truth)")
          }
        }
      }
    }

    @Test(arguments: [["1", "4"], ["3", "7"]])
    func `have no CPU time of a sleep`(lengths: [String]) throws {
      for _ in 0..<Repository.trials(short: 1, full: 10) {
        let (measured, truth) = try measure(
          ["bursts"] + lengths, functions: ["spin_for", "sleep_for"], options: [], duration: "4s")
        #expect((truth.cpu["spin_for"] ?? 0) > 90)
        #expect((measured.cpu["spin_for"] ?? 0) > 85, "\(measured), not \(truth)")
        #expect(
          abs((measured.wall["sleep_for"] ?? 0) - (truth.wall["sleep_for"] ?? 0)) < 12,
          "\(measured), not \(truth)")
      }
    }
  }
}
