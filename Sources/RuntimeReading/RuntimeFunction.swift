package import ProfileModel
internal import Synchronization

/// A function of a language runtime, as its own structures describe it.
///
/// One object for each piece of code that was met. A function that was defined again, and one whose
/// code was read again, has several, which are alike.
package final class RuntimeFunction: Sendable {
  /// The qualified name where the runtime keeps one, such as `Parser.<locals>.read`.
  package let name: String
  package let file: String
  package let firstLine: Int32
  package let lines: RuntimeLineTable
  /// Nil for Python.
  package let language: SourceLanguage?
  /// No other function of this process of ours has it, of whichever runtime.
  package let number: UInt32
  private static let last = Atomic<UInt32>(0)

  package init(
    name: String, file: String, firstLine: Int32, lines: RuntimeLineTable,
    language: SourceLanguage? = nil
  ) {
    self.name = name
    self.file = file
    self.firstLine = firstLine
    self.lines = lines
    self.language = language
    number = Self.last.wrappingAdd(1, ordering: .relaxed).newValue
  }

  /// About what it takes of our memory.
  package var byteCount: Int { lines.byteCount + name.utf8.count + file.utf8.count }

  /// The line of an instruction, as the table counts; one that has not begun (-1) is at the first line.
  package func line(at position: Int32) -> Int32? {
    position < 0 ? firstLine : lines.line(at: position)
  }
}

/// Which line each instruction of a function belongs to; a lookup is a binary search.
package struct RuntimeLineTable: Sendable, Equatable {
  /// The first instruction of each run of one line, ascending.
  private var starts: [Int32] = []
  private var lines: [Int32] = []

  private static let noLine = Int32.min
  /// No function has more runs; a table that does is torn.
  private static let runLimit = 1 << 20

  /// Knows no line.
  package init() {}

  /// What it takes of our memory.
  package var byteCount: Int { (starts.capacity + lines.capacity) * MemoryLayout<Int32>.size }

  /// The line of an instruction; nil where there is none, as in code without a source.
  package func line(at position: Int32) -> Int32? {
    let next = starts.partitioningIndex { $0 > position }
    guard next > 0, lines[next - 1] != Self.noLine else { return nil }
    return lines[next - 1]
  }

  /// Adds what instructions from `start` on belong to, nil for no line; starts must ascend.
  package mutating func add(_ line: Int32?, from start: Int) {
    let line = line ?? Self.noLine
    guard let start = Int32(exactly: start), starts.count < Self.runLimit else { return }
    if starts.last == start {
      lines[lines.count - 1] = line
    } else if lines.last != line {
      starts.append(start)
      lines.append(line)
    }
  }
}
