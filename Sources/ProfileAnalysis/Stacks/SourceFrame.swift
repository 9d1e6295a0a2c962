package import ProfileModel

/// A frame of the source: inlined calls are frames of their own.
package struct SourceFrame: Hashable, Sendable {
  /// Function, file and line.
  package let line: SourceLine
  package let module: ModuleID
  /// Nil for what is not machine code.
  package let address: FileAddress?
  /// How many frames it stands for, of those left out of the middle of a very deep stack, 0 where
  /// that is not known; nil for a frame of its own.
  package let elidedCount: Int?

  /// Whether it stands for frames that were left out.
  package var isElided: Bool { elidedCount != nil }

  /// The function as a whole, wherever in it a sample was.
  var withoutLine: SourceFrame {
    guard line.isNamed else { return self }
    return SourceFrame(
      line: SourceLine(function: line.function, file: line.file, language: line.language),
      module: module, address: nil, elidedCount: nil)
  }

  /// Whether it is of a language that a runtime of its own runs, such as Python or Java.
  package var isInterpreted: Bool {
    address == nil && !isElided && (line.file != nil || line.language != nil)
  }

  /// Whether it stands for what a thread ran between two samples: code of an unknown language.
  package var isUnseen: Bool {
    address == nil && line.file == nil && line.function == ProfileBuilder.unseenName
  }

  /// Whether it is a function of Python's.
  package var isPython: Bool { isInterpreted && line.language == nil }

  /// The word for the language of a frame of a runtime: `python`, `java`; nil for machine code.
  package var languageName: String? {
    isInterpreted ? line.language?.rawValue ?? "python" : nil
  }
}

extension SourceFrame {
  /// A line of a function that an interpreter runs.
  package init(interpreted line: SourceLine) {
    self.init(line: line, module: .anonymous, address: nil, elidedCount: nil)
  }
}

extension [SourceFrame] {
  /// The frames that ran, innermost first, without the tasks of asyncio that wait for the running
  /// one.
  ///
  /// Those are suspended, and are between its marker and the last one.
  var withoutWaitingTasks: [SourceFrame] {
    guard let first = firstIndex(where: \.isTaskMarker),
      let last = lastIndex(where: \.isTaskMarker)
    else { return self }
    return Array(self[..<first] + self[(last + 1)...])
  }
}

extension SourceFrame {
  fileprivate var isTaskMarker: Bool { address == nil && line.isTaskMarker }
}
