internal import Foundation
internal import LinuxProcess
internal import ProfileModel
internal import PythonReading
internal import RuntimeReading
internal import TestSupport
internal import Testing

/// What a Python fixture says about its threads.
struct Truth {
  struct Line: Equatable, CustomStringConvertible {
    let function: String
    let file: String
    let line: Int32?

    var description: String { "\(function) \(file):\(line.map(String.init) ?? "-")" }
  }

  struct Thread {
    let name: String
    let tid: Int32
    let frames: [Line]
  }

  let threads: [Thread]
  let values: [String: Any]

  init(_ program: RunningProgram) throws {
    let text = try #require(program.greeting.last)
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
    values = try #require(object as? [String: Any])
    let all = try #require(values["threads"] as? [String: [String: Any]])
    threads = try all.map { name, fields in
      let frames = try #require(fields["frames"] as? [[Any]])
      return Thread(
        name: name, tid: try #require(fields["tid"] as? Int32),
        frames: try frames.map { try Line($0) })
    }.sorted { $0.name < $1.name }
  }
}

extension Truth.Line {
  init(_ parts: [Any]) throws {
    function = try #require(parts[0] as? String)
    file = try #require(parts[1] as? String)
    line = parts[2] as? Int32
  }

  init(_ frame: RuntimeFrame) {
    function = frame.function?.name ?? "?"
    file = frame.function?.file ?? "?"
    line = frame.line
  }

  /// As the reader shows it: what is longer than 4096 bytes is cut, and marked.
  var cut: Truth.Line {
    func cut(_ text: String) -> String {
      text.utf8.count > 4096 && text.allSatisfy(\.isASCII) ? text.prefix(4096) + "…" : text
    }
    return Truth.Line(function: cut(function), file: cut(file), line: line)
  }
}

/// A process with Python, as the tests look into it.
final class PythonTarget {
  let pid: Int32
  let memory: ProcessMemory
  let runtime: PythonRuntime
  let reader: PythonReader

  init(pid: Int32, clock: @escaping () -> MonotonicClock.Instant = MonotonicClock.now) throws {
    self.pid = pid
    memory = ProcessMemory(tid: pid)
    let search = PythonSearch(memory: memory, maps: try memory.maps()).run()
    guard case .found(let runtime) = search else {
      throw TestFailure("no interpreter found in \(pid): \(search)")
    }
    self.runtime = runtime
    reader = PythonReader(runtime, process: pid, clock: clock)
    _ = reader.refreshThreads(from: memory)
  }

  /// The stack of a sleeping thread, read without a stop; fails when the thread ran meanwhile.
  func sleepingStack(of tid: Int32) throws -> RuntimeStack {
    let files = try ThreadFiles(process: pid, thread: tid)
    for _ in 0..<50 {
      let before = files.counters()
      guard case .asleep(_, _, let pointer, let instruction) = files.systemCall() else { continue }
      let stack = try memory.maps().mapping(containing: pointer).map { $0.start..<$0.end }
      let place = ThreadPlace(
        Registers(stackPointer: pointer, instructionPointer: instruction),
        stack: stack ?? pointer..<pointer)
      let sample = try reader.copied(tid, at: place, from: memory)
      if files.counters() == before { return reader.stack(of: sample, from: memory) }
    }
    throw TestFailure("thread \(tid) does not sleep")
  }
}

extension PythonReader {
  /// A sample of a thread; nil when the interpreter does not know it.
  func prepared(_ tid: Int32) -> PreparedRuntimeSample? {
    PreparedRuntimeSample([thread(tid)].compactMap { $0 })
  }

  /// The same, copied.
  func copied(
    _ tid: Int32, at place: ThreadPlace = ThreadPlace(), from memory: some TargetMemory,
    reads: Int = .max
  ) throws -> CopiedRuntimeSample {
    guard let sample = prepared(tid) else { throw TestFailure("no thread \(tid)") }
    return sample.copy(at: place, from: memory, reads: reads)
  }

  /// The stack of a sample, of which nothing is taken for granted.
  func stack(
    of sample: consuming CopiedRuntimeSample, from memory: some TargetMemory
  ) -> RuntimeStack {
    var stack = sample.finish()
    stack.forget(refuted(from: memory))
    return stack
  }

  /// Takes a sample of a thread that cannot run.
  func stack(of tid: Int32, from memory: some TargetMemory) throws -> RuntimeStack {
    stack(of: try copied(tid, from: memory), from: memory)
  }
}
