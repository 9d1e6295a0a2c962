package import LinuxProcess
package import ProfileModel

/// Who holds the lock of an interpreter (the GIL).
package struct PythonLockState: Hashable, Sendable {
  package let interpreter: RemoteAddress
  package let isLocked: Bool
  /// The thread state that holds it; where it is free, the one that held it last.
  package let holder: RemoteAddress?
  /// The holder's thread id; nil where the lock is free or the thread not known.
  package let holderID: Int32?
  /// Threads that ask for it, where the version says so (3.15); else nil, and the native frames of
  /// a thread that waits (`take_gil`) show it.
  package let waiting: [Int32]?
}

extension PythonReader {
  package var lockRanges: [Range<RemoteAddress>] {
    let size = runtime.objects.lockSize
    return interpreters.compactMap { interpreter in
      interpreter.lock.flatMap { $0 < $0 + size ? $0..<$0 + size : nil }
    }
  }

  package func isLock(_ address: RemoteAddress) -> Bool {
    interpreters.contains { interpreter in
      interpreter.lock.map { address.isWithin(runtime.objects.lockSize, of: $0) } ?? false
    }
  }

  package func lockHolders(from memory: some TargetMemory) -> [Int32: Int32] {
    var result: [Int32: Int32] = [:]
    for lock in lockStates(from: memory) {
      guard let holder = lock.holderID else { continue }
      for thread in threads where thread.interpreter == lock.interpreter {
        if let tid = thread.tid, tid != holder { result[tid] = holder }
      }
    }
    return result
  }

  /// The locks of all interpreters that have one, without a stop; true for the moment of the sample.
  package func lockStates(from memory: some TargetMemory) -> [PythonLockState] {
    var copies = MemoryCopies()
    copies.copy(interpreters.flatMap { stateRanges(of: $0.address) }, from: memory)
    let field = runtime.layout[.threadGILRequested]
    if let field {
      copies.copy(
        threads.map { MemoryRange(start: $0.state + field, count: 4) },
        from: memory)
    }
    return interpreters.compactMap { interpreter in
      guard let lock = lockState(of: interpreter.address, in: copies) else { return nil }
      let holder = threads.first { $0.state == lock.holder }
      let waiting = field.map { field in
        threads.filter {
          $0.interpreter == interpreter.address
            && (copies.value(at: $0.state + field, as: Int32.self) ?? 0) != 0
        }.compactMap(\.tid)
      }
      return PythonLockState(
        interpreter: interpreter.address, isLocked: lock.isLocked, holder: lock.holder,
        holderID: lock.isLocked ? holder?.tid : nil, waiting: waiting)
    }
  }

  /// What of an interpreter each sample reads: its lock, collection, number, freed code objects.
  func stateRanges(of interpreter: RemoteAddress) -> [MemoryRange] {
    var ranges: [MemoryRange] = []
    if let lock = interpreters.first(where: { $0.address == interpreter })?.lock {
      let shape = runtime.objects
      let first = min(shape.lockHolder, shape.lockLocked)
      let last = max(shape.lockHolder, shape.lockLocked) + PythonObjectShape.wordSize
      ranges.append(MemoryRange(start: lock + first, count: last - first))
    }
    if let place = collectingAddress(interpreter) {
      ranges.append(MemoryRange(start: place, count: 4))
    }
    if let fields = runtime.generationFields {
      for field in [fields.interpreter, fields.count] {
        ranges.append(MemoryRange(start: interpreter + field, count: PythonObjectShape.wordSize))
      }
    }
    return ranges
  }

  private func collectingAddress(_ interpreter: RemoteAddress) -> RemoteAddress? {
    if let field = runtime.layout[.interpreterCollecting] { return interpreter + field }
    return runtime.layout[.runtimeCollecting].map { runtime.address + $0 }
  }

  func isCollecting(_ interpreter: RemoteAddress, in copies: MemoryCopies) -> Bool {
    let value = collectingAddress(interpreter).flatMap { copies.value(at: $0, as: Int32.self) }
    return (value ?? 0) != 0
  }

  /// The lock (`_gil_runtime_state`) of an interpreter; nil without one, or when it was not copied.
  func lockState(
    of interpreter: RemoteAddress, in copies: MemoryCopies
  ) -> (isLocked: Bool, holder: RemoteAddress?)? {
    guard let lock = interpreters.first(where: { $0.address == interpreter })?.lock,
      let holder = copies.pointer(at: lock + runtime.objects.lockHolder),
      let locked = copies.value(at: lock + runtime.objects.lockLocked, as: Int32.self)
    else { return nil }
    // -1 before the lock is made.
    return (locked > 0, holder.isNull ? nil : holder)
  }
}

extension PythonThreadReader {
  /// The number of code objects freed so far; nil where the version does not count.
  var generation: PythonCodeGeneration? {
    guard let fields = reader.runtime.generationFields,
      let interpreter = word(ofInterpreter: fields.interpreter),
      let count = word(ofInterpreter: fields.count)
    else { return nil }
    return PythonCodeGeneration(interpreter: interpreter, count: count)
  }

  private func word(ofInterpreter field: Int) -> UInt64? {
    copies.word(at: thread.interpreter + field)
  }
}
