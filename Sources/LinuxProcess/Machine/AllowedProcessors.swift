/// The CPUs that a process may run on.
package enum AllowedProcessors {
  /// How many of the machine's CPUs that are online; nil where that is not known.
  ///
  /// Without the limits of control groups on time, which leave the number as it is.
  package static func count(of pid: Int32) -> Int? {
    guard let status = try? ProcFile.read("/proc/\(pid)/status"),
      let online = try? ProcFile.read("/sys/devices/system/cpu/online")
    else { return nil }
    return count(status: status, online: online)
  }

  /// By `/proc/PID/status`, which also has CPUs that are not there, and by the list of those that are.
  static func count(status: String, online: String) -> Int? {
    let line = status.split(separator: "\n").first { $0.hasPrefix(key) }
    guard let line else { return nil }
    let allowed = IsolatedProcessors.numbers(parsing: String(line.dropFirst(key.count)))
    let both = allowed.intersection(IsolatedProcessors.numbers(parsing: online))
    return both.isEmpty ? nil : both.count
  }

  private static let key = "Cpus_allowed_list:"
}
