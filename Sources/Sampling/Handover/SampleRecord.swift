internal import LinuxProcess
internal import ProfileModel

/// One sample of one thread, as the tracer hands it to the resolver.
struct SampleRecord {
  enum Kind: UInt8 {
    /// A stack, or the lack of one.
    case sample
    /// The thread has ended, or the capture has: `repeated` counts, and as `weight` what it did since.
    case end
  }

  var kind = Kind.sample
  /// The slot that the tracer keeps the thread in; another thread may get it after `end`.
  var slot = 0
  var tid: Int32 = 0
  /// Since the start of the capture.
  var time: Nanoseconds = 0
  /// The end of the last period that it stands for.
  var end: Nanoseconds = 0
  var isRunning = false
  /// Whether it ran when the tick met it, and had fallen asleep by its stop.
  var hasFallenAsleep = false
  /// The sleep that the tick met it in, where it had woken up by its stop.
  var wokenFrom: MetSleep?
  /// Whether a stop would give a sleeping thread's registers without the program noticing.
  var toleratesStop = true
  /// Whether the main thread's stack is in another mapping than at the last sample: as after exec.
  var hasMovedStack = false
  /// The reading of the maps that it belongs to (`AddressSpaces`).
  var mapsSerial = 0
  /// The settlement before which that reading may not have been handed over (`AddressSpaces`).
  var settlement = 0
  /// What the loader had counted; nil where that is not known.
  var libraries: LoaderRecord.Counts?
  /// Whether most of the time since the last sample went by waiting for a CPU.
  var isWaitingForCPU = false
  /// Why the thread has no stack that could be read; nil where it should have one.
  var missing: StackEnd.Reason?
  /// What /proc says that the thread does; nil when that was not read.
  var state: ThreadState?
  /// -1 for none.
  var systemCall: Int32 = -1
  var arguments = InlineArray<6, UInt64>(repeating: 0)
  var registers = Registers()
  var stackStart = RemoteAddress(0)
  /// Where the copy of the stack is in the ring's bytes.
  var byteOffset = 0
  var byteCount = 0
  /// How many of the bytes, the last, are of another stack, and where these begin.
  var otherCount = 0
  var otherStart = RemoteAddress(0)
  var reachesEnd = false
  /// What this sample stands for.
  var weight = Weight()
  /// What the thread's stack of before has lasted on since it was recorded.
  var repeated = Weight()
  var counters = ThreadCounters()
  /// Whether the thread slept since the sample before, in a sleep that neither of them saw.
  var sleptUnseen = false
  /// Whether it sleeps in another sleep than that of the sample before.
  var isNewSleep = false
  /// Whether the thread waits for its interpreter's lock.
  var awaitsLock = false
  /// Under which number the frames of a language's runtime are handed over; 0 for none.
  var runtimeNumber: UInt64 = 0
  /// The thread's name, where it was read with something else.
  var name: String?
}
