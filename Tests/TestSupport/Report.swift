internal import Foundation

/// What `--json` writes, as far as tests look at it.
///
/// The names follow those of the JSON.
package struct Report: Decodable, Sendable {
  package let sprof: Version
  package let capture: Capture
  package let cost: Cost
  /// Nil for a part of a capture.
  package let verdict: Verdict?
  package let modules: [Module]
  package let frames: [Frame]
  /// Indexes into `frames`, innermost first.
  package let stacks: [[Int]]
  package private(set) var threads: [Thread]
  /// The tasks of event loops, process by process.
  package let tasks: [Tasks]
  /// Nil for a part of a capture.
  package let waits: Waits?
  /// Nil for what has no time.
  package let freezes: Freezes?

  package struct Freezes: Decodable, Sendable {
    package let known: Bool
    package let list: [Freeze]
    package let threads: [Responses]

    package struct Responses: Decodable, Sendable {
      package let tid: Int32
      /// What may be one long handler or many short ones.
      package let unclear: [Span]
    }

    package struct Span: Decodable, Sendable {
      package let startNs: Int64
      package let lengthNs: Int64
      package let cause: String
    }

    package struct Freeze: Decodable, Sendable {
      package let tid: Int32
      package let startNs: Int64
      package let lengthNs: Int64
      package let loop: String?
      package let handlerFunction: String?
      package let handlerFile: String?
      package let handlerLine: Int?
      package let cause: String
      package let waitObject: String?
      package let ownerDid: String?
      package let words: String
    }
  }

  package struct Waits: Decodable, Sendable {
    package let seen: [Seen]

    package struct Seen: Decodable, Sendable {
      package let pid: Int32
      package let tid: Int32
      package let kind: String
    }
  }

  package struct Version: Decodable, Sendable {
    package let version: String
    package let schema: Int
  }

  package struct Capture: Decodable, Sendable {
    package let kind: String
    package let pid: Int32
    package let process: String
    package let executable: String?
    package let commandLine: [String]
    package let startTime: Double
    package let durationNs: Int64
    package let rateHz: Double
    package let maxDepth: Int?
    package let ending: String
    package let exitCode: Int32?
    package let exitSignal: String?
    package let unsampledThreads: Int
    package let unsampledProcesses: Int
    package let unsampledCpuNs: Int64
    package let windows: [Window]
    package let notes: [String]
  }

  /// A window that was pinged.
  package struct Window: Decodable, Sendable {
    package let title: String
    package let pings: Int
    package let answered: Int
    package let slowestNs: Int64
    package let unansweredNs: Int64?
  }

  package struct Cost: Decodable, Sendable {
    package let ticksPlanned: Int64
    package let ticksTaken: Int64
    package let ticksLate: Int64
    package let looksWithoutStop: Int64
    package let stops: Int64
    package let pauseP50Ns: Int64
    package let pauseP99Ns: Int64
    package let pauseMaxNs: Int64
    package let stoppedNs: Int64
    package let stoppedShare: Double
    package let ownCpuNs: Int64
    package let looksDropped: Int64
  }

  package struct Verdict: Decodable, Sendable {
    package let kind: String
    package let words: String
    package let chainWords: [String]
    package let rule: String
    package let tid: Int32?
    package let ring: Bool
    package let lastedNs: Int64?
    package let handlerFunction: String?
    package let handlerFile: String?
    package let handlerLine: Int?
  }

  package struct Module: Decodable, Sendable {
    package let path: String
    package let buildId: String?
    package let problem: String?
  }

  package struct Frame: Decodable, Sendable {
    package let function: String
    package let linkageName: String?
    package let file: String?
    package let line: Int?
    package let inlined: Bool
    /// Stands for frames that were left out.
    package let elided: Bool
    package let module: Int?
    /// Of a frame that the runtime of its language describes.
    package let language: String?
    /// As the ELF file's headers count; a return address is the byte before it.
    package let address: Address?
  }

  /// An address, written as a hexadecimal string or as a number.
  package struct Address: Decodable, Sendable {
    package let value: UInt64

    package init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      guard let text = try? container.decode(String.self) else {
        value = try container.decode(UInt64.self)
        return
      }
      guard text.hasPrefix("0x"), let number = UInt64(text.dropFirst(2), radix: 16) else {
        throw DecodingError.dataCorruptedError(in: container, debugDescription: text)
      }
      value = number
    }
  }

  package struct Thread: Decodable, Sendable {
    package let tid: Int32
    package let name: String
    /// Nil where it is not known, as in a merged capture.
    package let pid: Int32?
    package let process: String?
    package let main: Bool
    package let ended: Bool
    package let state: String?
    package let cpuNs: Int64
    package let delayNs: Int64
    package let cpuSinceStartNs: Int64
    /// Nil when the thread was looked at only once.
    package let runningPercent: Double?
    package let waitingPercent: Double?
    package let blockedPercent: Double?
    package let stoppedPercent: Double?
    package let unknownPercent: Double?
    package let systemCall: SystemCall?
    package let runs: [Run]
    package let lines: [Line]

    /// What a line took with all that it called, and how much it may have been.
    package struct Line: Decodable, Sendable {
      package let function: String?
      package let cpuCumNs: Int64
      package let cpuCumHighNs: Int64?
      package let ticksCum: Int64
      package let ticksCumHigh: Int64?
    }
  }

  package struct Tasks: Decodable, Sendable {
    package let pid: Int32
    package let cut: Bool
    package let tornTids: [Int32]
    package let movedTids: [Int32]
    package let stacks: [[Line]]
    package let tasks: [Task]

    package struct Line: Decodable, Sendable {
      package let function: String
      package let file: String?
      package let line: Int?
    }

    package struct Task: Decodable, Sendable {
      package let name: String
      package let address: Address
      package let tid: Int32?
      package let state: String
      package let stack: Int?
      package let awaitedBy: [Int]
    }
  }

  package struct SystemCall: Decodable, Sendable {
    package let name: String
    package let arguments: [Address]
  }

  package struct Run: Decodable, Sendable {
    package let startNs: Int64
    package let stack: Int
    package let end: String
    package let activity: String
    package let wait: String?
    package let samples: Int64
    package let ticks: Int64
    package let cpuNs: Int64
    package let wallNs: Int64
  }

  /// Reads what `sprof` printed; throws with its words when it failed.
  package init(_ outcome: CommandOutcome) throws {
    guard outcome.status == 0 else {
      throw TestFailure("sprof ended with \(outcome.status ?? -1): \(outcome.stderr)")
    }
    try self.init(json: outcome.stdout)
  }

  /// Reads a report that was written to a file; throws when it is not as its schema has it.
  package init(json text: String) throws {
    try JSONSchema(of: "report").check(text)
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    self = try decoder.decode(Report.self, from: Data(text.utf8))
  }
}

