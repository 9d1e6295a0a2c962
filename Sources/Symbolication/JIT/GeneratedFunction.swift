internal import ProfileModel

/// A function that a program has compiled into its own memory, as it tells profilers.
struct GeneratedFunction {
  var start: UInt64
  var size: UInt64
  let name: String
  /// The places in its source, ascending by address; empty where the program does not tell.
  var lines: [Line] = []
  /// How far it was moved since it had these addresses.
  var shift: UInt64 = 0

  struct Line {
    let address: UInt64
    let file: String
    let line: Int
  }

  /// The first address behind it.
  var end: UInt64 {
    let (end, overflow) = start.addingReportingOverflow(size)
    return overflow ? .max : end
  }

  /// How it is shown at an address.
  func sourceLine(at address: UInt64) -> SourceLine {
    let name = GeneratedName(name)
    let next = lines.partitioningIndex { $0.address > address &- shift }
    let place = next > 0 ? lines[next - 1] : lines.first
    return SourceLine(
      function: name.function, linkageName: name.function == self.name ? nil : self.name,
      file: place?.file ?? name.file, line: place?.line ?? name.line)
  }
}

/// What the name that a runtime gives its code says.
///
/// V8: `JS:*sum /srv/app.js:3:14`, where a mark before the function stands for the tier (`~` interpreted,
/// `^` baseline, `+` and `*` optimised; v8/src/logging/log.cc), and older ones `LazyCompile:` and the like.
/// CPython: `py::sum:/srv/app.py` (Python/perf_trampoline.c).
struct GeneratedName {
  private(set) var function: String
  private(set) var file: String?
  /// Of the function's beginning; 0 when it is not known.
  private(set) var line = 0

  init(_ name: String) {
    function = name
    if name.hasPrefix("py::") {
      readPython(name.dropFirst(4))
    } else {
      readScript(name)
    }
  }

  private mutating func readPython(_ text: Substring) {
    guard let colon = text.firstIndex(of: ":"), colon > text.startIndex else { return }
    let path = text[text.index(after: colon)...]
    guard !path.isEmpty else { return }
    function = String(text[..<colon])
    file = String(path)
  }

  private static let kinds: Set<Substring> = [
    "JS", "LazyCompile", "Function", "Script", "Eval", "RegExp",
  ]

  private mutating func readScript(_ name: String) {
    guard let colon = name.firstIndex(of: ":"), Self.kinds.contains(name[..<colon]) else { return }
    var text = name[name.index(after: colon)...]
    if let mark = text.first, "~^+*".contains(mark) { text = text.dropFirst() }
    guard let space = text.firstIndex(of: " ") else {
      if !text.isEmpty { function = String(text) }
      return
    }
    function = space == text.startIndex ? "(anonymous)" : String(text[..<space])
    // `file:line:column`
    var parts = text[text.index(after: space)...].split(
      separator: ":", omittingEmptySubsequences: false)
    guard parts.count >= 3, Int(parts[parts.count - 1]) != nil,
      let line = Int(parts[parts.count - 2]), line > 0
    else { return }
    parts.removeLast(2)
    let path = parts.joined(separator: ":")
    guard !path.isEmpty else { return }
    file = path.hasPrefix("file://") ? String(path.dropFirst(7)) : path
    self.line = line
  }
}
