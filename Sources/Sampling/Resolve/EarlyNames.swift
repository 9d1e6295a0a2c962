internal import LinuxProcess
internal import ProfileModel
internal import Synchronization

/// Looks up the names of a dump's frames on a thread of its own while what threads wait for is
/// inspected, most of which is sleeping.
///
/// The names are nobody else's from `start` until `finish`.
final class EarlyNames: @unchecked Sendable {
  // Sendable: the names are used by the thread alone while there is one, the handle by its starter.
  private var handle: OSThread.Handle?
  private let names: FrameNames
  private let files: [ModuleID: MappedFile]
  private let frames: [Frame]
  private let thread = Atomic<Int32>(0)
  private let hasTime = Atomic<Bool>(false)

  init(_ names: FrameNames, of frames: [Frame], files: [ModuleID: MappedFile]) {
    self.names = names
    self.frames = frames
    self.files = files
  }

  /// Begins at raised priority, like the tracer: beside a program that keeps all CPUs busy it would
  /// else get its ten milliseconds in slices, one of three.
  func start() {
    handle = try? OSThread.startTracer { [self] in
      thread.store(OSThread.current, ordering: .sequentiallyConsistent)
      if hasTime.load(ordering: .sequentiallyConsistent) { lowerPriority() }
      names.add(files)
      _ = names.resolve(frames)
    }
  }

  /// Goes on at normal priority: debug data may take a second.
  func takeTime() {
    hasTime.store(true, ordering: .sequentiallyConsistent)
    lowerPriority()
  }

  func finish() { handle.take()?.join() }

  private func lowerPriority() {
    let thread = thread.load(ordering: .sequentiallyConsistent)
    if thread != 0 { OSThread.lowerPriority(of: thread) }
  }
}
