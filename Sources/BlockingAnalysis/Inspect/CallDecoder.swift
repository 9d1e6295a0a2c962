internal import ByteReading
internal import Glibc
internal import LinuxProcess
internal import ProfileModel

/// Finds what a system call waits for, by its arguments.
struct CallDecoder {
  /// The descriptors of one wait that are described; more are counted.
  static let descriptorLimit = 64
  /// F_OFD_SETLKW.
  private static let lockOpenFile: Int32 = 38

  let tid: Int32
  let memory: ProcessMemory
  let place: SleepPlace
  var survey: DescriptorSurvey
  var numbers: ThreadNumbers
  private let processes: PeerProcesses
  private(set) var wait: Wait
  private(set) var ends: [PeerRequest?] = []
  private(set) var limit = TimeLimit.none
  private(set) var isFutex = false

  init(
    tid: Int32, place: SleepPlace, survey: DescriptorSurvey, numbers: ThreadNumbers,
    processes: PeerProcesses
  ) {
    self.tid = tid
    memory = ProcessMemory(tid: tid)
    self.place = place
    self.survey = survey
    self.numbers = numbers
    self.processes = processes
    wait = Wait(kind: .otherCall, systemCall: SystemCallNames.name(of: place.number))
  }

  private func argument(_ index: Int) -> UInt64 {
    index < place.arguments.count ? place.arguments[index] : 0
  }

  private func address(_ index: Int) -> RemoteAddress { RemoteAddress(argument(index)) }

  private func integer(_ index: Int) -> Int32 { Int32(truncatingIfNeeded: argument(index)) }

  mutating func decode() {
    switch wait.systemCall {
    case nil: wait.kind = .pageFault
    case "futex":
      wait.kind = .futex
      isFutex = true
      limit = futexLimit()
    case "futex_wait":
      wait.kind = .futex
      wait.object = WaitObject(address: address(0))
      limit = absolute(address(4), clock: integer(5))
    case "futex_waitv":
      wait.kind = .futex
      limit = absolute(address(3), clock: integer(4))
    case "nanosleep", "clock_nanosleep", "poll", "ppoll", "select", "pselect6", "epoll_wait",
      "epoll_pwait", "epoll_pwait2":
      decodeTimed()
    case "wait4", "waitid", "vfork", "clone", "clone3", "pause", "rt_sigsuspend",
      "rt_sigtimedwait":
      decodeProcess()
    case "flock", "fcntl", "semop", "semtimedop", "msgrcv", "msgsnd", "mq_timedreceive",
      "mq_timedsend", "io_uring_enter", "io_getevents", "io_pgetevents", "open", "openat",
      "openat2":
      decodeObject()
    default: decodeTransfer()
    }
    wait.isTimed = limit != .none
  }

  // MARK: - Descriptors

  private mutating func add(
    _ descriptor: Int32, _ use: DescriptorSurvey.Use?, inode: UInt64 = 0, address: String? = nil
  ) {
    guard descriptor >= 0 else { return }
    guard wait.descriptors.count < Self.descriptorLimit else {
      wait.omittedDescriptors += 1
      return
    }
    let (found, end) = survey.describe(
      descriptor, of: tid, use: use, inode: inode, connectingTo: address)
    wait.descriptors.append(found)
    ends.append(end)
  }

  /// Calls that read, write, or do something else with the descriptor that comes first.
  private mutating func decodeTransfer() {
    switch wait.systemCall {
    case "read", "readv", "pread64", "preadv", "preadv2": transfer(.read, .reading)
    case "write", "writev", "pwrite64", "pwritev", "pwritev2": transfer(.write, .writing)
    case "recvfrom", "recvmsg", "recvmmsg": transfer(.receive, .reading)
    case "sendto", "sendmsg", "sendmmsg": transfer(.send, .writing)
    case "accept", "accept4": transfer(.accept, .reading)
    case "connect":
      wait.kind = .connect
      let size = Int(min(argument(2), 128))
      let bytes = memory.read(at: address(1), count: size)
      add(
        integer(0), .writing, address: bytes.flatMap { SocketAddress.text(ofStructure: $0) })
    case "sendfile":
      wait.kind = .write
      add(integer(0), .writing)
    case "splice", "tee", "copy_file_range":
      add(integer(0), .reading)
      add(wait.systemCall == "tee" ? integer(1) : integer(2), .writing)
    case "vmsplice":
      let isReader = OpenDescriptors.access(of: integer(0), in: tid)?.canRead ?? false
      transfer(isReader ? .read : .write, isReader ? .reading : .writing)
    case "ioctl", "fsync", "fdatasync", "ftruncate", "fallocate", "getdents64", "sync_file_range":
      add(integer(0), nil)
    default: break
    }
  }

  private mutating func transfer(_ kind: WaitKind, _ use: DescriptorSurvey.Use) {
    wait.kind = kind
    add(integer(0), use)
  }

