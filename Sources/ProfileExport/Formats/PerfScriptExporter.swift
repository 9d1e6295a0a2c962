internal import ProfileAnalysis
package import ProfileModel

/// The text that `perf script` prints, for the many tools that read it.
///
/// These count events, so a run is one event a tick; only beyond some millions of ticks it is one
/// event with the ticks as its period.
/// The format: https://man7.org/linux/man-pages/man1/perf-script.1.html
package struct PerfScriptExporter: ProfileExporter {
  /// More events than this make no file that a reader could open.
  static let eventLimit: Int64 = 5_000_000

  package init() {}

  package func write(_ profile: Profile, to output: inout some TextOutputStream) {
    let index = ProfileIndex(profile)
    let ticks = profile.runs.reduce(Int64(0)) { sum, run in
      let (total, overflow) = sum.addingReportingOverflow(max(0, run.weight.ticks))
      return overflow ? .max : total
    }
    let unit: WeightUnit = ticks > 0 ? .ticks : .samples
    let frames = index.stacks.frames.map { Self.line(of: $0, index) }
    OutputBuffer.write(to: &output) { buffer in
      for (thread, info) in profile.threads.enumerated() {
        for run in index.runs(of: thread) where run.weight[unit] > 0 {
          let stack = Self.stack(of: run, frames, index)
          let count = ticks > Self.eventLimit ? 1 : run.weight[unit]
          for number in 0..<count {
            let (step, period) = (run.weight.wall / count, run.weight[unit] / count)
            let time = max(0, run.start &+ step &* number)
            Self.writeHeader(
              info, info.process?.pid ?? profile.capture.pid, time, period, to: &buffer)
            buffer.write(stack)
          }
        }
      }
    }
  }

  private static func writeHeader(
    _ info: ThreadInfo, _ pid: Int32, _ time: Int64, _ period: Int64,
    to buffer: inout OutputBuffer
  ) {
    // The readers find the numbers behind the name, so it must not look like one of them.
    buffer.write(info.name.inOneLine(separator: " ", insteadOfIt: "_"))
    buffer.write(" ")
    buffer.write(max(0, pid))
    buffer.write("/")
    buffer.write(max(0, info.tid))
    buffer.write(" [000] ")
    buffer.write(time / 1_000_000_000)
    buffer.write(".")
    buffer.write(String(String(1_000_000 + time / 1000 % 1_000_000).dropFirst()))
    buffer.write(": ")
    buffer.write(period)
    buffer.write(" ticks:\n")
  }

  /// The lines of a run's frames, innermost first, and the empty line that ends an event.
  private static func stack(of run: Run, _ frames: [String], _ index: ProfileIndex) -> String {
    let numbers = index.sourceFrames(of: run.stack)
    let root = ExportedFrame.root(of: run.end, isEmpty: numbers.isEmpty)
    let standIn = root?.standInName.map {
      "\t               0 [\($0.dropFirst().dropLast())] ([unknown])\n"
    }
    return numbers.map { frames[$0] }.joined() + (standIn ?? "") + "\n"
  }

  private static func line(of frame: SourceFrame, _ index: ProfileIndex) -> String {
    let address = String(frame.address?.rawValue ?? 0, radix: 16)
    let padding = String(repeating: " ", count: max(0, 16 - address.utf8.count))
    let module = index.profile.position(of: frame.module).map { index.profile.modules[$0].path }
    let place = frame.line.isInlined ? "inlined" : (module ?? "[unknown]").inOneLine()
    return "\t\(padding)\(address) \(frame.line.function.inOneLine()) (\(place))\n"
  }
}
