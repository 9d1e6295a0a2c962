internal import Foundation

/// The stacks that gdb sees, to compare ours with.
package enum Debugger {
  package struct Frame: Sendable {
    package let pc: UInt64
    package let function: String
    /// 0 where it is not known.
    package let line: Int
    package let isInlined: Bool
  }

  package static var isInstalled: Bool { Tool.isInstalled("gdb") }

  // Callers that jumped are left out: they have no place on the stack.
  private static let script = """
    import gdb, json
    out = {}
    for thread in gdb.selected_inferior().threads():
        thread.switch()
        frame = gdb.newest_frame()
        frames = []
        while frame is not None:
            if frame.type() != gdb.TAILCALL_FRAME:
                inlined = "1" if frame.type() == gdb.INLINE_FRAME else "0"
                frames.append({"pc": str(frame.pc()), "function": frame.name() or "??",
                               "line": str(frame.find_sal().line), "inlined": inlined})
            frame = frame.older()
        out[str(thread.ptid[1])] = frames
    print("FRAMES " + json.dumps(out))
    """

  /// The frames of each thread by its tid, innermost first, without inlined ones.
  ///
  /// Stops the program for a while.
  package static func frames(of pid: Int32) throws -> [Int32: [Frame]] {
    try allFrames(of: pid).mapValues { $0.filter { !$0.isInlined } }
  }

  /// The same with inlined ones.
  package static func allFrames(of pid: Int32) throws -> [Int32: [Frame]] {
    let file = NSTemporaryDirectory() + "sprof-gdb-\(UUID().uuidString).py"
    try script.write(toFile: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: file) }
    let outcome = try run(
      [
        "gdb", "-nx", "-q", "-batch", "-iex", "set debuginfod enabled off",
        "-iex", "set auto-load off", "-ex", "set backtrace past-main on",
        "-ex", "set backtrace past-entry on", "-ex", "set backtrace limit 500", "-p", "\(pid)",
        "-x", file,
      ], timeout: .seconds(120))
    guard let line = outcome.stdout.split(separator: "\n").first(where: { $0.hasPrefix("FRAMES ") })
    else { throw TestFailure("gdb: \(outcome.stdout) \(outcome.stderr)") }
    let threads = try JSONDecoder().decode(
      [String: [[String: String]]].self, from: Data(line.dropFirst(7).utf8))
    var result: [Int32: [Frame]] = [:]
    for (tid, frames) in threads {
      guard let tid = Int32(tid) else { continue }
      result[tid] = frames.map {
        Frame(
          pc: UInt64($0["pc"] ?? "") ?? 0, function: $0["function"] ?? "",
          line: Int($0["line"] ?? "") ?? 0, isInlined: $0["inlined"] == "1")
      }
    }
    return result
  }
}

/// Turns the addresses of a running program into those of its files.
package struct AddressSpace {
  private struct Mapping {
    let range: Range<UInt64>
    let offset: UInt64
    let path: String
  }

  private let mappings: [Mapping]

  package init(pid: Int32) throws {
    guard let text = procText("/proc/\(pid)/maps") else {
      throw TestFailure("no maps of \(pid)")
    }
    mappings = text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ", maxSplits: 5)
      let ends = fields[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
      guard fields.count == 6, ends.count == 2, let offset = UInt64(fields[2], radix: 16) else {
        return nil
      }
      let path = String(fields[5].drop { $0 == " " })
      return Mapping(range: ends[0]..<ends[1], offset: offset, path: path)
    }
  }

  /// The file and the address in it, as its own program headers count; nil outside of files.
  package func place(of address: UInt64) -> (path: String, address: UInt64)? {
    guard let mapping = mappings.first(where: { $0.range.contains(address) }) else { return nil }
    guard mapping.path.hasPrefix("/") else {
      // The kernel's page is one ELF file from its first byte.
      return (mapping.path, address - mapping.range.lowerBound)
    }
    let offset = address - mapping.range.lowerBound + mapping.offset
    guard let file = FileHandle(forReadingAtPath: mapping.path),
      let header = try? file.read(upToCount: 4_096)
    else { return nil }
    // Elf64_Ehdr: e_phoff at 32, e_phentsize at 54, e_phnum at 56. Elf64_Phdr: p_type at 0,
    // p_offset at 8, p_vaddr at 16, p_filesz at 32; PT_LOAD is 1 (elf(5)).
    func number(_ at: UInt64, _ size: Int) -> UInt64 {
      guard at + UInt64(size) <= UInt64(header.count) else { return 0 }
      return (0..<size).reduce(0) { $0 | UInt64(header[Int(at) + $1]) << UInt64(8 * $1) }
    }
    let table = number(32, 8)
    let entrySize = number(54, 2)
    for index in 0..<number(56, 2) {
      let entry = table + index * entrySize
      let start = number(entry + 8, 8)
      guard number(entry, 4) == 1, offset >= start, offset - start < number(entry + 32, 8) else {
        continue
      }
      return (mapping.path, offset - start + number(entry + 16, 8))
    }
    return nil
  }
}
