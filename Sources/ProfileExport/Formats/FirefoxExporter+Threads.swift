internal import ProfileAnalysis
internal import ProfileModel

extension FirefoxDocument {
  func write(_ thread: Int, _ info: ThreadInfo, to json: inout JSONWriter) {
    let capture = profile.capture
    json.member("name", info.name)
    json.member("pid", String(info.process?.pid ?? capture.pid))
    json.member("tid", info.tid)
    json.member("processName", info.process?.name ?? capture.processName)
    json.member("processType", "default")
    json.member("isMainThread", info.isMain)
    json.member("processStartupTime", 0)
    json.null("processShutdownTime")
    json.key("registerTime")
    json.value(milliseconds: info.firstSeen)
    json.key("unregisterTime")
    if info.hasEnded { json.value(milliseconds: info.lastSeen) } else { json.null() }
    json.array("pausedRanges") { _ in }
    writeSamples(of: thread, to: &json)
    writeMarkers(of: thread, to: &json)
  }

  private func writeSamples(of thread: Int, to json: inout JSONWriter) {
    let samples = index.runs(of: thread).flatMap { run in
      FirefoxSample.samples(of: run, unit, stack: stacks.row(of: run))
    }
    json.object("samples") { json in
      json.array("stack", of: samples) { $0.value($1.stack) }
      json.array("time", of: samples) { $0.value(milliseconds: $1.time) }
      json.array("weight", of: samples) { $0.value($1.weight) }
      json.member("weightType", "samples")
      json.array("threadCPUDelta", of: samples) { $0.value(max(0, $1.cpu)) }
      json.member("length", samples.count)
    }
  }
}

extension JSONWriter {
  /// Nanoseconds as milliseconds, to the last digit; not below 0.
  mutating func value(milliseconds nanoseconds: Int64) {
    let nanoseconds = max(0, nanoseconds)
    value(millionths: nanoseconds)
  }
}

/// A sample of the format.
private struct FirefoxSample {
  let stack: Int?
  /// Nanoseconds.
  let time: Int64
  let weight: Int64
  /// CPU time since the sample before, in nanoseconds.
  let cpu: Int64

  /// The samples of a run: the reader draws each as far as half way to its neighbours, so a long
  /// run has one at either end.
  static func samples(of run: Run, _ unit: WeightUnit, stack: Int?) -> [FirefoxSample] {
    let (weight, wall) = (run.weight[unit], max(0, run.weight.wall))
    let half = weight > 0 ? wall / weight / 2 : wall / 2
    let first = run.start &+ half
    guard weight > 1 else {
      return [FirefoxSample(stack: stack, time: first, weight: weight, cpu: run.weight.cpu)]
    }
    let cpu = run.weight.cpu / weight
    return [
      FirefoxSample(stack: stack, time: first, weight: 1, cpu: cpu),
      FirefoxSample(
        stack: stack, time: run.start &+ (wall - half), weight: weight - 1,
        cpu: run.weight.cpu &- cpu),
    ]
  }
}
