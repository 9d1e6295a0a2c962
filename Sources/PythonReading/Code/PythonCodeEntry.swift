internal import LinuxProcess
internal import ProfileModel

/// What shows whether a code object is the same.
///
/// Flat, so that a check in a stop touches no more memory than itself.
struct PythonCodeEntry {
  let identity: PythonCodeShape.Identity
  /// The beginnings of the objects of the name, of the file's name, and of the line table, where
  /// records alone do not tell code objects apart: in a loop that compiles, the next one is where
  /// the last one was, with all that it refers to.
  let name: PythonObjectMark
  let file: PythonObjectMark
  let table: PythonObjectMark
  /// Of which interpreter it is, where this counts the code objects that it frees.
  let interpreter: UInt64?
  /// The count of freed code objects at which the entry was seen to be right.
  var generation: PythonCodeGeneration?

  func forEachMark(_ body: (PythonObjectMark) -> Void) {
    body(name)
    body(file)
    body(table)
  }

  func isCopied(_ copies: MemoryCopies) -> Bool {
    name.isCopied(copies) && file.isCopied(copies) && table.isCopied(copies)
  }

  func isSame(in copies: MemoryCopies) -> Bool {
    name.isSame(in: copies) && file.isSame(in: copies) && table.isSame(in: copies)
  }
}
