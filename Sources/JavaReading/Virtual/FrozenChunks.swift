internal import LinuxProcess
internal import ProfileModel

/// The pieces of stacks of virtual threads that no thread runs, many of which are read together.
struct FrozenChunks {
  let classes: VirtualThreadClasses
  let objects: JavaObjects
  let memory: JavaMemory

  struct Chunk {
    let address: RemoteAddress
    let pointer: Int
    let bottom: Int
    let parent: RemoteAddress?
    /// Objects whose monitors the thread has entered; of the innermost piece (since JDK 24).
    let locked: [RemoteAddress]
  }

  /// `_lock_stack` of a thread has no more (LockStack::CAPACITY).
  private static let lockLimit = 8
  /// stackChunkOopDesc::FLAG_HAS_BITMAP: pointers to objects are as short as in fields.
  private static let hasBitmap: UInt8 = 1 << 4

  /// The innermost piece of the stack of each; nil for one without.
  func tails(of records: [VirtualThreadRecord]) -> [RemoteAddress?] {
    var pieces = MemoryPieces()
    memory.read(
      records.map { record in
        let place = record.continuation.map { $0 + classes.tail }
        return MemoryRange(
          start: place ?? .null, count: place == nil ? 0 : objects.referenceSize)
      }, into: &pieces)
    return zip(records, pieces.places).map { record, place in
      guard record.continuation != nil else { return nil }
      return place.flatMap { objects.reference(in: pieces, at: $0) }
    }
  }

  /// What the objects are that lie there; nil for one that is none.
  func chunks(at addresses: [RemoteAddress]) -> [Chunk?] {
    let layout = classes.chunk
    var pieces = MemoryPieces()
    let size = layout.header + Self.lockLimit * 8
    memory.read(addresses.map { MemoryRange(start: $0, count: size) }, into: &pieces)
    return zip(addresses, pieces.places).map { address, place in
      guard let place, objects.classOf(pieces, at: place) == layout.holder,
        let size = pieces.value(at: place + layout.size, as: Int32.self),
        let pointer = pieces.value(at: place + layout.stackPointer, as: Int32.self),
        let bottom = pieces.value(at: place + layout.bottom, as: Int32.self),
        // The return address and the frame pointer are below.
        pointer >= 2 || pointer == bottom, pointer >= 0, pointer <= bottom, bottom <= size
      else { return nil }
      return Chunk(
        address: address, pointer: Int(pointer), bottom: Int(bottom),
        parent: objects.reference(in: pieces, at: place + layout.parent),
        locked: locked(pieces, at: place))
    }
  }

  private func locked(_ pieces: MemoryPieces, at place: Int) -> [RemoteAddress] {
    guard let field = classes.chunk.lockCount, let flags = classes.chunk.flags,
      let count = pieces.value(at: place + field, as: UInt8.self), count > 0,
      let flags = pieces.value(at: place + flags, as: UInt8.self)
    else { return [] }
    let isNarrow = flags & Self.hasBitmap != 0
    return (0..<min(Int(count), Self.lockLimit)).compactMap { number in
      let word = place + classes.chunk.header + number * 8
      return isNarrow
        ? objects.reference(in: pieces, at: word)
        : pieces.value(at: word, as: UInt64.self).flatMap(JavaObjects.object)
    }
  }

  /// By object: which of the threads has entered its monitor.
  func locked(by records: [VirtualThreadRecord]) -> [RemoteAddress: Int32] {
    guard classes.chunk.lockCount != nil else { return [:] }
    var result: [RemoteAddress: Int32] = [:]
    let tails = zip(records, tails(of: records)).compactMap { record, tail in
      tail.flatMap { tail in JavaLocks.virtualNumber(record.number).map { (tail, $0) } }
    }
    for ((_, number), chunk) in zip(tails, chunks(at: tails.map(\.0))) {
      for object in chunk?.locked ?? [] { result[object] = number }
    }
    return result
  }
}
