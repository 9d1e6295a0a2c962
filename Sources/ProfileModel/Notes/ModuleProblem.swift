/// Why the code of a module has no names, or no lines.
package enum ModuleProblem: Hashable, Sendable {
  /// Another file is in the place of the one that was loaded.
  case replaced
  /// The file could only be opened with rights that sprof lacks.
  case deleted
  /// The file was written to, or cut short.
  case changed
  case otherMachine
  case notELF
  /// An ELF file of 32 bits, or of big-endian numbers.
  case unsupportedClass
  case cutOff
  /// It has names, but not all lines or inlined functions.
  case lines(LinesProblem)
  /// The reason that the system gives, or what another version of sprof said in a capture.
  case other(String)

  /// Whether the file is not the one any more that the program has loaded.
  package var isOfLoadedFile: Bool {
    switch self {
    case .replaced, .deleted, .changed: true
    case .otherMachine, .notELF, .unsupportedClass, .cutOff, .lines, .other: false
    }
  }

  /// Whether a new start of the program would load the file that is there now.
  package var endsWithRestart: Bool { self == .replaced || self == .deleted }
}

/// Why a module whose names are known lacks lines or inlined functions.
///
/// Lengths of time are in words: `20 s`.
package enum LinesProblem: Hashable, Sendable {
  /// A section of its debug data has more MiB than are read.
  case tooLarge(section: String, size: UInt64, limit: UInt64)
  /// A section is compressed neither with zlib nor with zstd.
  case unsupportedCompression(section: String)
  /// The reason is libdw's.
  case unreadable(reason: String)
  /// Reading its debug data would take longer than is left.
  case tooSlow(cost: String, limit: String)
  /// The time for reading debug data was over.
  case timeOver(limit: String)
  /// The file that its functions were compiled into (`-gsplit-dwarf`) is not there.
  case noSplitFile(String)
  /// What another version of sprof said in a capture.
  case other(String)
}
