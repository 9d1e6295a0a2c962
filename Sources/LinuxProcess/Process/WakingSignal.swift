/// The signals that come to a process by themselves, of its own timers and descriptors, and that it handles.
///
/// Such a handler may do what every thread of the process waits for.
package enum WakingSignal {
  /// SIGALRM, of `alarm` and `setitimer`: whether that timer is set no file says.
  private static let alarm: Int32 = 14
  /// SIGIO, of descriptors with `O_ASYNC`.
  private static let descriptorReady: Int32 = 29

  /// One such signal of a process, whose `/proc/PID/status` says which signals it handles; nil for none.
  package static func handled(by pid: Int32, _ status: ProcessStatus) -> Int32? {
    let timers = (try? ProcFile.read("/proc/\(pid)/timers")).map(signals(ofTimers:)) ?? []
    return handled(of: status.handledSignals, timers: timers)
  }

  static func handled(of mask: UInt64, timers: [Int32]) -> Int32? {
    ([alarm, descriptorReady] + timers).first { signal in
      (1...64).contains(signal) && mask >> UInt64(signal - 1) & 1 == 1
    }
  }

  /// The signals of the timers in the text of `/proc/PID/timers`, without those of clocks that stand still
  /// while no thread runs.
  ///
  /// The file does not say which timers are set.
  static func signals(ofTimers text: String) -> [Int32] {
    var result: [Int32] = []
    var signal: Int32?
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2 else { continue }
      let value = parts[1].drop { $0 == " " }
      switch parts[0] {
      case "signal": signal = value.split(separator: "/").first.flatMap { Int32($0) }
      // Others tell nobody, or a thread that waits for it.
      case "notify": if !value.hasPrefix("signal/") { signal = nil }
      case "ClockID":
        if let signal, let clock = Int32(value), !isOfCPUTime(clock) { result.append(signal) }
        signal = nil
      default: break
      }
    }
    return result
  }

  /// 2 and 3 are the clocks of CPU time; below 0 are those of one thread or process, but for 3 in the last
  /// three bits, which is a device (kernel: include/linux/posix-timers_types.h).
  private static func isOfCPUTime(_ clock: Int32) -> Bool {
    clock < 0 ? clock & 7 != 3 : clock == 2 || clock == 3
  }
}
