import Foundation
import TestSupport

/// What samples a Python program, for a comparison.
struct PythonTool {
  static let rate = 100

  let name: String
  let command: (_ pid: Int32, _ seconds: Double) -> [String]

  /// A C program that only stops the threads and copies 64 KiB of their stacks, and sprof.
  static func bareStopsAndSprof() throws -> [PythonTool] {
    let floor = try Fixture.compile(source: "bench/floor.c", flags: ["-O2"])
    let sprof = Bench.sprof
    func attach(_ options: [String]) -> (Int32, Double) -> [String] {
      { pid, seconds in
        [sprof, "attach", "\(pid)", "--rate", "\(rate)", "--duration", "\(seconds)s"] + options
      }
    }
    return [
      PythonTool(name: bareStops) { pid, seconds in
        [floor, "\(pid)", "0", "\(rate)", "\(seconds)"]
      },
      PythonTool(name: "sprof attach", command: attach([])),
      PythonTool(name: "sprof attach --no-native", command: attach(["--no-native"])),
    ]
  }

  /// The name of what others are compared with.
  static let bareStops = "bare stops"

  /// py-spy with and without native frames; none where it is not installed.
  static func spies() -> [PythonTool] {
    guard let spy = pathOfSpy() else {
      print("py-spy is not installed")
      return []
    }
    return [[], ["--native"]].map { options in
      PythonTool(name: (["py-spy record"] + options).joined(separator: " ")) { pid, seconds in
        [
          spy, "record", "-p", "\(pid)", "-r", "\(rate)", "-d", "\(Int(seconds.rounded(.up)))",
          "-f", "raw", "-o", "/dev/null",
        ] + options
      }
    }
  }

  /// Tachyon of that Python on all threads; without `--blocking` it stops none, and may mix up stacks.
  static func tachyon(of python: Interpreter) -> [PythonTool] {
    let environment = python.environment.map { "\($0.key)=\($0.value)" }
    return [[], ["--blocking"]].map { options in
      PythonTool(name: (["Tachyon"] + options).joined(separator: " ")) { pid, seconds in
        ["env"] + environment + python.command + ["-m", "profiling.sampling", "attach", "-a"]
          + ["-r", "\(rate)", "-d", "\(Int(seconds.rounded(.up)))", "--collapsed"]
          + ["-o", "/dev/null"] + options + ["\(pid)"]
      }
    }
  }

  /// The program py-spy; nil where it is not installed.
  ///
  /// A version manager puts a script of its own on PATH, whose CPU time (60 ms) would count as py-spy's.
  static func pathOfSpy() -> String? {
    if let asked = ProcessInfo.processInfo.environment["PY_SPY"] { return asked }
    let folders = Interpreter.all.compactMap(\.command.first)
      .map { URL(fileURLWithPath: $0).deletingLastPathComponent().path + "/py-spy" }
    return ([TestSupport.Tool.path("py-spy")].compactMap { $0 } + folders).first {
      FileManager.default.contents(atPath: $0)?.starts(with: [0x7f, 0x45, 0x4c, 0x46]) == true
    }
  }
}
