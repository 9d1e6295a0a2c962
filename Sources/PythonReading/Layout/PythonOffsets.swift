/// The offsets of release builds of CPython 3.7 to 3.15 on x86_64, compiled from their headers.
///
/// A new version is a new column. From 3.13 on the interpreter describes most of them itself
/// (`PythonDebugOffsets`), which then wins.
enum PythonOffsets {
  /// The minor versions of the columns.
  static let minors = [7, 8, 9, 10, 11, 12, 13, 14, 15]

  private static let none = -1

  /// An offset that all of these versions share.
  private static func same(_ offset: Int) -> [Int] { minors.map { _ in offset } }

  static let rows: [(PythonField, [Int])] = [
    (.runtimeFinalizing, [-1, 16, 16, 16, 24, 24, 608, 784, 912]),
    (.runtimeInterpreters, [24, 32, 32, 32, 40, 40, 632, 808, 936]),
    (.runtimeMainInterpreter, [32, 40, 40, 40, 48, 48, 640, 816, 944]),
    (.runtimeCurrentThread, [1480, 1368, 568, 568, 576, -1, -1, -1, -1]),
    (.runtimeGILHolder, [1272, 1160, 360, 360, 368, -1, -1, -1, -1]),
    (.runtimeGILLocked, [1280, 1168, 368, 368, 376, -1, -1, -1, -1]),
    (.runtimeCollecting, [632, 544, -1, -1, -1, -1, -1, -1, -1]),

    (.interpreterNext, [0, 0, 0, 0, 0, 0, 7264, 7272, 7264]),
    (.interpreterID, [16, 16, 24, 24, 48, 8, 7272, 7280, 7272]),
    (.interpreterThreads, [8, 8, 8, 8, 16, 72, 7344, 7344, 7336]),
    (.interpreterModules, [40, 56, 856, 856, 888, 944, 7656, 7688, 7592]),
    // A pointer to the GIL in use.
    (.interpreterGIL, [-1, -1, -1, -1, -1, 384, 16, 16, 16]),
    (.interpreterCollecting, [-1, -1, 816, 816, 848, 312, 7600, 7600, 7512]),
    (.interpreterCodeGeneration, [-1, -1, -1, -1, -1, -1, -1, 7992, 7944]),

    (.threadSize, [280, 264, 264, 280, 360, 288, 304, 832, 888]),
    (.threadNext, [8, 8, 8, 8, 8, 8, 8, 8, 8]),
    (.threadInterpreter, [16, 16, 16, 16, 16, 16, 16, 16, 16]),
    (.threadFrame, [24, 24, 24, 24, -1, -1, 72, 72, 72]),
    (.threadCFrame, [-1, -1, -1, 48, 56, 56, -1, -1, -1]),
    (.threadRootCFrame, [-1, -1, -1, 264, 336, 272, -1, -1, -1]),
    (.threadBaseFrame, [-1, -1, -1, -1, -1, -1, -1, -1, 80]),
    (.threadPthread, [176, 176, 176, 176, 152, 136, 152, 152, 176]),
    (.threadKernelID, [-1, -1, -1, -1, 160, 144, 160, 160, 184]),
    // Where asyncio keeps the thread's running loop: by name, then as a member.
    (.threadDictionary, [-1, -1, -1, -1, -1, 112, -1, -1, -1]),
    (.threadRunningLoop, [-1, -1, -1, -1, -1, -1, 304, -1, -1]),
    (.threadGILRequested, [-1, -1, -1, -1, -1, -1, -1, -1, 40]),

    (.cframeFrame, [-1, -1, -1, -1, 8, 0, -1, -1, -1]),
    (.cframePrevious, [-1, -1, -1, 8, 16, 8, -1, -1, -1]),

    (.frameCode, [32, 32, 32, 32, 32, 0, 0, 0, 0]),
    (.framePrevious, [24, 24, 24, 24, 48, 8, 8, 8, 8]),
    (.frameInstruction, [104, 104, 104, 96, 56, 56, 56, 56, 56]),
    (.frameOwner, [-1, -1, -1, -1, 69, 70, 70, 74, 74]),
    (.frameIsEntry, [-1, -1, -1, -1, 68, -1, -1, -1, -1]),
    (.frameLocals, [360, 360, 360, 352, 72, 72, 72, 80, 80]),
    // Up to 3.13 a count of entries, then an address.
    (.frameStackPointer, [-1, -1, -1, -1, 64, 64, 64, 64, 64]),
    // Up to 3.10 a frame has a pointer to its stack, and its blocks; then codes have a table.
    (.frameValueStack, [64, 64, 64, 64, -1, -1, -1, -1, -1]),
    (.frameBlockCount, [112, 112, 112, 104, -1, -1, -1, -1, -1]),
    (.frameBlocks, [120, 120, 120, 112, -1, -1, -1, -1, -1]),

    (.codeFilename, [96, 104, 104, 104, 112, 112, 112, 112, 112]),
    (.codeName, [104, 112, 112, 112, 120, 120, 120, 120, 120]),
    (.codeQualifiedName, [-1, -1, -1, -1, 128, 128, 128, 128, 128]),
    (.codeFirstLine, [36, 40, 40, 40, 72, 68, 68, 68, 68]),
    (.codeLineTable, [112, 120, 120, 120, 136, 136, 136, 136, 136]),
    (.codeInstructions, [-1, -1, -1, -1, 184, 192, 200, 208, 208]),
    // Counts up with each code object that is made.
    (.codeVersion, [-1, -1, -1, -1, -1, 92, 92, 92, 92]),
    (.codeHandlers, [-1, -1, -1, -1, 40, 40, 40, 40, 40]),
    (.codeLocalCount, [-1, -1, -1, -1, 76, 72, 72, 72, 72]),

    (.objectType, same(8)),
    (.objectCount, same(16)),
    (.typeName, same(24)),
    (.typeBasicSize, same(32)),
    (.typeFlags, same(168)),
    (.typeBase, same(256)),
    (.typeDictionary, same(264)),
    (.typeDictionaryOffset, same(288)),
    (.typeCachedKeys, [-1, 872, 864, 872, 872, 880, 880, 880, 888]),

    (.stringLength, same(16)),
    (.stringState, same(32)),
    (.asciiSize, [48, 48, 48, 48, 48, 40, 40, 40, 40]),
    (.compactSize, [72, 72, 72, 72, 72, 56, 56, 56, 56]),
    (.bytesContent, same(32)),
    // Up to 3.11 the head is the number of 30-bit digits; then that number is above three bits of flags.
    (.integerHead, same(16)),
    (.integerCountShift, [0, 0, 0, 0, 0, 3, 3, 3, 3]),
    (.integerDigits, same(24)),

    (.tupleItems, [24, 24, 24, 24, 24, 24, 24, 32, 32]),
    (.listItems, same(24)),
    (.setMask, same(32)),
    (.setTable, same(40)),
    (.dictKeys, same(32)),
    (.dictValues, same(40)),
    // The number of slots up to 3.10; then logarithms of it and of its bytes, and the kind of the keys.
    (.keysSlots, same(8)),
    (.keysCount, [32, 32, 32, 32, 24, 24, 24, 24, 24]),
    (.keysTable, [40, 40, 40, 40, 32, 32, 32, 32, 32]),
    (.valuesItems, [0, 0, 0, 0, 0, 0, 8, 8, 8]),
    (.dictionaryBefore, [-1, -1, -1, -1, 24, 24, 24, 24, 24]),
    // In 3.12 the same place has either, and from 3.13 on values are behind the object.
    (.valuesBefore, [-1, -1, -1, -1, 32, 24, -1, -1, -1]),

    (.functionCode, [-1, -1, -1, -1, -1, 48, 48, 48, 48]),
    (.functionClosure, [-1, -1, -1, -1, -1, 72, 72, 72, 72]),
    (.methodFunction, same(16)),
    (.methodReceiver, same(24)),
    (.builtinDefinition, same(16)),
    (.builtinReceiver, same(24)),
    (.cellContent, same(16)),
    (.weakReferenceObject, same(16)),
    (.moduleDictionary, same(16)),

    (.generatorFrame, [-1, -1, -1, -1, 80, 72, 72, 72, 72]),
    (.generatorState, [-1, -1, -1, -1, 75, 67, 67, 67, 67]),
    // The first member of what is between a coroutine and another that it awaits.
    (.wrapperInner, same(16)),

    (.futureCallback, [-1, -1, -1, -1, -1, 24, 24, -1, -1]),
    (.futureCallbacks, [-1, -1, -1, -1, -1, 40, 40, -1, -1]),
    (.taskSize, [-1, -1, -1, -1, -1, 176, 144, -1, -1]),
    (.taskLoop, [-1, -1, -1, -1, -1, 16, 16, -1, -1]),
    (.taskState, [-1, -1, -1, -1, -1, 88, 96, -1, -1]),
    (.taskWaiter, [-1, -1, -1, -1, -1, 128, 112, -1, -1]),
    (.taskCoroutine, [-1, -1, -1, -1, -1, 136, 120, -1, -1]),
    (.taskName, [-1, -1, -1, -1, -1, 144, 128, -1, -1]),

    (.lockHolder, same(8)),
    (.lockLocked, same(16)),
    // As far as the condition reaches that `take_gil` waits for.
    (.lockSize, same(216)),

    // A pointer to a semaphore, from 3.14 on a `PyMutex`.
    (.threadingLock, same(16)),
    (.threadingLockOwner, same(24)),
  ]

  /// The layout of 3.`minor`; nil for a version without a column.
  static func layout(minor: Int) -> PythonLayout? {
    guard let column = minors.firstIndex(of: minor) else { return nil }
    var layout = PythonLayout()
    for (field, offsets) in rows where offsets[column] != none {
      layout[field] = offsets[column]
    }
    return layout
  }

  /// The layout of a version; nil for one without a column.
  ///
  /// Before 3.7.4 `PyGC_Head` was shorter (bpo-27987), and so is what comes before the lock and the
  /// rest of these in `_PyRuntime`.
  static func layout(of version: PythonVersion) -> PythonLayout? {
    guard var layout = layout(minor: version.minor) else { return nil }
    guard version.minor == 7, version.micro.map({ $0 < 4 }) ?? true else { return layout }
    for field in [
      PythonField.runtimeCurrentThread, .runtimeGILHolder, .runtimeGILLocked, .runtimeCollecting,
    ] {
      // Where the patch release is not known neither are these.
      let offset = layout[field].map { $0 - shiftBefore374 }
      layout[field] = version.micro == nil ? nil : offset
    }
    return layout
  }

  private static let shiftBefore374 = 88
}
