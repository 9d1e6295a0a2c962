package import LinuxProcess
internal import ProfileModel
package import RuntimeReading

extension JavaReader {
  /// Between two looks at what they wait for.
  private static let pause = Nanoseconds.milliseconds(10)
  /// Of more waits only those are kept whose threads hold what others wait for.
  private static let waitLimit = 1 << 12

  /// All virtual threads; nil where there is none, and where they cannot be read.
  ///
  /// Looks twice: what was so both times holds.
  package func virtualThreads(from memory: some TargetMemory) -> VirtualThreads? {
    let target = JavaMemory(memory)
    // Nothing that is kept from one look to the next: code may have been replaced since.
    guard let objects = objects(target), let classes = virtualThreads(objects, target),
      let bootClasses, let code = JavaCode(runtime.layout, memory: target)
    else { return nil }
    let scopes = scopes(objects, classes, target)
    let start = MonotonicClock.now()
    var list = VirtualThreadList(classes, bootClasses, objects, target)
    var first = VirtualThreadReading(code, locks(objects, target), classes)
    guard list.forEach(scopes: scopes, { first.note($0) }) else { return nil }
    if first.waits.contains(where: { $0.value.owner != nil }) {
      MonotonicClock.sleep(until: start + Self.pause)
    }
    list = VirtualThreadList(classes, bootClasses, objects, target)
    var reading = VirtualThreadReading(
      code, locks(objects, target), classes, owners: Set(first.waits.values.compactMap(\.owner)))
    guard list.forEach(scopes: scopes, { reading.add($0) }), !reading.groups.isEmpty else {
      return nil
    }
    let waits = Self.lasting(first.waits, reading.waits)
    var result = VirtualThreads(reading.list(waits, pid: process))
    result.list.version = "JDK \(runtime.layout.version)"
    result.list.isCut = list.isCut
    result.list.isUntracked = list.isUntracked
    result.waits = Self.limited(waits)
    result.timed = reading.timed.intersection(result.waits.keys)
    for group in result.list.groups where !group.names.isEmpty {
      for (id, name) in zip(group.ids, group.names) {
        guard let number = JavaLocks.virtualNumber(id), result.waits[number] != nil else {
          continue
        }
        result.names[number] = name
      }
    }
    return result
  }

  /// The waits that were the same both times; without an owner that asks for the same lock.
  private static func lasting(
    _ before: [Int32: RuntimeWait], _ after: [Int32: RuntimeWait]
  ) -> [Int32: RuntimeWait] {
    after.filter { number, wait in
      guard let earlier = before[number], earlier.isSame(as: wait) else { return false }
      return wait.owner.map { after[$0]?.object != wait.object } ?? true
    }
  }

  private static func limited(_ waits: [Int32: RuntimeWait]) -> [Int32: RuntimeWait] {
    guard waits.count > waitLimit else { return waits }
    let owners = Set(waits.values.compactMap(\.owner))
    let kept = waits.filter { owners.contains($0.key) }
    let others = waits.filter { $0.value.owner != nil && !owners.contains($0.key) }
    let room = max(0, waitLimit - kept.count)
    return kept.merging(others.prefix(room).map { ($0.key, $0.value) }) { known, _ in known }
  }

  /// By object: the virtual thread that has entered its monitor, and that no thread runs.
  func virtuallyLocked(
    _ classes: VirtualThreadClasses, _ objects: JavaObjects, _ memory: JavaMemory
  ) -> [RemoteAddress: Int32] {
    guard let bootClasses else { return [:] }
    var list = VirtualThreadList(classes, bootClasses, objects, memory)
    let chunks = FrozenChunks(classes: classes, objects: objects, memory: memory)
    var result: [RemoteAddress: Int32] = [:]
    _ = list.forEach(scopes: scopes(objects, classes, memory)) { records in
      result.merge(chunks.locked(by: records)) { known, _ in known }
    }
    return result
  }

  /// The scopes that threads of the VM are in.
  private func scopes(
    _ objects: JavaObjects, _ classes: VirtualThreadClasses, _ memory: JavaMemory
  ) -> [RemoteAddress] {
    guard let field = classes.scopes else { return [] }
    return infos.compactMap { thread in
      objects.threadObject(of: thread.address, memory).flatMap {
        objects.reference(at: $0 + field, memory)
      }
    }
  }
}
