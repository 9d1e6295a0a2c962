import ProfileAnalysis
import ProfileModel
import Testing

@Suite struct `The error of sampling` {
  /// A program of one thread: functions that it runs in turn, for times that vary.
  private struct Program {
    /// Mean milliseconds of each function.
    let lengths: [Double]
    /// Whether the lengths are exactly those, in step with any clock.
    let isEven: Bool
  }

  private struct Measured {
    /// Milliseconds of each function.
    let truth: [Double]
    let index: ProfileIndex

    /// How far each function's wall time is off, in its error.
    var deviations: [Double] {
      FlatTable(index, by: .function, threads: [0]).rows.compactMap { row in
        guard let item = row.item, let error = row.ownError[.wall], error > 0,
          let number = Int(index.stacks.functions[item].name)
        else { return nil }
        return abs(Double(row.own.wall) - truth[number] * 1e6) / error
      }
    }
  }

  /// One capture at 100 Hz, with each tick at a random time within its period.
  private func capture(
    _ program: Program, seconds: Double, _ random: inout SeededNumbers
  ) -> Measured {
    var builder = ProfileBuilder()
    let thread = builder.add(ThreadInfo(tid: 1, name: "main", isMain: true))
    let stacks = program.lengths.indices.map { number in
      let frame = builder.stacks.id(of: .interpreted(SourceLine(function: "\(number)")))
      return builder.stacks.stack(of: frame, calledBy: .empty)
    }
    var truth = [Double](repeating: 0, count: stacks.count)
    var (now, tick, function) = (0.0, 0, 0)
    var next = random.uniform() * 10
    while now < seconds * 1000 {
      let mean = program.lengths[function]
      let end = min(
        now + (program.isEven ? mean : random.exponential(mean)), seconds * 1000)
      truth[function] += end - now
      while next < end {
        builder.sample(
          thread: thread, stack: stacks[function], end: .complete, activity: .running,
          time: Int64(tick + 1) * 10_000_000,
          weight: Weight(samples: 1, ticks: 1, wall: 10_000_000))
        tick += 1
        next = (Double(tick) + random.uniform()) * 10
      }
      now = end
      function = (function + 1) % stacks.count
    }
    let profile = builder.finish(
      capture: CaptureInfo(
        kind: .attach, pid: 1, processName: "x", duration: Int64(seconds * 1e9)), modules: [])
    return Measured(truth: truth, index: ProfileIndex(profile))
  }

  @Test(arguments: [
    [5.0, 3, 2], [0.4, 1.2], [120, 60, 30, 10], [3000, 1500], [40, 2, 300], [1, 9],
  ])
  func `holds the truth in about 19 of 20 captures`(lengths: [Double]) {
    var random = SeededNumbers(5)
    var deviations: [Double] = []
    for isEven in [true, false] {
      for _ in 0..<100 {
        deviations +=
          capture(
            Program(lengths: lengths, isEven: isEven), seconds: 10, &random
          ).deviations
      }
    }
    let share = Double(deviations.count { $0 <= 1 }) / Double(deviations.count)
    #expect(deviations.count > 200)
    #expect((0.90...1.0).contains(share), "\(share) for \(lengths)")
    // Nor is it much too large.
    #expect(deviations.contains { $0 > 0.5 })
  }

  /// A thread that is seldom found on a CPU, by turns in functions that use these parts of its CPU time.
  private func sharesOfCPU(
    _ parts: [Double], samples: Int, _ random: inout SeededNumbers
  ) -> [(share: Double, error: Double)] {
    var builder = ProfileBuilder()
    let thread = builder.add(ThreadInfo(tid: 1, name: "main", isMain: true))
    let stacks = parts.indices.map { number in
      let frame = builder.stacks.id(of: .interpreted(SourceLine(function: "\(number)")))
      return builder.stacks.stack(of: frame, calledBy: .empty)
    }
    for sample in 1...samples {
      var rest = random.uniform()
      let function = parts.firstIndex { part in
        rest -= part
        return rest < 0
      }
      // What the kernel counted between two samples goes to both in halves.
      let cpu = random.exponential(5) + random.exponential(5)
      builder.sample(
        thread: thread, stack: stacks[function ?? 0], end: .complete, activity: .running,
        time: Int64(sample) * 10_000_000,
        weight: Weight(samples: 1, ticks: 1, cpu: Int64(cpu * 1e6), wall: 10_000_000))
    }
    let index = ProfileIndex(
      builder.finish(
        capture: CaptureInfo(
          kind: .attach, pid: 1, processName: "x", duration: Int64(samples) * 10_000_000),
        modules: []))
    let table = FlatTable(index, by: .function, threads: [0], sortedBy: .cpu)
    let total = Double(max(table.total.cpu, 1))
    return parts.indices.map { number in
      let row = table.rows.first { row in
        row.item.map { index.stacks.functions[$0].name == "\(number)" } ?? false
      }
      return (Double(row?.own.cpu ?? 0) / total, (row?.ownError[.cpu] ?? 0) / total)
    }
  }

  @Test(arguments: [20, 60, 400])
  func `holds the truth of CPU time where samples are few and uneven`(samples: Int) {
    var random = SeededNumbers(7)
    let parts = [0.6, 0.25, 0.15]
    var (inside, all, widest) = (0, 0, 0.0)
    for _ in 0..<300 {
      for (part, row) in zip(parts, sharesOfCPU(parts, samples: samples, &random))
      where row.share > 0 {
        all += 1
        if abs(row.share - part) <= row.error { inside += 1 }
        widest = max(widest, row.error)
      }
    }
    let share = Double(inside) / Double(all)
    #expect((0.91...0.99).contains(share), "\(share)")
    #expect(widest < 2.2 / Double(samples).squareRoot() + 0.05, "\(widest)")
  }

  @Test func `is small where phases are long, and not known of a dump`() {
    var random = SeededNumbers(5)
    let short = capture(Program(lengths: [5, 5], isEven: true), seconds: 10, &random)
    let long = capture(Program(lengths: [1000, 1000], isEven: true), seconds: 10, &random)
    func error(_ measured: Measured) -> Double {
      FlatTable(measured.index, by: .function, threads: [0]).rows.first?.ownError[.wall] ?? 0
    }
    #expect(error(short) > 5 * error(long))
    #expect(error(long) > 0)
    var profile = long.index.profile
    profile.capture.kind = .dump
    let dump = FlatTable(ProfileIndex(profile), by: .function, threads: [0])
    #expect(dump.rows.allSatisfy { $0.ownError == SamplingError() })
    #expect(dump.lengtheningToRank(by: .wall) == nil)
  }

  @Test func `says how long a capture would tell the first two rows apart`() throws {
    var random = SeededNumbers(5)
    func factor(_ lengths: [Double]) -> Double? {
      let measured = capture(Program(lengths: lengths, isEven: false), seconds: 10, &random)
      return FlatTable(measured.index, by: .function, threads: [0]).lengtheningToRank(by: .wall)
    }
    #expect(factor([3, 9]) == nil)
    #expect(try #require(factor([6, 6.1])) > 1)
  }
}
