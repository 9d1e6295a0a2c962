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
  /// a thread that waits (`take_gil`) tell.
  package let waiting: [Int32]?
}

extension PythonReader {
  /// Where the futexes lie that threads sleep on which wait for the lock of an interpreter.
  ///
  /// `_gil_runtime_state` holds the condition that `take_gil` waits for, within its first 216 bytes
  /// in every version since 3.7.
  package var lockRanges: [Range<UInt64>] {
    interpreters.compactMap { interpreter in
      interpreter.lock.flatMap { $0.rawValue < .max - 216 ? $0.rawValue..<$0.rawValue + 216 : nil }
    }
  }

  /// Whether a thread that sleeps in a futex at `address` waits for the lock of an interpreter.
  package func isLock(_ address: UInt64) -> Bool {
    interpreters.contains { interpreter in
      interpreter.lock.map { address &- $0.rawValue < 216 } ?? false
    }
  }

  /// The locks of all interpreters that have one, without a stop; true for the moment of the sample.
  package func lockStates(from memory: some TargetMemory) -> [PythonLockState] {
    var copies = MemoryCopies()
    copies.copy(interpreters.flatMap { stateRanges(of: $0.address) }, from: memory)
    let field = runtime.layout[.threadGILRequested]
    if let field {
      copies.copy(
        threads.map { MemoryRange(start: $0.state.advanced(by: Int64(field)), count: 4) },
        from: memory)
    }
    return interpreters.compactMap { interpreter in
      guard let lock = lockState(of: interpreter.address, in: copies) else { return nil }
      let holder = threads.first { $0.state == lock.holder }
      let waiting = field.map { field in
        threads.filter {
          let place = $0.state.rawValue &+ UInt64(field)
          return $0.interpreter == interpreter.address
            && (copies.value(at: place, as: Int32.self) ?? 0) != 0
        }.compactMap(\.tid)
      }
      return PythonLockState(
        interpreter: interpreter.address, isLocked: lock.isLocked, holder: lock.holder,
        holderID: lock.isLocked ? holder?.tid : nil, waiting: waiting)
    }
  }

  /// Whether an interpreter collects garbage at the moment of the sample.
  package func isCollectingGarbage(
    _ interpreter: PythonInterpreter, from memory: some TargetMemory
  ) -> Bool {
    var copies = MemoryCopies()
    copies.copy(stateRanges(of: interpreter.address), from: memory)
    return isCollecting(interpreter.address, in: copies)
  }

  /// What of an interpreter each sample looks at: its lock, collection, number, freed code objects.
  func stateRanges(of interpreter: RemoteAddress) -> [MemoryRange] {
    var ranges: [MemoryRange] = []
    if let lock = interpreters.first(where: { $0.address == interpreter })?.lock {
      ranges.append(MemoryRange(start: lock.advanced(by: 8), count: 16))
    }
    if let place = collectingAddress(interpreter) {
      ranges.append(MemoryRange(start: RemoteAddress(place), count: 4))
    }
    if let fields = runtime.generationFields {
      for field in [fields.interpreter, fields.count] {
        ranges.append(MemoryRange(start: interpreter.advanced(by: Int64(field)), count: 8))
      }
    }
    return ranges
  }

  private func collectingAddress(_ interpreter: RemoteAddress) -> UInt64? {
    if let field = runtime.layout[.interpreterCollecting] {
      return interpreter.rawValue &+ UInt64(field)
    }
    return runtime.layout[.runtimeCollecting].map { runtime.address.rawValue &+ UInt64($0) }
  }

  func isCollecting(_ interpreter: RemoteAddress, in copies: MemoryCopies) -> Bool {
    let value = collectingAddress(interpreter).flatMap { copies.value(at: $0, as: Int32.self) }
    return (value ?? 0) != 0
  }

  /// `_gil_runtime_state` has `last_holder` at 8 and `locked` at 16 in every version since 3.7.
  func lockState(
    of interpreter: RemoteAddress, in copies: MemoryCopies
  ) -> (isLocked: Bool, holder: RemoteAddress?)? {
    guard let lock = interpreters.first(where: { $0.address == interpreter })?.lock,
      let holder = copies.value(at: lock.rawValue &+ 8, as: UInt64.self),
      let locked = copies.value(at: lock.rawValue &+ 16, as: Int32.self)
    else { return nil }
    // -1 before the lock is made.
    return (locked > 0, holder == 0 ? nil : RemoteAddress(holder))
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
    copies.value(at: thread.interpreter.rawValue &+ UInt64(field), as: UInt64.self)
  }
}
