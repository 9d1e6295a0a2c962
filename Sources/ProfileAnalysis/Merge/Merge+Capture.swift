internal import ProfileModel

extension Merge {
  mutating func add(_ other: CaptureInfo) {
    count += 1
    hosts.insert(other.hostName)
    processes.insert("\(other.hostName) \(other.pid)")
    kernels.insert(other.kernel)
    for note in other.notes { notes[note, default: 0] += 1 }
    median += Double(other.cost.pauseMedian) * Double(max(other.cost.stops, 0))
    guard var merged = capture else {
      capture = other
      return
    }
    if merged.processName != other.processName { merged.processName = "several programs" }
    if merged.executable != other.executable { merged.executable = nil }
    if merged.commandLine != other.commandLine { merged.commandLine = [] }
    if merged.rate != other.rate { merged.rate = 0 }
    merged.maxDepth = [merged.maxDepth, other.maxDepth].compactMap { $0 }.min()
    if merged.processors != other.processors { merged.processors = nil }
    if merged.kind != other.kind { merged.kind = .attach }
    merged.startTime = min(merged.startTime, other.startTime)
    merged.duration = merged.duration.addingClamped(other.duration)
    merged.cost.add(other.cost)
    merged.unsampled.add(other.unsampled)
    capture = merged
  }

  var mergedCapture: CaptureInfo {
    guard var merged = capture else {
      return CaptureInfo(
        kind: .attach, pid: 0, processName: "", notes: ["merged from no captures."])
    }
    guard count > 1 else { return merged }
    if processes.count > 1 { merged.pid = 0 }
    merged.knowsUnseenSleeps = false
    if hosts.count > 1 { merged.hostName = "\(hosts.count) hosts" }
    if kernels.count > 1 { merged.kernel = "" }
    if merged.cost.stops > 0 {
      let mean = median / Double(merged.cost.stops)
      merged.cost.pauseMedian = mean.isFinite ? Int64(min(max(mean, 0), 1e18)) : 0
    }
    let mostFrequent = notes.sorted { ($0.value, $1.key.words) > ($1.value, $0.key.words) }.prefix(
      20)
    merged.notes =
      [
        """
        merged from \(counted(count, "capture")) of \(counted(processes.count, "process")) on \
        \(counted(hosts.count, "host")): \
        times are sums, and the order in time is lost.
        """
      ]
      + mostFrequent.map { note, count in
        count > 1 ? .repeated(note, count: count, in: .captures) : note
      }
    return merged
  }
}

extension CaptureInfo.Unsampled {
  fileprivate mutating func add(_ other: Self) {
    threads = Int(clamping: Int64(threads).addingClamped(Int64(other.threads)))
    processes = Int(clamping: Int64(processes).addingClamped(Int64(other.processes)))
    cpu = cpu.addingClamped(other.cpu)
  }
}

extension CaptureCost {
  /// Adds up counts and times, and takes the longest pauses; the caller sets the median.
  fileprivate mutating func add(_ other: CaptureCost) {
    ticksPlanned = ticksPlanned.addingClamped(other.ticksPlanned)
    ticksTaken = ticksTaken.addingClamped(other.ticksTaken)
    ticksLate = ticksLate.addingClamped(other.ticksLate)
    samplesWithoutStop = samplesWithoutStop.addingClamped(other.samplesWithoutStop)
    stops = stops.addingClamped(other.stops)
    pause99 = max(pause99, other.pause99)
    pauseMax = max(pauseMax, other.pauseMax)
    stoppedTime = stoppedTime.addingClamped(other.stoppedTime)
    ownCPU = ownCPU.addingClamped(other.ownCPU)
    samplesDropped = samplesDropped.addingClamped(other.samplesDropped)
  }
}

/// The number with its noun, in the plural when there is not just one.
private func counted(_ number: Int, _ noun: String) -> String {
  number == 1 ? "1 \(noun)" : "\(number) \(noun)\(noun.hasSuffix("s") ? "es" : "s")"
}
