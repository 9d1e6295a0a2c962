/// The functions and lines of a frame's address.
package struct ResolvedFrame: Hashable, Sendable {
  /// The innermost inlined function first, the function that the machine code belongs to last; at
  /// least one, even when nothing is known.
  package let lines: [SourceLine]
  /// The module of the machine code; anonymous for an interpreted function.
  package let module: ModuleID

  package init(lines: [SourceLine], module: ModuleID) {
    self.lines = lines
    self.module = module
  }

  /// A frame without names: code has its address for a name.
  package init(unknown frame: Frame) {
    switch frame {
    case .code(let code):
      self.init(
        lines: [SourceLine(function: code.address.description)], module: code.module)
    case .interpreted(let line): self.init(lines: [line], module: .anonymous)
    case .elided: self.init(lines: [SourceLine(function: "…")], module: .anonymous)
    }
  }
}

/// A function, and the place in it.
package struct SourceLine: Hashable, Sendable {
  /// Demangled; an address such as `0x4010f3` when the function is not known.
  package let function: String
  /// The name as the linker knows it, nil where it is the same or not known.
  package let linkageName: String?
  /// As the debug data gives it, compilation directory included; nil without debug data.
  package let file: String?
  /// 0 when not known.
  package let line: Int
  /// Whether the function's code was inlined into the next entry.
  package let isInlined: Bool
  /// Nil for machine code, and for Python.
  package let language: SourceLanguage?

  package init(
    function: String, linkageName: String? = nil, file: String? = nil, line: Int = 0,
    isInlined: Bool = false, language: SourceLanguage? = nil
  ) {
    self.function = function
    self.linkageName = linkageName
    self.file = file
    self.line = line
    self.isInlined = isInlined
    self.language = language
  }
}

extension SourceLine {
  /// Whether the function has a name, and not an address in place of one.
  package var isNamed: Bool { !Self.isAddress(function) }

  /// Whether the name of a function is its address (`FileAddress.description`).
  package static func isAddress(_ function: String) -> Bool { function.hasPrefix("0x") }

  /// Stands for a task of asyncio in a stack: `<task NAME>`, `<task>` for one without a name.
  package static func taskMarker(named name: String?) -> String {
    name.map { "<task \($0)>" } ?? "<task>"
  }

  /// Whether the function is the marker of a task.
  package var isTaskMarker: Bool {
    file == nil && (function.hasPrefix("<task>") || function.hasPrefix("<task "))
  }
}
