package import ProfileModel

/// A CPython interpreter in the memory of a process, and how its version lays out its structures.
///
/// An object, since its parts are used all the time, and to copy them is not free.
package final class PythonRuntime: Sendable {
  /// Where `_PyRuntime` is.
  package let address: RemoteAddress
  package let version: PythonVersion
  package let layout: PythonLayout
  /// How it was found.
  package let evidence: PythonEvidence
  /// The file that holds it; empty for memory without one.
  package let path: String
  let frameShape: PythonFrameShape
  let strings: PythonStringShape
  let codes: PythonCodeShape
  let objects: PythonObjectShape
  /// Nil for versions whose coroutines are not read.
  let generators: PythonGeneratorShape?
  /// Where `_PyEval_EvalFrameDefault` begins, in versions that do not show the frames at its entry;
  /// nil when no symbol says so.
  let loopStart: RemoteAddress?
  /// Where an interpreter keeps its number, and how many code objects it has freed; nil for versions
  /// that do not count.
  let generationFields: (interpreter: Int, count: Int)?
  /// What of a thread state is copied: all, but never more than a page.
  let threadSize: Int

  /// Nil when the layout lacks what nothing can be read without.
  init?(
    address: RemoteAddress, version: PythonVersion, layout: PythonLayout,
    evidence: PythonEvidence, path: String = "",
    loopStart: RemoteAddress? = nil
  ) {
    guard let shape = PythonFrameShape(layout, minor: version.minor),
      let codes = PythonCodeShape(layout, minor: version.minor),
      let strings = PythonStringShape(layout), let objects = PythonObjectShape(layout),
      layout[.threadNext] != nil, layout[.threadInterpreter] != nil,
      layout[.runtimeInterpreters] != nil, layout[.interpreterThreads] != nil,
      layout[.interpreterNext] != nil
    else { return nil }
    self.address = address
    self.version = version
    self.layout = layout
    self.evidence = evidence
    self.path = path
    self.loopStart = loopStart
    threadSize = min(max(layout[.threadSize] ?? 512, 64), 4096)
    generationFields = layout[.interpreterID].flatMap { interpreter in
      layout[.interpreterCodeGeneration].map { (interpreter, $0) }
    }
    frameShape = shape
    self.codes = codes
    self.strings = strings
    self.objects = objects
    generators = PythonGeneratorShape(layout, minor: version.minor)
  }

  /// Whether a thread at `instruction` may just be entering the interpreter's loop, where nothing
  /// tells its frames.
  ///
  /// Up to 3.12 the loop keeps the current frame in a structure on the C stack. 3.11 and 3.12 point
  /// `tstate->cframe` to the new one before it has a frame and a predecessor: for the next 7 to 30
  /// instructions both are what an earlier call has left there (Python/ceval.c; of GCC's builds the
  /// last store is 0x60 to 0xa6 bytes into the function).
  package func isEnteringLoop(at instruction: RemoteAddress) -> Bool {
    guard let loopStart, layout[.cframeFrame] != nil else { return false }
    return instruction.isWithin(Self.entrySpan, of: loopStart)
  }

  private static let entrySpan = 256

  /// Whether thread states or their frames point to the C stack of the thread that runs them (3.10 and
  /// later).
  var hasStackPlaces: Bool { layout[.threadCFrame] != nil || frameShape.hasShims }

  /// The name and version, such as `CPython 3.11.7`.
  package var title: String { "CPython \(version)" }
}

/// What gave an interpreter away.
package enum PythonEvidence: String, Sendable {
  case dynamicSymbol, symbol, section, debugCookie, memoryScan
}

/// One thread state: what one interpreter keeps of one OS thread.
package struct PythonThread: Hashable, Sendable {
  /// Where its PyThreadState is.
  package let state: RemoteAddress
  package let interpreter: RemoteAddress
  /// 0 for the main interpreter; nil if unreadable.
  package let interpreterID: Int64?
  /// `pthread_self()` of the thread.
  package let pthread: UInt64
  /// The thread id that the interpreter itself knows: in the innermost PID namespace.
  package let nativeID: Int32?
  /// Whether it ran anything when it was listed.
  let hasFrames: Bool
  /// The thread that runs it, as this machine's `/proc` counts; nil where it could not be found out.
  package var tid: Int32?
}

/// One interpreter of a process: the main one or a sub-interpreter.
package struct PythonInterpreter: Hashable, Sendable {
  package let address: RemoteAddress
  package let id: Int64?
  /// Where the lock is that its threads share; nil without one.
  package let lock: RemoteAddress?
}
