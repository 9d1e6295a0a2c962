import Foundation
import TestSupport

/// A program that knows how long each of its functions took: a mode of `timed.c` or `timed.py`.
struct TimedProgram: CustomStringConvertible, Sendable {
  /// The arguments, in one text: `locked 10`.
  let mode: String
  var rate = 100
  /// Nil for the program in C.
  var interpreter: Interpreter?

  var description: String {
    (interpreter.map { "Python \($0), " } ?? "") + "\(mode), \(rate) Hz"
  }

  private static let functions = [
    "locked": ["first_phase", "second_phase", "third_phase"],
    "bursts": ["spin_for", "sleep_for"],
    "pinned": ["left_heavy", "left_light", "right_heavy", "right_light"],
    "calls": ["in_kernel", "in_program", "at_rest"],
    "pool": ["take_job", "short_job", "long_job", "waiting_job"],
    "loop": ["wait_for_events", "small_handler", "large_handler"],
  ]

  private var arguments: [String] { mode.split(separator: " ").map(String.init) }

  private var functions: [String] {
    arguments.compactMap { Self.functions[$0] }.first ?? []
  }

  private func start() throws -> RunningProgram {
    try interpreter?.start("timed.py", arguments)
      ?? RunningProgram(fixture: "timed.c", arguments)
  }

  /// The shares of its functions by a capture, and by its own account for the same time.
  func measure(seconds: Int) throws -> [TimedShare] {
    let program = try start()
    let children = arguments.first == "children" ? ["--children"] : []
    let report = try SprofCommand.report(
      ["attach", "\(program.pid)", "--rate", "\(rate)", "--duration", "\(seconds)s"] + children)
    let start = Int64(report.capture.startTime * 1e9)
    let truth = try program.figures("between \(start) \(start + report.capture.durationNs)")
    try program.assertUntouched()
    program.kill()
    return TimedShare.Unit.allCases.flatMap { shares($0, report, truth) }
  }

  private func shares(
    _ unit: TimedShare.Unit, _ report: Report, _ truth: [String: Double]
  ) -> [TimedShare] {
    let functions = functions
    let threads = report.threads.filter { thread in
      thread.lines.contains { functions.contains($0.function ?? "") }
    }
    let whole = max(threads.reduce(0) { $0 + unit.whole(of: $1) }, 1)
    let amounts = functions.map { truth["\($0)_\(unit.rawValue)"] ?? 0 }
    let sum = max(amounts.reduce(0, +), 1)
    return zip(functions, amounts).map { function, amount in
      // Each of the functions has one line.
      let lines = threads.flatMap { $0.lines.filter { $0.function == function } }
      let variance = lines.reduce(0) { $0 + pow(unit.error(of: $1), 2) }
      return TimedShare(
        program: self, function: function, unit: unit, truth: amount / sum * 100,
        measured: lines.reduce(0) { $0 + unit.amount(of: $1) } / whole * 100,
        error: variance.squareRoot() / whole * 100)
    }
  }
}

/// A function's share of its threads' time, in percent: as it was, and as sprof says.
struct TimedShare: Sendable {
  enum Unit: String, CaseIterable, Sendable {
    case cpu, wall

    fileprivate func amount(of line: Report.Thread.Line) -> Double {
      switch self {
      case .cpu: Double(line.cpuCumNs)
      case .wall: Double(line.ticksCum)
      }
    }

    /// Half the width of its 95 % interval.
    fileprivate func error(of line: Report.Thread.Line) -> Double {
      switch self {
      case .cpu: Double((line.cpuCumHighNs ?? line.cpuCumNs) - line.cpuCumNs)
      case .wall: Double((line.ticksCumHigh ?? line.ticksCum) - line.ticksCum)
      }
    }

    fileprivate func whole(of thread: Report.Thread) -> Double {
      switch self {
      case .cpu: Double(thread.cpuNs)
      case .wall: Double(thread.runs.reduce(0) { $0 + $1.ticks })
      }
    }
  }

  let program: TimedProgram
  let function: String
  let unit: Unit
  let truth: Double
  let measured: Double
  let error: Double

  var deviation: Double { measured - truth }
  var isWithinInterval: Bool { abs(deviation) <= error }
}
