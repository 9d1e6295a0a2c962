/// A place in one of CPython's structures whose offset differs between versions.
package enum PythonField: Int, CaseIterable, Sendable {
  // _PyRuntimeState
  case runtimeFinalizing, runtimeInterpreters, runtimeMainInterpreter, runtimeCurrentThread
  case runtimeGILHolder, runtimeGILLocked, runtimeCollecting
  // PyInterpreterState
  case interpreterNext, interpreterID, interpreterThreads, interpreterModules, interpreterGIL
  case interpreterCollecting, interpreterCodeGeneration
  // PyThreadState
  case threadSize, threadNext, threadInterpreter, threadFrame, threadCFrame, threadRootCFrame
  case threadBaseFrame, threadPthread, threadKernelID, threadGILRequested
  case threadDictionary, threadRunningLoop
  // _PyCFrame
  case cframeFrame, cframePrevious
  // PyFrameObject up to 3.10, then _PyInterpreterFrame
  case frameCode, framePrevious, frameInstruction, frameOwner, frameIsEntry, frameLocals
  case frameStackPointer, frameValueStack, frameBlockCount, frameBlocks
  // PyCodeObject
  case codeFilename, codeName, codeQualifiedName, codeFirstLine, codeLineTable, codeInstructions
  case codeVersion, codeHandlers, codeLocalCount
  // PyObject, PyVarObject, PyTypeObject
  case objectType, objectCount
  case typeName, typeBasicSize, typeFlags, typeBase, typeDictionary, typeDictionaryOffset
  case typeCachedKeys
  // Strings, bytes, numbers
  case stringLength, stringState, asciiSize, compactSize, bytesContent
  case integerHead, integerDigits, integerCountShift
  // Containers
  case tupleItems, listItems, setMask, setTable
  case dictKeys, dictValues, keysSlots, keysCount, keysTable, valuesItems
  // Members of instances before the object: how far before
  case dictionaryBefore, valuesBefore
  // Functions and what refers to other objects
  case functionCode, functionClosure, methodFunction, methodReceiver
  case builtinDefinition, builtinReceiver
  case cellContent, weakReferenceObject, moduleDictionary
  // Coroutines
  case generatorFrame, generatorState, wrapperInner
  // FutureObj and TaskObj (Modules/_asynciomodule.c), before they describe themselves
  case futureCallback, futureCallbacks
  case taskSize, taskLoop, taskState, taskWaiter, taskCoroutine, taskName
  // _gil_runtime_state
  case lockHolder, lockLocked, lockSize
  // lockobject, rlockobject (Modules/_threadmodule.c)
  case threadingLock, threadingLockOwner
}

/// The offsets of one CPython version, on 64-bit machines.
package struct PythonLayout: Sendable, Equatable {
  private var offsets: [Int32]

  /// A layout that knows no field.
  package init() { offsets = Array(repeating: -1, count: PythonField.allCases.count) }

  /// The offset of a field in its structure; nil where this version has no such field.
  package subscript(field: PythonField) -> Int? {
    get {
      let offset = offsets[field.rawValue]
      return offset < 0 ? nil : Int(offset)
    }
    set { offsets[field.rawValue] = newValue.flatMap { Int32(exactly: $0) } ?? -1 }
  }
}