  // MARK: - Calls with a time limit

  private mutating func decodeTimed() {
    switch wait.systemCall {
    case "nanosleep":
      wait.kind = .sleep
      limit = memory.time(at: address(0)).map { .relative($0) } ?? .unknown
    case "clock_nanosleep":
      wait.kind = .sleep
      let time = memory.time(at: address(2))
      // TIMER_ABSTIME is 1.
      limit =
        time.map { argument(1) & 1 != 0 ? .absolute(clock: integer(0), $0) : .relative($0) }
        ?? .unknown
    case "poll":
      limit = milliseconds(integer(2))
      decodePoll()
    case "ppoll":
      limit = relative(address(2))
      decodePoll()
    case "select":
      limit = relative(address(4), unit: 1000)
      decodeSelect()
    case "pselect6":
      limit = relative(address(4))
      decodeSelect()
    case "epoll_pwait2":
      limit = relative(address(3))
      decodeEpoll()
    default:
      limit = milliseconds(integer(3))
      decodeEpoll()
    }
    if hasNoDescriptors, limit != .none { wait.kind = .sleep }
  }

  /// Whether the call waits for the descriptors of no list at all: with a time limit, to sleep.
  private var hasNoDescriptors: Bool {
    switch wait.systemCall {
    case "poll", "ppoll": argument(1) == 0
    case "select", "pselect6": argument(0) == 0 || (1...3).allSatisfy { argument($0) == 0 }
    default: false
    }
  }

  private func milliseconds(_ value: Int32) -> TimeLimit {
    value < 0 ? .none : .relative(.milliseconds(Int64(value)))
  }

  private func relative(_ address: RemoteAddress, unit: Int64 = 1) -> TimeLimit {
    guard address != .null else { return .none }
    return memory.time(at: address, unit: unit).map { .relative($0) } ?? .unknown
  }

  private func absolute(_ address: RemoteAddress, clock: Int32) -> TimeLimit {
    guard address != .null else { return .none }
    return memory.time(at: address).map { .absolute(clock: clock, $0) } ?? .unknown
  }

  private func futexLimit() -> TimeLimit {
    let operation = integer(1)
    guard argument(3) != 0 else { return .none }
    guard let time = memory.time(at: address(3)) else { return .unknown }
    // futex(2), "Timeouts": FUTEX_WAIT's is relative, FUTEX_LOCK_PI's by the real-time clock, and
    // 256, FUTEX_CLOCK_REALTIME, says so for the others.
    switch operation & 0x7f {
    case 0: return .relative(time)
    case 6: return .absolute(clock: CLOCK_REALTIME, time)
    default:
      let isRealTime = operation & 256 != 0
      return .absolute(clock: isRealTime ? CLOCK_REALTIME : CLOCK_MONOTONIC, time)
    }
  }

  private mutating func decodePoll() {
    wait.kind = .poll
    let count = Int(min(argument(1), 65_536))
    guard count > 0, let bytes = memory.read(at: address(0), count: count * 8) else { return }
    // struct pollfd: the descriptor, the events asked for, and those that have come.
    var reader = ByteReader(bytes.span.bytes)
    while let descriptor = reader.next(Int32.self), let events = reader.next(UInt16.self),
      reader.next(UInt16.self) != nil
    {
      add(descriptor, use(ofEvents: UInt32(events)))
    }
  }

  /// POLLIN and EPOLLIN are 1, POLLOUT and EPOLLOUT 4, those for normal data 0x40 and 0x100.
  private func use(ofEvents events: UInt32) -> DescriptorSurvey.Use? {
    switch (events & 0x41 != 0, events & 0x104 != 0) {
    case (true, true): .either
    case (true, false): .reading
    case (false, true): .writing
    case (false, false): nil
    }
  }

  private mutating func decodeSelect() {
    wait.kind = .select
    let count = Int(min(argument(0), 65_536))
    let sets = (1...3).map { index in
      argument(index) == 0
        ? [] : memory.read(at: address(index), count: (count + 7) / 8) ?? []
    }
    for descriptor in 0..<count {
      let isIn = sets.map { set in
        descriptor / 8 < set.count && set[descriptor / 8] >> UInt8(descriptor % 8) & 1 != 0
      }
      guard isIn.contains(true) else { continue }
      switch (isIn[0], isIn[1]) {
      case (true, true): add(Int32(descriptor), .either)
      case (true, false): add(Int32(descriptor), .reading)
      case (false, true): add(Int32(descriptor), .writing)
      case (false, false): add(Int32(descriptor), nil)
      }
    }
  }

  private mutating func decodeEpoll() {
    wait.kind = .epoll
    guard let info = OpenDescriptors.info(of: integer(0), in: tid) else { return }
    for entry in info.watched {
      add(entry.descriptor, use(ofEvents: entry.events), inode: entry.inode)
    }
  }

