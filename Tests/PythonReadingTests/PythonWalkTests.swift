internal import Foundation
internal import LinuxProcess
internal import ProfileModel
internal import PythonReading
internal import RuntimeReading
internal import TestSupport
internal import Testing

@Suite(.enabled(if: !Interpreter.all.isEmpty, "no Python on this machine"))
struct `Python stacks along a random walk` {
  @Test(arguments: Interpreter.onePerVersion)
  func `have the names and lines that the program itself reports`(
    _ interpreter: Interpreter
  ) throws {
    let program = try interpreter.start("walking.py", ["\(interpreter.minor)"])
    let tid = try #require(try Truth(program).values["tid"] as? Int32)
    let target = try PythonTarget(pid: program.pid)
    let files = try ThreadFiles(process: program.pid, thread: tid)
    let count = Repository.trials(short: 250, full: 5_000)
    var lines: Set<Int32> = []
    var frames = 0
    for number in 1...count {
      try program.send(line: "")
      let truth = try walkedFrames(try program.readLine())
      try waitUntil("it halts") {
        if case .asleep = files.systemCall() { return true }
        return false
      }
      let stack = try target.sleepingStack(of: tid)
      let seen = stack.frames.map(Truth.Line.init)
      #expect(stack.end == .complete)
      try #require(seen == truth, "\(interpreter), place \(number)")
      lines.formUnion(seen.compactMap(\.line))
      frames += seen.count
    }
    // Enough of its places were met, for a mistake in any of them to show.
    #expect(lines.count > 50)
    if Repository.isTrial {
      print("walk \(interpreter): \(count) stacks, \(frames) frames, \(lines.count) lines, 0 wrong")
    }
    try program.assertUntouched()
  }

  private func walkedFrames(_ line: String) throws -> [Truth.Line] {
    let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
    return try #require(object as? [[Any]]).map { try Truth.Line($0) }
  }

  /// With few reads a sample the walk gets a little further each time, and never shows what is not so.
  @Test(arguments: Interpreter.onePerVersion)
  func `that are cut short show their inner end, and are whole after some looks`(
    _ interpreter: Interpreter
  ) throws {
    let program = try interpreter.start("deep.py", ["600"])
    let tid = try #require(try Truth(program).values["tid"] as? Int32)
    let whole = try PythonTarget(pid: program.pid).sleepingStack(of: tid)
    #expect(whole.end == .complete)
    let target = try PythonTarget(pid: program.pid)
    var counts: [Int] = []
    for _ in 0..<4000 where counts.last != whole.frames.count {
      let sample = try target.reader.copied(tid, from: target.memory, reads: 2)
      let stack = target.reader.stack(of: sample, from: target.memory)
      // At the first samples the code of the innermost frame may not be read yet.
      if stack.frames.count == 1, stack.frames[0].function == nil { continue }
      for (frame, truth) in zip(stack.frames, whole.frames) {
        #expect(frame.function?.name == truth.function?.name)
        // The table of a function's lines may be what there was no time for.
        #expect(frame.line == truth.line || frame.line == nil)
      }
      #expect(stack.frames.count <= whole.frames.count)
      #expect(stack.end == (stack.frames.count < whole.frames.count ? .cut : .complete))
      #expect(stack.groups.reduce(0) { $0 + $1.frameCount } == stack.frames.count)
      #expect(counts.last ?? 0 <= stack.frames.count)
      counts.append(stack.frames.count)
    }
    #expect(counts.last == whole.frames.count)
    #expect(counts.count > 1)
    try program.assertUntouched()
  }

  @Test(arguments: Interpreter.onePerVersion)
  func `are whole at the first look after a warmUp, by fewer reads`(
    _ interpreter: Interpreter
  ) throws {
    let program = try interpreter.start("deep.py", ["300"])
    let tid = try #require(try Truth(program).values["tid"] as? Int32)
    let target = try PythonTarget(pid: program.pid)
    // Each has little time, and goes on where the last one ended.
    for _ in 0..<20 { target.reader.thread(tid)?.warmUp(from: target.memory) }
    let counting = CountingMemory(target.memory)
    let sample = try target.reader.copied(tid, from: counting)
    let isWhole = sample.isComplete
    let cold = CountingMemory(target.memory)
    let other = try PythonTarget(pid: program.pid)
    _ = try other.reader.copied(tid, from: cold)
    #expect(isWhole && counting.reads * 2 <= cold.reads, "\(counting.reads) of \(cold.reads)")
    let stack = target.reader.stack(of: sample, from: target.memory)
    #expect(stack.end == .complete && stack.isConsistent)
    #expect(stack.frames.count >= 300 && stack.frames.allSatisfy { $0.function != nil })
    try program.assertUntouched()
  }
}
