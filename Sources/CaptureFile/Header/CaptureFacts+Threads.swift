internal import ProfileModel

extension CaptureFacts {
  struct Thread: Codable {
    var index: Int
    var tid: Int32
    var name: String
    var main: Bool
    var firstSeen, lastSeen, cpu, delay, cpuSinceStart: Int64
    var state: String?
    var call: String?
    var arguments: [UInt64]?
    var ended: Bool
    /// The process, where there are several.
    var pid: Int32?
    var process: String?
    /// Whether the process was sampled only because the program waited for it; nil for false.
    var peer: Bool?
    /// Ticks in which it held Python's lock, in which it waited for it, and all in which that is
    /// known.
    var lockHeld, lockAwaited, lockTicks: Int64?

    enum CodingKeys: String, CodingKey {
      case index, tid, name, main, state, call, arguments, ended, pid, process, peer
      case lockHeld = "gil_held_ticks"
      case lockAwaited = "gil_awaited_ticks"
      case lockTicks = "gil_ticks"
      case firstSeen = "first_seen_ns"
      case lastSeen = "last_seen_ns"
      case cpu = "cpu_ns"
      case delay = "delay_ns"
      case cpuSinceStart = "cpu_since_start_ns"
    }

    init(_ index: Int, _ info: ThreadInfo) {
      self.index = index
      tid = info.tid
      name = info.name
      main = info.isMain
      firstSeen = info.firstSeen
      lastSeen = info.lastSeen
      cpu = info.cpu
      delay = info.delay
      cpuSinceStart = info.cpuSinceStart
      state = info.state.map { String($0) }
      call = info.systemCall?.name
      arguments = info.systemCall?.arguments
      ended = info.hasEnded
      pid = info.process?.pid
      process = info.process?.name
      peer = info.process?.isPeer == true ? true : nil
      lockHeld = info.lockUse?.held
      lockAwaited = info.lockUse?.awaited
      lockTicks = info.lockUse?.ticks
    }

    var info: ThreadInfo {
      ThreadInfo(
        tid: tid, name: name, isMain: main, firstSeen: firstSeen, lastSeen: lastSeen, cpu: cpu,
        delay: delay, cpuSinceStart: cpuSinceStart, state: state?.first,
        systemCall: call.map { SystemCall(name: $0, arguments: arguments ?? []) },
        hasEnded: ended, process: owningProcess,
        lockUse: lockUse)
    }

    private var owningProcess: OwningProcess? {
      pid.map { OwningProcess(pid: $0, name: process ?? "", isPeer: peer ?? false) }
    }

    private var lockUse: InterpreterLockUse? {
      guard let lockTicks, lockTicks > 0 else { return nil }
      let part = { (ticks: Int64?) in min(max(0, ticks ?? 0), lockTicks) }
      return InterpreterLockUse(
        held: part(lockHeld), awaited: part(lockAwaited), ticks: lockTicks)
    }
  }
}
