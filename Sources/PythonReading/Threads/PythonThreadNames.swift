package import LinuxProcess
package import ProfileModel

extension PythonReader {
  /// The names that `threading` knows its threads by, by thread state.
  ///
  /// Read from live memory, in some fifteen reads and four a thread: for when threads began. What
  /// is missing here has the kernel's name (`/proc/PID/task/TID/comm`) as the next best.
  package func stateNames(from memory: some TargetMemory) -> [RemoteAddress: String] {
    var result: [RemoteAddress: String] = [:]
    let objects = PythonObjects(runtime: runtime, memory: memory)
    var hasAsyncio = false
    for interpreter in interpreters {
      let content = objects.contents(of: ["threading", PythonTaskLayout.module], in: interpreter)
      hasAsyncio = hasAsyncio || content[PythonTaskLayout.module] != nil
      let names = content["threading"].map { activeThreads(in: $0, objects) } ?? [:]
      for thread in threads where thread.interpreter == interpreter.address {
        result[thread.state] = names[thread.pthread]
      }
    }
    noteAsyncio(isLoaded: hasAsyncio)
    return result
  }

  package func threadNames(from memory: some TargetMemory) -> [Int32: String] {
    let names = stateNames(from: memory)
    var result: [Int32: String] = [:]
    for thread in threads {
      // A thread state that another thread has made leads to the name of that one.
      guard let tid = thread.tid, owners[thread].named == tid, let name = names[thread.state],
        !name.isEmpty, tid != process || !Self.isMadeUp(name),
        thread.interpreterID == 0 || result[tid] == nil
      else { continue }
      result[tid] = name
    }
    return result
  }

  /// Whether Python itself has so named the main thread, of which the kernel's name says more: it is the
  /// program's.
  private static func isMadeUp(_ name: String) -> Bool {
    name == "MainThread" || name.hasPrefix("Dummy-")
  }

  /// `sys.modules["threading"]._active`: names by `pthread_self()`.
  private func activeThreads<Memory: TargetMemory>(
    in content: RemoteAddress, _ objects: PythonObjects<Memory>
  ) -> [UInt64: String] {
    guard let active = objects.values(of: ["_active"], inDictionary: content)["_active"]
    else { return [:] }
    var result: [UInt64: String] = [:]
    for entry in objects.entries(ofDictionary: active) {
      guard let pthread = objects.integer(entry.key),
        let name = objects.attributes(["_name"], of: entry.value)["_name"]
      else { continue }
      result[pthread] = objects.string(name)
    }
    return result
  }
}
