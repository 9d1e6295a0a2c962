internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// Finds the class that a thread waits for because another thread initialises it.
///
/// A thread's structure notes that class (`JavaThread::_class_to_be_initialized`, since JDK 17), and the tables
/// do not say where: it is found as the one pointer to a class which another thread initialises.
final class ClassInitialization {
  private let layout: HotSpotLayout
  /// Where the class is in a thread's structure, once one was found.
  private var field: Int?
  /// Threads that were looked through in vain while the field was not known.
  private var vain: Set<RemoteAddress> = []
  private var searches = 0

  /// Threads that are looked through in one look: some hundred reads each.
  private static let searchLimit = 8
  private static let vainLimit = 1 << 12

  init(_ layout: HotSpotLayout) { self.layout = layout }

  /// Whether a thread that waits for the initialisation of a class is in no monitor that the VM notes.
  ///
  /// Since JDK 21 it waits for one of the VM's own (`InstanceKlass::_init_monitor`), before and from JDK 25 on for
  /// an array of numbers that belongs to the class.
  var isWithoutMonitor: Bool { (21...24).contains(layout.version) }

  /// Begins a look.
  func begin() { searches = 0 }

  /// The class, and the thread that initialises it.
  func awaited(
    by thread: JavaThreadInfo, _ threads: [RemoteAddress: JavaThreadInfo], _ memory: JavaMemory
  ) -> (holder: RemoteAddress, owner: JavaThreadInfo)? {
    if let field {
      guard let holder = memory.address(at: thread.address + field) else { return nil }
      return initializer(of: holder, threads, memory).flatMap { owner in
        owner == thread ? nil : (holder, owner)
      }
    }
    guard searches < Self.searchLimit, !vain.contains(thread.address) else { return nil }
    searches += 1
    guard let size = layout.locks.threadSize,
      let piece = memory.beginning(at: thread.address, count: size)
    else { return nil }
    // It is one of the last fields.
    for offset in stride(from: piece.bytes.count & ~7 - 8, to: layout.threads.anchor, by: -8) {
      guard let holder = piece.address(at: offset), holder.rawValue & 7 == 0,
        holder.rawValue > 0xffff, holder.rawValue >> 47 == 0, threads[holder] == nil,
        let owner = initializer(of: holder, threads, memory), owner != thread
      else { continue }
      field = offset
      return (holder, owner)
    }
    if vain.count >= Self.vainLimit { vain.removeAll() }
    vain.insert(thread.address)
    return nil
  }

  /// After a look that had nothing left to look through: a thread may have begun to wait since.
  func end() { if searches == 0 { vain.removeAll() } }

  private func initializer(
    of holder: RemoteAddress, _ threads: [RemoteAddress: JavaThreadInfo], _ memory: JavaMemory
  ) -> JavaThreadInfo? {
    guard let thread = layout.locks.initializingThread, let state = layout.locks.classState,
      let owner = memory.address(at: holder + thread).flatMap({ threads[$0] }),
      let value = memory.value(at: holder + state, as: UInt8.self),
      Int64(value) == layout.locks.beingInitialized
    else { return nil }
    return owner
  }
}
