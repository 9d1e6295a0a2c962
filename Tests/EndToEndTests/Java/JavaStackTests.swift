import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite(.enabled(if: JavaRelease.isThere, "needs a JDK")) struct `Stacks of Java` {
    /// Interpreter only, the first compiler only, and all; and other collectors.
    static let modes: [[String]] = [
      ["-Xint"], ["-XX:TieredStopAtLevel=1"], [], ["-XX:-TieredCompilation"],
      ["-XX:+UseParallelGC"], ["-XX:+UseSerialGC", "-XX:-UseCompressedOops"], ["-XX:+UseZGC"],
    ]

    /// A frame of Java's, as the program itself and as sprof write it.
    private struct Call: Hashable, CustomStringConvertible {
      let function: String
      let line: Int

      var description: String { "\(function):\(line)" }

      /// The VM leaves hidden classes out of its own traces.
      var isHidden: Bool {
        function.contains("$$Lambda") || function.contains("LambdaForm")
      }
    }

    @Test(arguments: Repository.pairs(JavaRelease.all, modes))
    func `of waiting threads are those that the program prints`(
      java: JavaRelease, flags: [String]
    ) throws {
      let program = try java.start("Stacks", flags: flags)
      let report = try SprofCommand.report(["dump", "\(program.pid)"])
      try program.send(line: "stacks")
      var checked = 0
      while let (name, truth) = try nextStack(of: program) {
        // The one that computes is elsewhere by now, and the main thread prints.
        guard !truth.isEmpty, !name.hasPrefix("computing"), name != "main" else { continue }
        guard let frames = report.frames(ofThreadNamed: name) else {
          Issue.record("\(java) \(flags): no thread \(name)")
          continue
        }
        var found = frames.filter { $0.language == "java" }
          .map { Call(function: $0.function, line: $0.line ?? 0) }
          .filter { !$0.isHidden }
        var expected = truth.filter { !$0.isHidden }
        if name == "deep" {
          // Of a deep stack the middle is left out.
          found = Array(found.prefix(100))
          expected = Array(expected.prefix(100))
        }
        #expect(found == expected, "\(java) \(flags) \(name)")
        checked += 1
      }
      #expect(checked >= 7)
      try program.assertUntouched()
      program.kill()
    }

    private func nextStack(of program: RunningProgram) throws -> (String, [Call])? {
      let line = try program.readLine()
      guard line.hasPrefix("stack ") else { return nil }
      let parts = line.dropFirst("stack ".count).split(separator: "|")
      let calls = parts.dropFirst().compactMap { part -> Call? in
        guard let space = part.lastIndex(of: " "),
          let number = Int(part[part.index(after: space)...])
        else { return nil }
        return Call(function: String(part[..<space]), line: number)
      }
      return (String(parts.first ?? ""), calls)
    }

    @Test(arguments: Repository.pairs(JavaRelease.all, modes))
    func `of a thread that computes are possible, with right lines`(
      java: JavaRelease, flags: [String]
    ) throws {
      let program = try java.start("Stacks", flags: flags)
      let folder = try TemporaryFolder()
      let file = folder.path + "/capture"
      let outcome = try SprofCommand.run(
        ["attach", "\(program.pid)", "--duration", "2s", "--rate", "500", "-o", file])
      #expect(outcome.status == 0, "\(outcome.stderr)")
      let exported = try SprofCommand.run(["export", file, "--to", "jsonl"])
      var (samples, wrong, short) = (0, 0, 0)
      let callSites = try CallSites()
      for line in exported.stdout.split(separator: "\n") {
        let run = try JSONDecoder().decode(JavaRun.self, from: Data(line.utf8))
        guard run.name == "computing ümlaut €" else { continue }
        samples += run.samples
        switch callSites.verdict(on: run.frames) {
        case .possible: break
        case .short: short += run.samples
        case .impossible(let why):
          wrong += run.samples
          Issue.record("\(java) \(flags): \(why)")
        }
      }
      #expect(samples > 300)
      #expect(wrong == 0)
      // The moments at which a frame is made or left and nothing shows it are few.
      #expect(short * 50 <= samples, "\(java) \(flags): \(short) of \(samples) were cut short")
      try program.assertUntouched()
      program.kill()
    }
  }
}

extension Report {
  /// The frames of a thread's only run, innermost first.
  fileprivate func frames(ofThreadNamed name: String) -> [Frame]? {
    guard let run = threads.first(where: { $0.name == name })?.runs.first,
      stacks.indices.contains(run.stack)
    else { return nil }
    return stacks[run.stack].map { frames[$0] }
  }
}

/// A line of `sprof export --to jsonl`.
private struct JavaRun: Decodable {
  struct Frame: Decodable {
    let function: String
    let file: String?
    let line: Int?
  }

  let name: String
  let samples: Int
  let frames: [Frame]
}

/// Which calls the fixture makes, and in which lines, by its comments.
private struct CallSites {
  enum Verdict {
    case possible
    /// Some callers are missing.
    case short
    case impossible(String)
  }

  /// By caller and callee: the line.
  private var lines: [String: Int] = [:]
  private var leaves: [String: Int] = [:]

  init() throws {
    let path = Repository.path("Fixtures/java/Stacks.java")
    let text = try String(contentsOfFile: path, encoding: .utf8)
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      guard let comment = line.components(separatedBy: "// ").dropFirst().last else { continue }
      let words = comment.split(separator: " ")
      if words.count == 3, words[1] == "calls" {
        lines["Stacks.\(words[0]) Stacks.\(words[2])"] = index + 1
      } else if words.count == 2, words[0] == "runs" {
        leaves["Stacks.\(words[1])"] = index + 1
      }
    }
  }

  func verdict(on frames: [JavaRun.Frame]) -> Verdict {
    let java = frames.filter { $0.file?.hasSuffix(".java") ?? false }
    let own = java.filter { $0.function.hasPrefix("Stacks.") }
    for (callee, caller) in zip(own, own.dropFirst()) {
      let isRoot = caller.function == "Stacks.alternate" || callee.function != "Stacks.alternate"
      guard isRoot, let line = lines["\(caller.function) \(callee.function)"] else {
        return .impossible("\(caller.function) calls \(callee.function)")
      }
      guard caller.line == line else {
        return .impossible(
          "\(caller.function) calls \(callee.function) in line \(caller.line ?? 0)")
      }
    }
    let isWhole =
      own.last?.function == "Stacks.alternate" && java.last?.function == "java.lang.Thread.run"
    return isWhole ? .possible : .short
  }
}
