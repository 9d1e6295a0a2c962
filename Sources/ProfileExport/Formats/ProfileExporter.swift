internal import ProfileAnalysis
package import ProfileModel

/// Writes a profile in the format of another tool.
package protocol ProfileExporter {
  /// Writes all of `profile`; what the format cannot hold is left out, but no time.
  func write(_ profile: Profile, to output: inout some TextOutputStream) throws
}

/// The formats that a profile can be exported to.
package enum ExportFormat: String, CaseIterable, Sendable {
  case pprof, speedscope, firefox, folded, callgrind
  case perfScript = "perf-script"
  case jsonLines = "jsonl"
  case html

  /// What writes the format as text; nil for pprof, which is bytes and of the same kind as captures.
  package var exporter: (any ProfileExporter)? {
    switch self {
    case .pprof: nil
    case .speedscope: SpeedscopeExporter()
    case .firefox: FirefoxExporter()
    case .folded: FoldedExporter()
    case .callgrind: CallgrindExporter()
    case .perfScript: PerfScriptExporter()
    case .jsonLines: JSONLinesExporter()
    case .html: PageExporter()
    }
  }
}

/// A frame of an exported stack, which may be a stand-in where frames are missing.
enum ExportedFrame: Hashable {
  /// A frame of the source: an index that its user chose.
  case source(Int)
  /// In place of the callers that were not found.
  case callersUnknown(StackEnd.Reason)
  /// In place of a stack of which nothing is known.
  case noStack
  /// The caller of all outermost frames, in a format whose readers look for one.
  case everything

  /// The outermost frame of a stack that ended so; nil where nothing is missing.
  static func root(of end: StackEnd, isEmpty: Bool) -> ExportedFrame? {
    if isEmpty { return .noStack }
    guard case .truncated(let reason) = end else { return nil }
    return .callersUnknown(reason)
  }

  /// The name of a stand-in; nil for a frame of the source.
  var standInName: String? {
    switch self {
    case .source: nil
    case .callersUnknown(let reason): "(callers unknown: \(reason.words))"
    case .noStack: "(no stack)"
    case .everything: "(all threads)"
    }
  }
}

extension PathTable {
  /// The items of a path, outermost first.
  func items(of path: Int) -> [Int] {
    var items: [Int] = []
    var current = path
    while current != 0 {
      items.append(item(of: current))
      current = caller(of: current)
    }
    return items.reversed()
  }
}

extension ThreadInfo {
  /// Name and number, as the readers of other tools show a thread.
  var exportedName: String { "\(title) (tid \(tid))" }
}

extension CaptureInfo {
  /// The program, as the title of an export.
  var exportedName: String { pid > 0 ? "\(processName) (pid \(pid))" : processName }
}

extension String {
  /// The text in one line, with `other` in place of `separator`, and spaces in place of what parts
  /// lines, controls a terminal or changes the direction of writing.
  func inOneLine(separator: Unicode.Scalar? = nil, insteadOfIt other: Unicode.Scalar = ":")
    -> String
  {
    let isPlain = utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 < 0x80 }
    if isPlain, separator.map({ !unicodeScalars.contains($0) }) ?? true {
      return isEmpty ? "?" : self
    }
    var text = String.UnicodeScalarView()
    for scalar in unicodeScalars {
      switch scalar {
      case separator: text.append(other)
      default:
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: text.append(" ")
        default: text.append(scalar)
        }
      }
    }
    return text.isEmpty ? "?" : String(text)
  }
}