extension Report {
  /// The frames of a run, innermost first; throws when the report contradicts itself.
  package func frames(of run: Run) throws -> [Frame] {
    guard stacks.indices.contains(run.stack) else { throw TestFailure("no stack \(run.stack)") }
    return try stacks[run.stack].map { index in
      guard frames.indices.contains(index) else { throw TestFailure("no frame \(index)") }
      return frames[index]
    }
  }

  /// The functions of a run, innermost first.
  package func functions(of run: Run) throws -> [String] {
    try frames(of: run).map(\.function)
  }

  /// The main thread, or the thread of that name.
  package func thread(_ name: String? = nil) throws -> Thread {
    let found = threads.first { name == nil ? $0.main : $0.name == name }
    guard let found else {
      throw TestFailure("no thread \(name ?? "main") among \(threads.map(\.name))")
    }
    return found
  }

  /// The run in which a thread spent most ticks.
  package func heaviestRun(of thread: Thread) throws -> Run {
    guard let run = thread.runs.max(by: { $0.ticks < $1.ticks }) else {
      throw TestFailure("thread \(thread.tid) has no runs")
    }
    return run
  }

  /// The stacks of all runs by the names of their functions, innermost first, with their ticks.
  package var namedStacks: [(names: [String], ticks: Int)] {
    threads.flatMap(\.runs).filter { $0.stack >= 0 && !stacks[$0.stack].isEmpty }.map { run in
      (stacks[run.stack].map { frames[$0].function }, Int(run.ticks))
    }
  }

  /// Leaves only the threads of that name.
  package mutating func keepThreads(named name: String) { threads.removeAll { $0.name != name } }

  /// Every function that any thread was seen in.
  package var allFunctions: Set<String> { Set(frames.map(\.function)) }
}
