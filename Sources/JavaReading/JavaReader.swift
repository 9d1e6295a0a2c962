package import LinuxProcess
internal import ProfileModel
package import RuntimeReading

/// Reads the Java stacks of one process that runs HotSpot.
///
/// Belongs to one thread of ours; the stacks that it gives may go to others.
package final class JavaReader {
  let runtime: HotSpotRuntime
  let code: JavaCode
  let piece: JavaThread.Piece
  /// The memory that code and names are read from, as it was given last.
  private(set) var memory: JavaMemory?
  private let list: JavaThreadList
  private var objects: JavaObjects?
  let classes: ClassInitialization
  let process: Int32
  let bootClasses: BootClasses?
  private var virtualThreadClasses: VirtualThreadClasses?
  private var threads: [Int32: JavaThread] = [:]
  private let numbers: NamespaceThreads
  /// What was read of the threads since they were last listed.
  private var names: [Int32: String]?
  package private(set) var isWhole = true
  /// The most innermost frames that samples need of a thread; nil for all.
  package var maxDepth: Int?

  init?(_ runtime: HotSpotRuntime, memory: some TargetMemory, process: Int32) {
    let target = JavaMemory(memory)
    guard let code = JavaCode(runtime.layout, memory: target) else { return nil }
    self.runtime = runtime
    self.code = code
    self.memory = target
    piece = JavaThread.Piece(runtime.layout.threads, runtime.layout.locks)
    list = JavaThreadList(runtime.layout.threads)
    classes = ClassInitialization(runtime.layout)
    self.process = process
    bootClasses = runtime.layout.virtualThreads.map {
      BootClasses(runtime.layout, $0, wanted: VirtualThreadClasses.names)
    }
    numbers = NamespaceThreads(process: process)
  }

  package var isEmpty: Bool { threads.isEmpty }

  package func refreshThreads(from memory: some TargetMemory) -> RuntimeThreadChanges {
    let target = JavaMemory(memory)
    self.memory = target
    var changes = RuntimeThreadChanges()
    guard let found = list.read(target) else {
      isWhole = false
      return changes
    }
    isWhole = true
    names = nil
    numbers.beginIfNested()
    var next: [Int32: JavaThread] = [:]
    for info in found.compactMap({ info in numbers.translated(info.tid).map(info.with) }) {
      if let known = threads[info.tid], known.info == info {
        next[info.tid] = known
      } else {
        next[info.tid] = JavaThread(info, of: self)
        changes.began += 1
        changes.gained.insert(info.tid)
      }
    }
    changes.ended = threads.keys.count { next[$0] == nil }
    threads = next
    return changes
  }

  package func thread(_ tid: Int32) -> (any RuntimeThread)? { threads[tid] }

  package func threadNames(from memory: some TargetMemory) -> [Int32: String] {
    let target = JavaMemory(memory)
    guard let objects = objects(target) else { return [:] }
    let read = threads.compactMapValues { thread in
      objects.threadName(of: thread.info.address, target).flatMap { $0.isEmpty ? nil : $0 }
    }
    names = read
    return read
  }

  /// The heap, once the classes are there that it is read by.
  func objects(_ memory: JavaMemory) -> JavaObjects? {
    if objects == nil { objects = JavaObjects(code, memory: memory) }
    return objects
  }

  /// The classes of virtual threads, once they are loaded; nil in programs without.
  func virtualThreads(_ objects: JavaObjects, _ memory: JavaMemory) -> VirtualThreadClasses? {
    if let virtualThreadClasses { return virtualThreadClasses }
    guard let bootClasses else { return nil }
    bootClasses.refresh(from: objects.threadClass, code.methods, memory)
    virtualThreadClasses = VirtualThreadClasses(bootClasses, objects, memory)
    return virtualThreadClasses
  }

  /// The thread of AWT's event queue, which the user waits for, else the one that is named `main`: the
  /// process's first thread only waits for it.
  ///
  /// Costs nothing right after `threadNames`.
  package func mainThread(from memory: some TargetMemory) -> Int32? {
    let names = names ?? threadNames(from: memory)
    let event = names.filter { $0.value.hasPrefix("AWT-EventQueue-") }.map(\.key).min()
    return event
      ?? names.filter { $0.value == "main" || $0.value == "DestroyJavaVM" }.map(\.key).min()
  }

  var infos: [JavaThreadInfo] { threads.values.map(\.info) }
}
