import Foundation
import TestSupport

/// `sprof dump` on a program with more than 200 MB of debug data.
enum DebugDataBench {
  private static let copies = 130

  static func run() throws {
    let folder = NSTemporaryDirectory() + "sprof-heavy"
    let program = folder + "/heavy"
    if !FileManager.default.fileExists(atPath: program) { try build(in: folder, program) }
    let size = try TestSupport.run(["size", "-A", program], timeout: .seconds(60)).stdout
      .split(separator: "\n").filter { $0.hasPrefix(".debug") }
      .compactMap { $0.split(separator: " ").dropFirst().first.flatMap { Double($0) } }
      .reduce(0, +)
    let target = try RunningProgram([program])
    defer { target.kill() }
    let sprof = Bench.sprof
    let times = try (0..<5).map { _ in
      try TestSupport.run([sprof, "dump", "\(target.pid)"], timeout: .seconds(60)).seconds
    }
    print(
      "8 threads, \(decimals(size / 1e6, 0)) MB of debug data: median "
        + "\(decimals(median(times) * 1e3, 0)) ms, longest \(decimals((times.max() ?? 0) * 1e3, 0)) ms"
    )
  }

  /// Compiles one unit, and links copies of it whose symbols do not clash.
  private static func build(in folder: String, _ program: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    func tool(_ command: String) throws {
      let outcome = try TestSupport.run(
        ["sh", "-c", "cd \(folder) && \(command)"], timeout: .seconds(300))
      guard outcome.status == 0 else {
        throw TestFailure("\(command): \(outcome.stderr.prefix(500))")
      }
    }
    let sources = Repository.path("Fixtures/bench")
    try tool("g++ -g -O1 -std=c++17 -c \(sources)/heavy.cpp -o unit.o")
    try tool("g++ -g -O1 -c \(sources)/heavy_main.cpp -o main.o")
    for copy in 0..<copies {
      // Without its group the linker keeps every copy of a function; with local names they do not clash.
      try tool(
        "objcopy -R .group --keep-global-symbol=heavy_work --keep-global-symbol=heavy_work_\(copy) "
          + "--redefine-sym heavy_work=heavy_work_\(copy) unit.o unit_\(copy).o")
    }
    try tool("g++ -Wl,-z,muldefs -o \(program) main.o unit_*.o -lpthread")
  }
}
