package import ProfileModel

extension WaitKind {
  /// The kind of a thread's wait, by the system call that it sleeps in and, where that says too
  /// little, by the functions of its stack, innermost first.
  ///
  /// Costs a few look-ups; only the innermost functions are read.
  package static func of(systemCall: String?, functions: some Sequence<String>) -> WaitKind {
    guard let systemCall else { return .unknown }
    let names = functions.prefix(12).map { FunctionName.plain($0) }
    let kind =
      systemCall == WaitNames.restartedCall ? ofRestart(names) : WaitNames.systemCalls[systemCall]
    if kind == .futex { return ofFutex(names) }
    if kind == .select, isPythonSleep(names) { return .sleep }
    return kind ?? .otherCall
  }

  /// The kernel goes on with a call that a signal or a stop interrupted; the C library's function says
  /// which.
  private static func ofRestart(_ names: [String]) -> WaitKind? {
    names.lazy.compactMap { WaitNames.systemCalls[$0] }.first
      ?? (names.contains { WaitNames.locks[$0] != nil } ? .futex : nil)
  }

  /// Whether a `select` is how `time.sleep` does it, up to Python 3.10: below the C library's
  /// function.
  private static func isPythonSleep(_ names: [String]) -> Bool {
    let caller = names.first { !SourceLine.isAddress($0) && WaitNames.systemCalls[$0] == nil }
    return caller == "pysleep" || caller == "time_sleep"
  }

  private static func ofFutex(_ names: [String]) -> WaitKind {
    for (position, name) in names.enumerated() {
      guard let kind = WaitNames.lock(name) else { continue }
      // What a runtime waits for with these, its own functions around them say.
      let around = names[(position + 1)...].prefix(3)
      if around.contains(where: WaitNames.gil.contains) { return .gil }
      if kind.isOfLibrary, let park = around.firstIndex(where: { WaitNames.lock($0) == .parking }) {
        return ofPark(names[(park + 1)...])
      }
      return kind
    }
    return .futex
  }

  /// What Java's VM parks a thread for, by the functions that called for it: monitors are made of that, too.
  private static func ofPark(_ callers: ArraySlice<String>) -> WaitKind {
    callers.prefix(2).lazy.compactMap { name in
      name.hasPrefix("ObjectMonitor::") ? WaitNames.locks[name] : nil
    }.first ?? .parking
  }

  /// Whether libraries build their own waits from it.
  private var isOfLibrary: Bool {
    switch self {
    case .conditionVariable, .semaphore: true
    default: false
    }
  }
}
