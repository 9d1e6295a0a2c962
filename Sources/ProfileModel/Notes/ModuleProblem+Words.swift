// Captures have these words; `CaptureFile` turns them back into cases.
extension ModuleProblem {
  /// A part of a sentence, after a colon.
  package var words: String {
    switch self {
    case .replaced: "the file was replaced since it was loaded"
    case .deleted: "the file was deleted or replaced since it was loaded"
    case .changed: "the file was changed in place since it was loaded"
    case .otherMachine: "it is code for another machine"
    case .notELF: "it is not an ELF file"
    case .unsupportedClass: "it is not a 64-bit little-endian ELF file"
    case .cutOff: "its headers are cut off"
    case .lines(let problem): problem.words
    case .other(let words): words
    }
  }
}

extension LinesProblem {
  /// How the words begin that say what is missing.
  package static let beginnings = [
    "no lines:", "lines and inlined functions are missing:", "inlined functions are missing:",
  ]

  /// A part of a sentence: what is missing, and why.
  package var words: String {
    switch self {
    case .tooLarge(let section, let size, let limit):
      "no lines: its \(section) has \(size) MiB, more than the \(limit) MiB that are read"
    case .unsupportedCompression(let section):
      "no lines: its \(section) is compressed in a way that sprof does not know"
    case .unreadable(let reason): "no lines: its debug data cannot be read (\(reason))"
    case .tooSlow(let cost, let limit):
      "no lines: reading its debug data would take about \(cost), more than is left of \(limit) "
        + "(--symbols-timeout)"
    case .timeOver(let limit):
      "lines and inlined functions are missing: reading them took longer than \(limit) "
        + "(--symbols-timeout)"
    case .noSplitFile(let name):
      "inlined functions are missing: no \(name), into which they were compiled (-gsplit-dwarf)"
    case .other(let words): words
    }
  }
}
