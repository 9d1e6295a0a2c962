internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// What the tracer keeps of one thread between ticks.
final class SampledThread {
  let files: ThreadFiles
  let slot: Int
  var tid: Int32 { files.tid }

  /// The counters at the last sample.
  var counters: ThreadCounters
  /// Whether the last sample found it asleep: then unchanged counters mean an unchanged stack.
  var wasAsleep = false
  /// Whether any look at it was handed over.
  var wasSeen = false
  /// Its name, until that is handed over.
  var name: String?
  /// When the last tick that counted it was (nanoseconds from the start, and number).
  var lastTime: Int64
  var lastTick: Int64
  /// What the stack of the last sample has lasted on since.
  var repeated = Weight()
  /// Ticks and wall time of samples that could not be handed over.
  var carried = Weight()
  /// The mapping that its stack pointer was last found in.
  var stackRange: Range<UInt64> = 0..<0
  /// How many bytes of its stack the last stop had to copy.
  var copySize = 0
  /// Whether `stackRange` has changed since a sample of it was handed over.
  var hasMovedStack = false
  /// What it did when it was asked to stop.
  var callBeforeStop = SystemCallState.running
  var stateBeforeStop: UInt8 = 0
  var countersBeforeStop: ThreadCounters?
  /// The sample of its interpreted frames, from before its stop until they are copied.
  var preparedFrames: PreparedRuntimeSample?
  /// How often it had been put on a CPU when its stop found its interpreted frames being linked; nil when it
  /// did not.
  var transit: UInt64?
  /// Whether they were so in each of the stops of a tick, and not whole since.
  var isAlwaysInTransit = false
  /// What it did behind its last sample, and when it ended (nanoseconds from the start); known of one
  /// whose figures outlive it.
  var end: (weight: Weight, time: Int64)?
  /// Its `/proc` entry stays, but it has ended: a main thread that other threads outlive.
  var isZombie = false
  var hasEnded = false
  /// Another tracer holds it, or the kernel keeps it from us.
  var isRefused = false
  /// The descriptor that it was last seen to read from or write to, and whether it is a socket.
  var descriptor: UInt64 = .max
  var descriptorIsSocket = false

  init(
    files: consuming ThreadFiles, slot: Int, time: Int64, tick: Int64, baseline: ThreadCounters
  ) {
    self.files = files
    self.slot = slot
    counters = baseline
    lastTime = time
    lastTick = tick
  }
}

extension SampledThread {
  /// The time and ticks that went by since the last tick that counted this thread.
  func takeInterval(until time: Int64, tick: Int64) -> Weight {
    let interval = Weight(ticks: tick - lastTick, wall: time - lastTime)
    lastTime = time
    lastTick = tick
    return interval
  }

  /// Counts what a thread did until its end, `counters` being its last ones.
  func end(interval: Weight, counters final: ThreadCounters) {
    var weight = interval + carried
    weight.cpu = final.cpu > counters.cpu ? Int64(clamping: final.cpu - counters.cpu) : 0
    weight.delay = final.delay > counters.delay ? Int64(clamping: final.delay - counters.delay) : 0
    // Of one that ran at its last sample nothing tells that it slept: it has ended before the tick.
    let lived = wasAsleep ? weight.wall : min(weight.wall, weight.cpu &+ weight.delay)
    end = (weight, lastTime - (weight.wall - lived))
    end?.weight.wall = lived
    carried = Weight()
    counters = final
  }

  /// Counts a tick in which the thread had not run.
  func extend(by interval: Weight) {
    repeated += interval
    repeated.samples += 1
  }

  /// Writes what a sample of the thread stands for, and starts the next interval.
  func fill(
    _ record: UnsafeMutablePointer<SampleRecord>, interval: Weight, counters new: ThreadCounters,
    mapsSerial: Int
  ) {
    // A stack that no reading has belongs to the next one.
    record.pointee.mapsSerial = stackRange.isEmpty ? mapsSerial + 1 : mapsSerial
    var weight = interval
    weight += carried
    weight.samples = 1
    weight.cpu = Int64(clamping: new.cpu &- counters.cpu)
    weight.delay = Int64(clamping: new.delay &- counters.delay)
    // A counter that went backwards (a kernel's rounding) counts as unchanged.
    if new.cpu < counters.cpu { weight.cpu = 0 }
    if new.delay < counters.delay { weight.delay = 0 }
    record.pointee.slot = slot
    record.pointee.tid = tid
    record.pointee.weight = weight
    record.pointee.repeated = repeated
    record.pointee.counters = new
    record.pointee.hasMovedStack = hasMovedStack
    hasMovedStack = false
    record.pointee.isWaitingForCPU = weight.delay > weight.cpu
    repeated = Weight()
    carried = Weight()
    counters = new
    wasSeen = true
  }
}