  // MARK: - Processes and signals

  private mutating func decodeProcess() {
    switch wait.systemCall {
    case "wait4": decodeWait(type: integer(0) > 0 ? 1 : 0, id: integer(0))
    case "waitid": decodeWait(type: integer(0), id: integer(1))
    case "vfork", "clone", "clone3": decodeFork()
    case "rt_sigtimedwait":
      wait.kind = .signal
      limit = relative(address(2))
    default: wait.kind = .signal
    }
  }

  /// `type` is P_ALL 0, P_PID 1, P_PGID 2, P_PIDFD 3.
  private mutating func decodeWait(type: Int32, id: Int32) {
    wait.kind = .childProcess
    if type == 3 {
      add(id, nil)
      wait.owners = wait.descriptors.flatMap(\.peers)
      return
    }
    let children = numbers.children()
    if type == 1 {
      let known = children ?? []
      guard let child = numbers.process(id, among: known),
        children.map({ $0.contains(child) })
          ?? ((try? ProcessStatus(of: child))?.parent == numbers.pid)
      else { return }
      wait.owners = [processes.owner(child)]
    } else if type == 0, id >= -1, let children {
      // Which children are in a process group is not known here: no claim for those.
      guard id == -1 || wait.systemCall == "waitid" else { return }
      wait.owners = children.prefix(Self.descriptorLimit).map { processes.owner($0) }
    }
  }

  /// The parent of `vfork` waits for its child to execute a program or end.
  private mutating func decodeFork() {
    guard let children = numbers.children() else { return }
    let sharing = children.filter { ProcessTree.shareMemory($0, numbers.pid) == true }
    guard sharing.count == 1 else { return }
    wait.kind = .childProcess
    wait.owners = sharing.map { processes.owner($0) }
  }

  // MARK: - Other objects

  private mutating func decodeObject() {
    switch wait.systemCall {
    case "flock": decodeFileLock()
    case "fcntl":
      // F_SETLKW is 7.
      let isLock = integer(1) == 7 || integer(1) == Self.lockOpenFile
      if isLock { decodeFileLock() } else { add(integer(0), nil) }
    case "semop": wait.kind = .systemVSemaphore
    case "semtimedop":
      wait.kind = .systemVSemaphore
      limit = relative(address(3))
    case "msgrcv", "msgsnd": wait.kind = .messageQueue
    case "mq_timedreceive", "mq_timedsend":
      wait.kind = .messageQueue
      add(integer(0), wait.systemCall == "mq_timedsend" ? .writing : .reading)
      limit = absolute(address(4), clock: CLOCK_REALTIME)
    case "io_uring_enter":
      wait.kind = .asynchronousIO
      add(integer(0), nil)
    case "io_getevents", "io_pgetevents":
      wait.kind = .asynchronousIO
      limit = relative(address(4))
    default: decodeOpen()
    }
  }

  private mutating func decodeFileLock() {
    wait.kind = .fileLock
    add(integer(0), nil)
    guard let file = OpenDescriptors.status(of: integer(0), in: tid) else { return }
    let kind: FileLock.Kind =
      wait.systemCall == "flock" ? .flock : integer(1) == Self.lockOpenFile ? .openFile : .posix
    let locks = FileLock.blocking(
      numbers.pid, on: file.inode, as: kind, in: numbers.fileLocks())
    for lock in locks where lock.process > 0 {
      // An flock outlives the process that took it when a child has the file still open.
      guard let status = try? ProcessStatus(of: lock.process), status.state != .zombie else {
        continue
      }
      let holder = processes.owner(lock.process)
      if !wait.owners.contains(holder) { wait.owners.append(holder) }
    }
  }

  private mutating func decodeOpen() {
    wait.kind = .open
    let isAt = wait.systemCall != "open"
    guard let path = memory.string(at: address(isAt ? 1 : 0)), !path.isEmpty else { return }
    // AT_FDCWD is -100. A path within another folder is shown as it is, without a kind.
    let isKnown = !isAt || path.hasPrefix("/") || integer(0) == -100
    let file = isKnown ? OpenDescriptors.status(ofPath: path, for: tid) : nil
    let flags = wait.systemCall == "openat2" ? 0 : argument(isAt ? 2 : 1)
    var descriptor = WaitDescriptor(
      number: -1, kind: DescriptorSurvey.kind(file?.kind), name: path, state: .other("opening"))
    guard file?.kind == .fifo else {
      wait.descriptors = [descriptor]
      ends = [nil]
      return
    }
    // O_ACCMODE is 3, O_WRONLY 1: each end waits for the other one (fifo(7)).
    let isWriting = flags & 3 == 1
    descriptor.events = isWriting ? "a reader" : "a writer"
    wait.descriptors = [descriptor]
    ends = [nil]
  }
}
