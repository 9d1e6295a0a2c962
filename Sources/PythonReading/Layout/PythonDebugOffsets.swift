internal import ByteReading

/// What CPython 3.13 and later say of their own layout: `_Py_DebugOffsets`, the first member of
/// `_PyRuntime` (internal/pycore_debug_offsets.h).
struct PythonDebugOffsets {
  /// The first version that has it.
  static let firstMinor = 13
  /// "xdebugpy" as a little-endian number.
  static let cookie: UInt64 = 0x7970_6775_6265_6478
  /// More bytes than any known version of the structure has.
  static let size = 1024

  let version: PythonVersion
  let isFreeThreaded: Bool
  let layout: PythonLayout

  /// The minor versions of the columns.
  static let minors = PythonOffsets.minors.filter { $0 >= firstMinor }

  /// Where the structure keeps each offset.
  static let rows: [(PythonField, [Int])] = [
    (.runtimeFinalizing, [32, 32, 32]),
    (.runtimeInterpreters, [40, 40, 40]),
    (.interpreterID, [56, 56, 56]),
    (.interpreterNext, [64, 64, 64]),
    (.interpreterThreads, [72, 72, 72]),
    (.interpreterModules, [88, 96, 96]),
    (.interpreterGIL, [112, 120, 120]),
    (.interpreterCodeGeneration, [-1, 160, 160]),
    (.threadSize, [152, 176, 176]),
    (.threadNext, [168, 192, 192]),
    (.threadInterpreter, [176, 200, 200]),
    (.threadFrame, [184, 208, 208]),
    (.threadBaseFrame, [-1, -1, 216]),
    (.threadPthread, [192, 216, 240]),
    (.threadKernelID, [200, 224, 248]),
    (.threadGILRequested, [-1, -1, 280]),
    (.framePrevious, [232, 256, 320]),
    (.frameCode, [240, 264, 328]),
    (.frameInstruction, [248, 272, 336]),
    (.frameLocals, [256, 280, 344]),
    (.frameOwner, [264, 288, 352]),
    (.frameStackPointer, [-1, 296, 360]),
    (.codeFilename, [280, 320, 384]),
    (.codeName, [288, 328, 392]),
    (.codeQualifiedName, [296, 336, 400]),
    (.codeLineTable, [304, 344, 408]),
    (.codeFirstLine, [312, 352, 416]),
    (.codeInstructions, [344, 384, 448]),
    (.tupleItems, [408, 456, 552]),
    (.dictKeys, [456, 536, 632]),
    (.dictValues, [464, 544, 640]),
    (.asciiSize, [560, 640, 736]),
    (.generatorFrame, [-1, 680, 808]),
    (.generatorState, [-1, 688, 816]),
  ]

  /// Where it keeps the interpreter's collector, and what is within that.
  static let collectors = [(80, 576), (88, 656), (88, 760)]

  /// Reads the structure from the first bytes of `_PyRuntime`.
  ///
  /// Nil without the cookie, or when an offset cannot be one.
  init?(_ bytes: RawSpan) {
    let reader = ByteReader(bytes)
    guard reader.value(at: 0, as: UInt64.self) == Self.cookie,
      let number = reader.value(at: 8, as: UInt64.self),
      let version = PythonVersion(hexadecimal: UInt32(truncatingIfNeeded: number)),
      let freeThreaded = reader.value(at: 16, as: UInt64.self)
    else { return nil }
    self.version = version
    isFreeThreaded = freeThreaded != 0
    // A build without the lock lays out every object in another way.
    guard !isFreeThreaded, var layout = PythonOffsets.layout(minor: version.minor),
      let column = Self.minors.firstIndex(of: version.minor)
    else {
      self.layout = PythonLayout()
      return
    }
    for (field, positions) in Self.rows where positions[column] >= 0 {
      // The largest offset known is 8 KiB; a structure of a megabyte is no structure of CPython's.
      guard let value = reader.value(at: positions[column], as: UInt64.self), value < 1 << 20 else {
        return nil
      }
      layout[field] = Int(value)
    }
    let (collectorAt, collectingAt) = Self.collectors[column]
    if let collector = reader.value(at: collectorAt, as: UInt64.self),
      let collecting = reader.value(at: collectingAt, as: UInt64.self),
      collector < 1 << 20, collecting < 1 << 20
    {
      layout[.interpreterCollecting] = Int(collector + collecting)
    }
    if let size = layout[.asciiSize] { layout[.compactSize] = size + 16 }
    self.layout = layout
  }
}
