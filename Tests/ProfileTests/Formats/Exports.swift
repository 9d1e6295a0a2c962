internal import Foundation
internal import ProfileModel
internal import Testing

/// Reads exports by the rules of their formats.
enum Exports {
  typealias Object = [String: Any]

  /// The columns that version 66 of the Firefox Profiler's format requires.
  static let firefoxTables: [String: [String]] = [
    "stackTable": ["frame", "prefixOffset"],
    "frameTable": [
      "address", "inlineDepth", "category", "subcategory", "func", "nativeSymbol",
      "innerWindowID", "line", "column", "originalLocation",
    ],
    "funcTable": [
      "name", "isJS", "relevantForJS", "resource", "source", "lineNumber", "columnNumber",
      "originalLocation",
    ],
    "resourceTable": ["lib", "name", "host", "type"],
    "nativeSymbols": ["libIndex", "address", "name", "functionSize"],
    "sources": ["id", "filename", "startLine", "startColumn", "sourceMapURL", "content"],
    "sourceLocationTable": ["source", "line", "column"],
  ]

  static func object(_ text: String) throws -> Object {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? Object)
  }

  /// The columns of a table, which must be as long as it says.
  static func columns(_ table: Object, named names: [String]) throws -> [String: [Any]] {
    let length = try #require(table["length"] as? Int)
    return try names.reduce(into: [:]) { columns, name in
      let column = try #require(table[name] as? [Any], "no column \(name)")
      #expect(column.count == length, "\(name)")
      columns[name] = column
    }
  }

  /// Whether every entry is null or a place in a list of `count`.
  static func indexes(_ column: [Any]?, below count: Int) -> Bool {
    guard let column else { return false }
    return column.allSatisfy { $0 is NSNull || (0..<count).contains($0 as? Int ?? -1) }
  }
}

extension Exports {
  /// The wall time of each function with what it calls, and the functions that another one calls.
  static func callgrind(
    _ text: String
  ) throws -> (inclusive: [String: Int64], called: Set<String>) {
    var (inclusive, called): ([String: Int64], Set<String>) = ([:], [])
    var (function, callee, isCall) = ("", "", false)
    // `fn=(3) name` the first time, and then `fn=(3)`.
    func number(_ line: Substring) -> String {
      String(line.prefix { $0 != ")" }.drop { $0 != "(" }.dropFirst())
    }
    for line in text.split(separator: "\n") {
      if line.hasPrefix("fn=") {
        function = number(line)
      } else if line.hasPrefix("cfn=") {
        callee = number(line)
      } else if line.hasPrefix("calls=") {
        isCall = true
      } else if let match = line.wholeMatch(of: /([0-9]+) ([0-9]+) ([0-9]+)/) {
        let wall = try #require(Int64(match.output.2))
        inclusive[function, default: 0] &+= wall
        if isCall, callee != function { called.insert(callee) }
        isCall = false
      }
    }
    return (inclusive, called)
  }
}

/// Functions of which each is called by the other, and each the outermost one of a stack, as those of
/// Python are when C frames are missing.
enum Tangle {
  static func profile() -> Profile {
    var maker = ProfileMaker()
    let app = maker.module("/bin/tangle")
    let one = maker.frame(SourceLine(function: "one", file: "t.py", line: 1), in: app)
    let two = maker.frame(SourceLine(function: "two", file: "t.py", line: 2), in: app)
    let thread = maker.thread(10, "tangle", isMain: true, lastSeen: 4_000_000_000)
    for (number, frames) in [[one], [one, two], [two, one], [two]].enumerated() {
      maker.run(
        thread, maker.stack(outermostFirst: frames), ticks: 100, cpu: 7,
        start: Int64(number) * 1_000_000_000)
    }
    maker.profile.capture.duration = 4_000_000_000
    return maker.profile
  }
}

/// A hostile program whose figures are small enough to add up.
enum HostileReportTestsProfile {
  static var profile: Profile { `A report on a hostile program`.profile(kind: .attach) }

  static var plain: Profile {
    var plain = profile
    plain.runs.removeAll { $0.weight.wall == .max || !plain.threads.indices.contains($0.thread) }
    return plain
  }
}

/// A program of two threads whose runs follow each other: one second of work, two of waiting in
/// `read`, one of work in another function; the other waits for a CPU and runs by turns.
enum Morning {
  static func profile() -> Profile {
    var maker = ProfileMaker()
    let app = maker.module("/bin/morning")
    let libc = maker.module("/lib/libc.so.6")
    let main = maker.frame(SourceLine(function: "main", file: "m.c", line: 9), in: app)
    let cook = maker.frame(
      SourceLine(function: "stir", file: "m.h", line: 3, isInlined: true),
      SourceLine(function: "cook", file: "m.c", line: 20), in: app)
    let read = maker.frame(SourceLine(function: "read"), in: libc)
    let wash = maker.frame(SourceLine(function: "wash", file: "w.c", line: 5), in: app)
    let second = Int64(1_000_000_000)
    let first = maker.thread(10, "morning", isMain: true, cpu: 2 * second, lastSeen: 4 * second)
    let cooking = maker.stack(outermostFirst: [main, cook])
    maker.run(first, cooking, ticks: 100, cpu: second)
    maker.run(
      first, maker.stack(outermostFirst: [main, cook, read]), .asleep(in: "read"), ticks: 200,
      start: second)
    let washing = maker.stack(outermostFirst: [main, wash])
    maker.run(first, washing, ticks: 100, cpu: second, start: 3 * second)
    let other = maker.thread(11, "helper", cpu: second, delay: second, lastSeen: 4 * second)
    for turn in 0..<4 {
      let activity = turn.isMultiple(of: 2) ? Activity.waitingForCPU : .running
      maker.run(
        other, washing, activity, ticks: 100, cpu: turn.isMultiple(of: 2) ? 0 : second / 2,
        start: Int64(turn) * second)
    }
    maker.profile.capture.duration = 4 * second
    return maker.profile
  }
}
