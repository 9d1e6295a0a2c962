internal import LinuxProcess
internal import ProfileModel

/// The frames of a Python thread with what is on their own stacks; nothing is stopped, so all of it may
/// be torn.
struct PythonFrameStacks<Memory: TargetMemory> {
  /// What the blocks that a frame is in keep on its stack, the outermost first.
  typealias Kept = [RemoteAddress]

  private let runtime: PythonRuntime
  private let objects: PythonObjects<Memory>
  private let shape: PythonBlockShape
  private let deadline: MonotonicClock.Instant
  private var codes: [RemoteAddress: Code] = [:]

  private struct Code {
    let localCount: Int
    let handlers: PythonHandlerTable
  }

  /// The innermost frames of a thread that are looked at, and what is read of a frame's stack at most.
  private static var depthLimit: Int { 256 }
  private static var stackLimit: Int { 64 }

  /// Nil for a version whose frames are not known well enough.
  init?(
    _ runtime: PythonRuntime, _ objects: PythonObjects<Memory>,
    until deadline: MonotonicClock.Instant
  ) {
    guard let shape = PythonBlockShape(runtime.layout) else { return nil }
    self.runtime = runtime
    self.objects = objects
    self.shape = shape
    self.deadline = deadline
  }

  /// The frames of a thread, innermost first.
  func frames(of thread: PythonThread) -> [PythonRawFrame] {
    var walk = PythonFrameWalk(thread, runtime: runtime)
    walk.reset(limit: Self.depthLimit)
    var copies = MemoryCopies()
    var next = walk.advance(in: copies, until: deadline)
    while let want = next, MonotonicClock.now() < deadline {
      guard copies.copy([want.range], from: objects.memory).isEmpty else { break }
      next = walk.advance(in: copies, until: deadline)
    }
    return walk.frames
  }

  /// What the blocks of these frames keep, frame by frame.
  mutating func kept(by frames: [PythonRawFrame]) -> [Kept] {
    switch shape {
    case .blocks(let stack, let count, let list):
      return keptByBlocks(frames, stack: stack, count: count, list: list)
    case .handlers(let locals, let localCount, let table):
      readCodes(of: frames, localCount: localCount, table: table)
      return references(
        frames.map { frame in
          guard let code = codes[frame.code],
            let depth = code.handlers.depth(at: runtime.frameShape.unit(of: frame))
          else { return MemoryRange(start: frame.address, count: 0) }
          return Self.stack(from: frame.address + locals, past: code.localCount, depth: depth)
        })
    }
  }

  /// All that may be on the stack of a frame, also what is left from earlier.
  mutating func all(of frame: PythonRawFrame) -> [RemoteAddress] {
    var start: RemoteAddress?
    switch shape {
    case .blocks(let stack, _, _): start = objects.reference(frame.address + stack)
    case .handlers(let locals, let localCount, let table):
      readCodes(of: [frame], localCount: localCount, table: table)
      start = codes[frame.code].map { code in
        frame.address + locals + code.localCount * PythonObjectShape.wordSize
      }
    }
    guard let start else { return [] }
    // A stack may be shorter than that, and end where nothing is mapped.
    let words = (0..<Self.stackLimit / 2).map { start + $0 * PythonObjectShape.wordSize }
    return objects.words(words).compactMap { $0.map(untagged) }
  }

  // MARK: - Reading

  private func untagged(_ word: UInt64) -> RemoteAddress {
    // Stack references carry tags in their lower bits (`_PyStackRef`, 3.14).
    RemoteAddress(runtime.version.minor >= 14 ? word & ~3 : word)
  }

  private static func stack(
    from locals: RemoteAddress, past count: Int, depth: Int
  ) -> MemoryRange {
    let wordSize = PythonObjectShape.wordSize
    return MemoryRange(start: locals + count * wordSize, count: min(depth, stackLimit) * wordSize)
  }

  private func references(_ stacks: [MemoryRange]) -> [Kept] {
    let copies = objects.copies(stacks.filter { $0.count > 0 })
    return stacks.map { stack in
      (0..<stack.count / PythonObjectShape.wordSize).map { index in
        copies.word(at: stack.start + index * PythonObjectShape.wordSize).map(untagged) ?? .null
      }
    }
  }

  private func keptByBlocks(
    _ frames: [PythonRawFrame], stack: Int, count: Int, list: Int
  ) -> [Kept] {
    let size = PythonBlockShape.mostBlocks * PythonBlockShape.blockSize
    let copies = objects.copies(
      frames.flatMap { frame in
        [
          MemoryRange(start: frame.address + stack, count: PythonObjectShape.wordSize),
          MemoryRange(start: frame.address + count, count: 4),
          MemoryRange(start: frame.address + list, count: size),
        ]
      })
    return references(
      frames.map { frame in
        let none = MemoryRange(start: frame.address, count: 0)
        guard let start = copies.pointer(at: frame.address + stack), !start.isNull,
          let number = copies.value(at: frame.address + count, as: Int32.self),
          (1...Int32(PythonBlockShape.mostBlocks)).contains(number)
        else { return none }
        let last = frame.address + list + Int(number - 1) * PythonBlockShape.blockSize
        let level = copies.value(at: last + PythonBlockShape.blockLevel, as: Int32.self)
        guard let level, level > 0 else { return none }
        return Self.stack(from: start, past: 0, depth: Int(level))
      })
  }

  private mutating func readCodes(of frames: [PythonRawFrame], localCount: Int, table: Int) {
    let new = Array(Set(frames.map(\.code)).filter { codes[$0] == nil && !$0.isNull })
    let tables = objects.pointers(new.map { $0 + table })
    var copies = objects.copies(
      zip(new, tables).flatMap { code, table in
        [MemoryRange(start: code + localCount, count: 4)]
          + (table.map { [MemoryRange(start: $0 + objects.shape.count, count: 8)] } ?? [])
      })
    let sizes = tables.map { table in
      table.flatMap { copies.word(at: $0 + objects.shape.count) } ?? 0
    }
    let isRead = sizes.map { $0 > 0 && $0 <= UInt64(PythonHandlerTable.limit) }
    copies.copy(
      tables.indices.compactMap { index in
        guard isRead[index], let table = tables[index] else { return nil }
        return MemoryRange(start: table + objects.shape.bytesContent, count: Int(sizes[index]))
      }, from: objects.memory)
    for (index, code) in new.enumerated() {
      let count = copies.value(at: code + localCount, as: Int32.self) ?? -1
      guard (0...Self.mostLocals).contains(count) else { continue }
      let bytes =
        isRead[index]
        ? tables[index].flatMap {
          copies.bytes(at: $0 + objects.shape.bytesContent, count: Int(sizes[index]))
        } : nil
      codes[code] = Code(
        localCount: Int(count), handlers: PythonHandlerTable(bytes: bytes ?? []))
    }
  }

  private static var mostLocals: Int32 { 1 << 16 }
}
