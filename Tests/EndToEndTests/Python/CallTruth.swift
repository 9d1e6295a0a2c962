import Foundation
import TestSupport
import Testing

/// Which calls a program makes, and from which lines.
struct CallTruth: Decodable {
  /// The line of the call, by `caller>callee`, or `caller>callee:line` where the callee gets no
  /// further than that line.
  let calls: [String: Int]
  let lines: [String: [Int]]

  init(_ program: RunningProgram) throws {
    try self.init(json: try #require(program.greeting.last))
  }

  init(json text: String) throws {
    self = try JSONDecoder().decode(Self.self, from: Data(text.utf8))
  }

  /// The first thing in a stack, innermost first, that the program cannot do.
  func mistake(in frames: [PythonFrame]) -> String? {
    for (index, frame) in frames.enumerated() {
      guard let range = lines[frame.function] else {
        if frame.function != "<module>" { return "unknown function \(frame)" }
        continue
      }
      // 0 is a line that is not known.
      guard frame.line == 0 || frame.line >= range[0] && frame.line <= range[1] else {
        return "wrong line \(frame)"
      }
      guard index + 1 < frames.count else { continue }
      let caller = frames[index + 1]
      guard caller.function != "<module>" else {
        if frame.function != "loop", frame.function != "truth" { return "\(frame) at the top" }
        continue
      }
      let call = "\(caller.function)>\(frame.function)"
      guard let line = calls[call] ?? calls["\(call):\(frame.line)"] else {
        return "\(caller) never calls \(frame)"
      }
      if caller.line != 0, caller.line != line { return "\(caller) calls \(frame) in line \(line)" }
    }
    return nil
  }
}

struct PythonFrame: CustomStringConvertible {
  let function: String
  let line: Int
  var description: String { "\(function):\(line)" }
}

extension Report {
  /// The Python frames of a stack, innermost first; with `fixture` only those of that file.
  func pythonFrames(_ stack: Int, of fixture: String = ".py") -> [PythonFrame] {
    stacks[stack].map { frames[$0] }.filter { $0.file?.hasSuffix(fixture) ?? false }
      // Up to 3.11 a comprehension is a function of its own.
      .filter { $0.function == "<module>" || !$0.function.hasSuffix(">") }
      .map { PythonFrame(function: $0.function, line: $0.line ?? 0) }
  }

  /// How many samples got as far as `function`, or with nil found any frame of the fixture, and the
  /// first stack that the program cannot have.
  func check(_ truth: CallTruth, fixture: String, function: String? = "loop") -> (
    samples: Int, mistake: String?
  ) {
    var samples = 0
    var mistake: String?
    for thread in threads {
      for run in thread.runs {
        let frames = pythonFrames(run.stack, of: fixture)
        if frames.contains(where: { function == nil || $0.function == function }) {
          samples += Int(run.samples)
        }
        guard mistake == nil, let wrong = truth.mistake(in: frames) else { continue }
        mistake = "\(wrong) in \(stacks[run.stack].map { self.frames[$0].function })"
      }
    }
    return (samples, mistake)
  }
}
