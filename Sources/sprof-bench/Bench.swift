import Foundation

/// Measures what sprof costs, relative to a peer or to bare system calls in the same minutes.
@main
struct Bench {
  /// One thing to measure, by a name on the command line.
  struct Part {
    let name: String
    let summary: String
    let run: @Sendable () throws -> Void
  }

  static let parts = [
    Part(
      name: "pause", summary: "length of a stop, against bare system calls", run: PauseBench.run),
    Part(
      name: "no-callers",
      summary: "a stop 20,000 calls deep with --no-callers, against registers alone",
      run: PauseBench.runWithoutCallers),
    Part(
      name: "rate", summary: "100 to 10,000 Hz on one computing thread", run: ThreadBench.runRates),
    Part(
      name: "threads", summary: "64 and 1,000 threads, 2 of them computing",
      run: ThreadBench.runThreads),
    Part(name: "unwind", summary: "unwinding with known rules", run: UnwindBench.run),
    Part(
      name: "file", summary: "what attach -o costs the program, against attach", run: FileBench.run),
    Part(name: "dump", summary: "sprof dump, against eu-stack and gdb", run: DumpBench.run),
    Part(name: "debug", summary: "sprof dump with 200 MB of debug data", run: DebugDataBench.run),
    Part(
      name: "python", summary: "a Python thread, against bare stops and py-spy",
      run: PythonBench.runSpies),
    Part(
      name: "python-threads", summary: "the same with eight threads",
      run: PythonBench.runThreads),
    Part(
      name: "python-many", summary: "270 Python threads that take turns for the GIL",
      run: ThreadBench.runPython),
    Part(
      name: "python-copy", summary: "copying Python frames during a stop",
      run: PythonCopyBench.run),
    Part(
      name: "python-dump", summary: "sprof dump of Python, against py-spy",
      run: DumpBench.runPython),
    Part(
      name: "tachyon", summary: "a Python 3.15 thread, against Tachyon", run: PythonBench.runTachyon
    ),
  ]

  private static var help: String {
    let width = parts.map(\.name.count).max() ?? 0
    let lines = parts.map { part in
      "  " + part.name.padding(toLength: width, withPad: " ", startingAt: 0) + "  " + part.summary
    }
    return """
      Usage: sprof-bench [PART …]

      Measures what sprof costs on this machine. Without a part, all of them run in turn,
      which takes about an hour. `make bench` builds the sprof that it measures, which is the one
      beside sprof-bench: \(sprof)

      \(lines.joined(separator: "\n"))
      """
  }

  /// The program that is measured: of the same build as this one, and so never another's.
  static let sprof: String = {
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return URL(fileURLWithPath: own).deletingLastPathComponent().path + "/sprof"
  }()

  static func main() {
    let names = CommandLine.arguments.dropFirst()
    if let first = names.first, ["help", "--help", "-h"].contains(first) { return print(help) }
    if let unknown = names.first(where: { name in !parts.contains { $0.name == name } }) {
      print("sprof-bench has no part '\(unknown)'.\n\n\(help)")
      exit(64)
    }
    guard FileManager.default.isExecutableFile(atPath: sprof) else {
      print("sprof-bench: \(sprof) is missing. Build it, and measure, with: make bench")
      exit(66)
    }
    for part in parts where names.isEmpty || names.contains(part.name) {
      print("## \(part.name): \(part.summary)")
      do {
        try part.run()
      } catch {
        print("sprof-bench \(part.name): \(error)")
        exit(1)
      }
      print("")
      fflush(nil)
    }
  }
}
