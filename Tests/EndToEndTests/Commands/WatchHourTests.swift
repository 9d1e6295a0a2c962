import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `An hour of watch` {
    /// For how long it is watched: an hour, or what `SPROF_WATCH_SECONDS` says.
    private static let seconds =
      ProcessInfo.processInfo.environment["SPROF_WATCH_SECONDS"].flatMap { Int($0) } ?? 3600

    @Test(
      .enabled(if: Repository.isTrial, "takes an hour: make trials"),
      .enabled(
        if: XServer.isInstalled && Tool.hasLibrary("gtk+-3.0"), "needs Xvfb and GTK 3's headers"))
    func `has each of its freezes with its cause, and stops the program nowhere else`() throws {
      let server = try XServer()
      let plan = PlannedFreeze.random(within: Self.seconds)
      let program = try start(plan, on: server)
      // The same without sprof: how late a loop is on this machine.
      let other = try start(plan, on: server)
      let folder = try TemporaryFolder()
      let log = try ArrivalLog(in: try TemporaryFolder())
      let watch = try StartedCommand(
        [SprofCommand.path, "watch", "\(program.pid)", "--json", "--dir", folder.path],
        stdout: log.path)
      let begin = Date()
      while -begin.timeIntervalSinceNow < Double(Self.seconds + 10) { log.follow(for: 1) }
      let cpu = Double(cpuTime(of: watch.pid)) / 1e9
      let peak = try #require(kilobytes("VmHWM", of: watch.pid))
      let figures = try program.figures()
      watch.send(SIGINT)
      #expect(try watch.finish().status == 0)
      log.follow(for: 0)

      #expect(figures["frozen"] == Double(plan.count))
      #expect(figures["interrupted"] == 0)
      let freezes = log.events("freeze")
      #expect(freezes.count == plan.count, "\(freezes)")
      #expect(try folder.names.count == plan.count)
      for (number, (freeze, planned)) in zip(freezes, plan).enumerated() {
        try expect(
          freeze.event, toBe: planned, milliseconds: #require(figures["freeze\(number)"]))
      }
      let announced = log.events("frozen")
      #expect(announced.count == plan.count)
      let delays = announced.enumerated().map { number, line in
        line.arrival - (figures["began\(number)"] ?? 0) / 1e3 - 1
      }
      let otherGap = try other.figure("gap")
      print(
        """
        Watched for \(Self.seconds) s: \(100 * cpu / Double(Self.seconds)) % of a core, \(peak / 1024) MB at most
        Announced after the threshold, in ms: \(delays.map { Int($0 * 1e3) })
        Longest gap between two rests, in ms: \(figures["gap"] ?? 0), without sprof \(otherGap)
        """)
      try program.assertUntouched()
      program.kill()
      other.kill()
      expectNothingLeftBehind()
    }

    private func start(_ plan: [PlannedFreeze], on server: XServer) throws -> RunningProgram {
      try RunningProgram(
        fixture: "freezes.c", ["50", "0"] + plan.map(\.argument),
        flags: ["-g", "-O1", "-DWITH_GTK"] + Fixture.flags(forLibrary: "gtk+-3.0"),
        environment: ["DISPLAY": server.display, "FIXTURE_SECONDS": "\(Self.seconds + 900)"])
    }

    /// `milliseconds` is for how long the program says that it froze.
    private func expect(
      _ freeze: [String: Any], toBe planned: PlannedFreeze, milliseconds: Double
    ) {
      // A busy machine may keep the loop from a CPU in its computation.
      let causes =
        planned.kind == "compute" ? ["computing", "waiting_for_cpu"] : ["waiting"]
      #expect(causes.contains(freeze["cause"] as? String ?? ""), "\(freeze) \(planned)")
      let functions = [
        "sleep": ["save_settings"], "lock": ["update_orders"], "read": ["fetch_answer"],
        "compute": ["reindex", "compute_until", "now_ns"],
      ]
      let function = freeze["function"] as? String ?? ""
      #expect(functions[planned.kind]?.contains(function) ?? false, "\(freeze) \(planned)")
      let length = Double(freeze["length_ns"] as? Int ?? 0) / 1e6
      #expect(abs(length - milliseconds) < 250, "\(freeze) \(planned) \(milliseconds)")
    }
  }
}

/// A freeze that the fixture is asked for, in milliseconds.
private struct PlannedFreeze {
  let start: Int
  let kind: String
  let length: Int

  var argument: String { "\(start):\(kind):\(length)" }

  /// One for every five minutes, at a random time and of a random kind, in order and at least 20 s apart.
  static func random(within seconds: Int) -> [PlannedFreeze] {
    let share = 300
    return (0..<seconds / share).map { number in
      PlannedFreeze(
        start: (number * share + .random(in: 10...(share - 15))) * 1000 + .random(in: 0..<1000),
        kind: ["sleep", "lock", "read", "compute"].randomElement() ?? "sleep",
        length: .random(in: 1200...4000))
    }
  }
}

/// The log of a command that goes on, with the times at which its lines came, in seconds since 1970.
private final class ArrivalLog {
  struct Line {
    let arrival: Double
    let event: [String: Any]
  }

  let path: String
  private let folder: TemporaryFolder
  private let file: FileHandle
  private var rest = Data()
  private var lines: [Line] = []

  init(in folder: TemporaryFolder) throws {
    self.folder = folder
    path = folder.path + "/log"
    try Data().write(to: URL(fileURLWithPath: path))
    file = try #require(FileHandle(forReadingAtPath: path))
  }

  /// Takes what is written within some seconds, at intervals of 10 ms; once at least.
  func follow(for seconds: Double) {
    let end = Date().addingTimeInterval(seconds)
    repeat {
      rest += file.availableData
      let now = Date().timeIntervalSince1970
      while let newline = rest.firstIndex(of: UInt8(ascii: "\n")) {
        let value = try? JSONSerialization.jsonObject(with: rest[..<newline])
        lines.append(Line(arrival: now, event: value as? [String: Any] ?? [:]))
        rest = Data(rest[(newline + 1)...])
      }
      if seconds > 0 { usleep(10_000) }
    } while Date() < end
  }

  func events(_ name: String) -> [Line] { lines.filter { $0.event["event"] as? String == name } }
}

/// A figure of `/proc/PID/status`, such as the memory at most.
private func kilobytes(_ name: String, of pid: Int32) -> Int? {
  let line = procText("/proc/\(pid)/status")?.split(separator: "\n").first { $0.hasPrefix(name) }
  return line?.split(separator: " ").dropLast().last.flatMap { Int($0) }
}
