internal import LinuxProcess
internal import ProfileModel

/// One thread of the VM's: all that run Java, and some of its own.
struct JavaThreadInfo: Hashable, Sendable {
  /// The VM's structure of it.
  let address: RemoteAddress
  let osThread: RemoteAddress
  /// As the thread knows itself, or as we know it.
  let tid: Int32
  let stack: Range<RemoteAddress>

  /// The same thread by another number.
  func with(tid: Int32) -> JavaThreadInfo {
    JavaThreadInfo(address: address, osThread: osThread, tid: tid, stack: stack)
  }
}

/// Reads the VM's list of threads, which it replaces as a whole when one begins or ends.
struct JavaThreadList {
  private let layout: ThreadLayout

  /// A list that is longer is torn.
  private static let limit = 1 << 17

  init(_ layout: ThreadLayout) { self.layout = layout }

  /// The threads as they are now, with the numbers that they know themselves by; nil where the list is
  /// torn.
  ///
  /// Two reads, and two for each thousand.
  func read(_ memory: JavaMemory) -> [JavaThreadInfo]? {
    guard let list = memory.address(at: layout.list),
      let length = memory.int(at: list + layout.listLength), (0...Self.limit).contains(length)
    else { return nil }
    guard length > 0 else { return [] }
    guard let array = memory.address(at: list + layout.listThreads),
      let pointers = memory.bytes(at: array, count: length * 8)
    else { return nil }
    let threads = (0..<length).compactMap { pointers.address(at: $0 * 8) }
    let pieces = memory.bytes(
      of: threads.flatMap { thread in
        [
          MemoryRange(start: thread + layout.osThread, count: 8),
          MemoryRange(start: thread + layout.stackBase, count: 8),
          MemoryRange(start: thread + layout.stackSize, count: 8),
        ]
      })
    guard pieces.count == threads.count * 24 else { return nil }
    let words = RemoteBytes(start: .null, bytes: pieces)
    // A thread that has just been made has none yet.
    let known = threads.indices.filter { !(words.address(at: $0 * 24)?.isNull ?? true) }
    let numbers = memory.bytes(
      of: known.map { index in
        MemoryRange(
          start: (words.address(at: index * 24) ?? .null) + layout.threadID, count: 4)
      })
    guard numbers.count == known.count * 4 else { return nil }
    let ids = RemoteBytes(start: .null, bytes: numbers)
    return known.enumerated().compactMap { place, index in
      guard let osThread = words.address(at: index * 24),
        let base = words.address(at: index * 24 + 8),
        let size = words.value(at: index * 24 + 16, as: UInt64.self),
        let tid = ids.value(at: place * 4, as: Int32.self), tid > 0,
        size > 0, size <= base.rawValue
      else { return nil }
      return JavaThreadInfo(
        address: threads[index], osThread: osThread, tid: tid,
        stack: RemoteAddress(base.rawValue - size)..<base)
    }
  }
}
