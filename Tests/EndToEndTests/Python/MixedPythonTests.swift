import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// C and Python that call each other, and two interpreters on one thread.
  @Suite struct `Python among C` {
    private static let ofSystem = Interpreter(
      name: "of the system", command: ["/usr/bin/python3"])
    private static let duration = Repository.isTrial ? "20s" : "1s"

    @Test(.enabled(if: ofSystem.has(module: "numpy"), "needs numpy for the system's Python"))
    func `in numpy has each where it was called`() throws {
      let program = try Self.ofSystem.start("numeric.py")
      var seen: [String: Int] = [:]
      var samples = SampleCount(wanted: Repository.isTrial ? 20_000 : 0)
      // On a busy machine one capture may meet too few of its places.
      for _ in 0..<12 where seen.count < 3 || samples.areTooFew {
        let report = try capture(program)
        for frames in report.sampledFrames() { try check(frames, &seen) }
        samples.add(report, reaching: "work")
      }
      samples.expectWhole("numeric.py")
      #expect(seen.count == 3, "\(seen)")
      try program.assertUntouched()
    }

    /// Adds to `seen` what a stack of `numeric.py` shows, and expects it to be possible.
    private func check(_ frames: [SampledFrame], _ seen: inout [String: Int]) throws {
      let names = frames.map(\.label)
      for (inner, outer) in [
        ("py:square", "py:apply_square"), ("py:along_row", "py:apply_rows"),
      ] {
        guard let position = names.firstIndex(of: inner) else { continue }
        let caller = try #require(names[position...].firstIndex(of: outer), "\(names)")
        // `apply_along_axis` is Python of its own; `frompyfunc` calls from C.
        if inner == "py:square" {
          let between = frames[position..<caller].dropFirst()
          #expect(
            between.contains { $0.module.contains("_multiarray_umath") }, "\(names)")
        }
        seen[inner, default: 0] += 1
      }
      if let position = names.firstIndex(of: "py:sort_numbers") {
        #expect(!names[..<position].contains("py:square"), "\(names)")
        if names[..<position].contains(where: { !$0.hasPrefix("py:") }) {
          seen["sort", default: 0] += 1
        }
      }
      if let work = names.firstIndex(of: "py:work") {
        #expect(!names[(work + 1)...].contains("py:square"))
      }
    }

    private func capture(_ program: RunningProgram) throws -> Report {
      try SprofCommand.report([
        "attach", "\(program.pid)", "--rate", "500", "--duration", Self.duration,
      ])
    }

    @Test(
      .enabled(if: !PythonLibrary.shared.isEmpty, "needs a libpython with its headers"),
      arguments: PythonLibrary.shared)
    func `of two interpreters in a C program has the inner within the outer`(
      library: PythonLibrary
    ) throws {
      let program = try RunningProgram(
        fixture: "embedded_two.c", flags: ["-g", "-O1"] + library.flags)
      var kinds: Set<String> = []
      var samples = SampleCount(wanted: Repository.isTrial ? 20_000 : 0)
      var misplaced: [String] = []
      var count = 0
      for _ in 0..<12 where kinds.count < 4 || samples.areTooFew {
        let report = try capture(program)
        for frames in report.sampledFrames() {
          let chain = frames.map(\.label).filter { Self.ranks[$0] != nil }
          // The few samples that had no Python at all are counted below.
          guard chain.contains(where: { $0.hasPrefix("py:") }) else { continue }
          let ranks = chain.compactMap { Self.ranks[$0] }
          let words = "\(library): \(frames.map(\.label))"
          count += 1
          // Up to 3.9 only words on the stack tell where the frames of the other interpreter belong: one
          // that an ended call has left there may be taken for its frame.
          if library.minor <= 9, chain.last == "py:inner_outer" {
            misplaced.append(words)
            continue
          }
          #expect(zip(ranks, ranks.dropFirst()).allSatisfy { $0 < $1 }, "\(words)")
          let isInner = chain.contains("py:inner_leaf") || chain.contains("py:inner_outer")
          #expect(!isInner || chain.contains("call_second"), "\(words)")
          #expect(!chain.contains("call_second") || chain.contains("py:outer"), "\(words)")
          #expect(!chain.contains("py:inner_leaf") || chain.contains("py:inner_outer"), "\(words)")
          #expect(chain.last == "py:loop", "\(words)")
          kinds.insert(chain[0])
        }
        samples.add(report, reaching: "loop")
      }
      // At most 0.2 %, by three standard deviations: a short capture has one or two by chance.
      let usual = Double(count) / 500
      #expect(
        Double(misplaced.count) <= 1 + usual + 3 * usual.squareRoot(), "\(count): \(misplaced)")
      samples.expectWhole("embedded_two.c with \(library)")
      #expect(kinds.count >= 4, "\(library): \(kinds)")
      try program.assertUntouched()
    }

    /// Further out the higher; two of one rank never meet.
    private static let ranks = [
      "py:inner_leaf": 0, "py:inner_outer": 1, "call_second": 2, "py:outer_leaf": 2,
      "py:outer": 3, "py:loop": 4,
    ]
  }
}

/// A frame as these tests compare it.
struct SampledFrame {
  /// `py:` and the function, or the native function.
  let label: String
  let module: String
}

extension Report {
  /// Each stack that occurs, innermost frame first.
  func sampledFrames() -> [[SampledFrame]] {
    stacks.map { stack in
      stack.map { index in
        let frame = frames[index]
        let isPython = frame.file?.hasSuffix(".py") ?? false
        return SampledFrame(
          label: (isPython ? "py:" : "") + frame.function,
          module: frame.module.map { modules[$0].path } ?? "")
      }
    }
  }
}

/// How many samples got as far out as the function that all of a program runs in.
struct SampleCount {
  /// How many a trial is to have.
  let wanted: Int
  private(set) var all = 0
  private var whole = 0
  /// Those that did not, and do not say that they are not whole.
  private var wrong: [[String]] = []

  init(wanted: Int) { self.wanted = wanted }

  var areTooFew: Bool { all < wanted }

  mutating func add(
    _ report: Report, reaching function: String,
    ofThreads isCounted: (Report.Thread) -> Bool = { _ in true }
  ) {
    for run in report.threads.filter(isCounted).flatMap(\.runs) {
      let names = report.stacks[run.stack].map { report.frames[$0].function }
      all += Int(run.samples)
      if names.contains(function) {
        whole += Int(run.samples)
      } else if run.end == "complete" {
        wrong.append(names)
      }
    }
  }

  func expectWhole(_ words: String) {
    #expect(wrong.isEmpty, "\(words): \(wrong)")
    #expect(
      whole > 0 && all >= wanted && all - whole <= max(3, all / 100), "\(words): \(whole) of \(all)"
    )
    if wanted > 0 { print("\(words): \(all) looks, \(all - whole) not whole") }
  }
}
