internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// Finds the kernel's thread id of a thread state.
final class PythonThreadIdentity {
  private let threads: NamespaceThreads

  init(process: Int32) { threads = NamespaceThreads(process: process) }

  /// Lists the process's threads; call it once before a round of questions.
  func begin() { threads.begin() }

  func isAlive(_ tid: Int32) -> Bool { threads.isAlive(tid) }

  /// Our id for the one that the thread knows itself by.
  private func ours(_ namespaceID: Int32) -> Int32? { threads.ours(namespaceID) }

  /// The thread id; nil when nothing shows it.
  func threadID(of thread: PythonThread, from memory: some TargetMemory) -> Int32? {
    if let tid = thread.nativeID.flatMap({ ours($0) }) { return tid }
    guard thread.pthread != 0 else { return nil }
    return threadID(ofPthread: RemoteAddress(thread.pthread), from: memory)
  }

  /// What C libraries keep in the structure that a `pthread_t` points to.
  ///
  /// glibc: `tcbhead_t.self` at 0x10, `tid` at 0x2d0 (2.11 to 2.41 on x86_64); musl: `self` at 0,
  /// `tid` at 0x30 (1.1.24 and later).
  private static let structures: [(selfPointer: Int, tid: Int)] = [
    (0x10, 0x2d0), (0, 0x30), (0, 0x38),
  ]
  /// As much of it as is read.
  private static let structureSize = 0x2d8

  private func threadID(ofPthread pthread: RemoteAddress, from memory: some TargetMemory) -> Int32?
  {
    var copies = MemoryCopies()
    copies.copy([MemoryRange(start: pthread, count: Self.structureSize)], from: memory)
    for structure in Self.structures {
      guard copies.pointer(at: pthread + structure.selfPointer) == pthread,
        let id = copies.value(at: pthread + structure.tid, as: Int32.self), let tid = ours(id)
      else { continue }
      return tid
    }
    // Another C library: the one place that holds the id of one of the process's threads.
    let found = Set(
      stride(from: 0, to: Self.structureSize, by: 4).compactMap { offset in
        copies.value(at: pthread + offset, as: Int32.self).flatMap { ours($0) }
      })
    return found.count == 1 ? found.first : nil
  }
}
