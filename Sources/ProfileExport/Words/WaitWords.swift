internal import ProfileAnalysis
internal import ProfileModel

/// Says what threads wait for.
///
/// The page makes the words printable; names are shortened here.
struct WaitWords {
  let profile: Profile
  /// By tid: the index of the last thread that had it.
  private let threadOfTid: [Int32: Int]
  private let virtualThreads: VirtualThreadNames

  init(_ profile: Profile) {
    self.profile = profile
    threadOfTid = Dictionary(
      profile.threads.enumerated().map { ($0.element.tid, $0.offset) },
      uniquingKeysWith: { max($0, $1) })
    virtualThreads = VirtualThreadNames(profile)
  }

  // MARK: - Threads

  /// A thread of the program in a sentence: `the main thread (4242)`, `"worker-1" (4243)`.
  func thread(_ thread: Int) -> String {
    let info = profile.threads[thread]
    if let process = info.process {
      return info.isMain
        ? "the main thread of \(process.title)"
        : "\(info.name.quoted) (\(info.tid)) of \(process.title)"
    }
    if let virtual = virtualThreads.carried[info.tid] { return virtual }
    return info.isMain ? "the main thread (\(info.tid))" : "\(info.name.quoted) (\(info.tid))"
  }

  /// The process of a thread of the profile.
  func pid(of thread: Int) -> Int32 { profile.threads[thread].pid(in: profile.capture.pid) }

  /// A node of the wait graph in a sentence; `waiter` is the process of the thread that waits for it.
  func node(_ node: WaitGraph.Node, for waiter: Int32? = nil) -> String {
    if let thread = node.thread { return self.thread(thread) }
    let process = process(node.pid, node.processName, for: waiter)
    guard let tid = node.tid else { return process }
    if tid < 0 { return virtualThreads.title(of: tid) }
    if node.isDead { return "exited thread \(tid)" }
    guard node.pid != profile.capture.pid else { return "thread \(tid)" }
    let name = node.name.isEmpty ? "thread \(tid)" : "\(node.name.quoted) (\(tid))"
    return tid == node.pid ? process : "\(name) of \(process)"
  }

  /// A process in a sentence; `waiter` is the process of the thread that waits for it.
  func process(_ pid: Int32, _ name: String, for waiter: Int32? = nil) -> String {
    if pid == waiter { return "the program itself" }
    return name.isEmpty ? "pid \(pid)" : "\(name.quoted) (pid \(pid))"
  }

  /// Who holds a lock, or the other end of a descriptor, for which a thread of the process `pid` waits.
  func owner(_ owner: WaitOwner, in pid: Int32) -> String {
    switch owner {
    case .thread(let tid) where tid < 0: return virtualThreads.title(of: tid)
    case .thread(let tid): return known(tid, of: pid) ?? "thread \(tid)"
    case .process(let process, nil, let name): return self.process(process, name, for: pid)
    case .process(let process, .some(let tid), let name):
      if let known = known(tid, of: process) { return known }
      if process == pid { return "thread \(tid)" }
      let words = self.process(process, name, for: pid)
      return tid == process ? words : "thread \(tid) of \(words)"
    case .dead(let tid): return "exited thread \(tid)"
    case .readers(let count): return Figures.count(Int64(count), "reader")
    }
  }

  /// A thread of the profile by its number.
  private func known(_ tid: Int32, of pid: Int32) -> String? {
    threadOfTid[tid].flatMap { self.pid(of: $0) == pid ? thread($0) : nil }
  }

  /// At most three owners, and the number of the others.
  func owners(_ owners: [WaitOwner], in pid: Int32) -> String {
    let names = owners.prefix(3).map { owner($0, in: pid) }
    let rest = owners.count - names.count
    return names.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
  }

  /// The same, of whom one is enough.
  private func anyOwner(_ owners: [WaitOwner], in pid: Int32) -> String {
    var names = owners.prefix(3).map { owner($0, in: pid) }
    if owners.count > names.count { names.append("\(owners.count - names.count) more") }
    guard let last = names.popLast(), !names.isEmpty else { return self.owners(owners, in: pid) }
    return names.joined(separator: ", ") + " or " + last
  }

  // MARK: - Waits

  /// What a thread does: `has been waiting 12.40 s for mutex audit_lock (bank.c), held by "worker-2"
  /// (4244)`.
  func sentence(
    _ wait: Wait, lasted: WaitLength? = nil, in pid: Int32, withOwner: Bool = true
  ) -> String {
    (lasted != nil && wait.kind != .frozen ? "has been " : "is ")
      + phrase(wait, lasted: lasted, in: pid, withOwner: withOwner)
  }

  /// What one or more threads do: `waiting 12.40 s for mutex audit_lock (bank.c), held by …`.
  func phrase(
    _ wait: Wait, lasted: WaitLength? = nil, in pid: Int32, withOwner: Bool = true
  ) -> String {
    let time = lasted?.words
    let owner = withOwner ? ownerWords(wait, in: pid) : ""
    return action(wait, time, in: pid) + owner + limit(wait)
  }

  /// The same without owner and time limit: `waiting for a mutex`.
  func action(_ wait: Wait, _ time: String? = nil, in pid: Int32) -> String {
    switch wait.kind {
    case .sleep: return "sleeping" + (time.map { " for " + $0 } ?? "")
    // Since when is not known: it may have slept before.
    case .frozen: return "frozen " + subject(wait, in: pid)
    case .stoppedBySignal, .stoppedByDebugger, .parking:
      let verb = wait.kind == .parking ? "parked" : "stopped"
      return verb + (time.map { " for " + $0 } ?? "") + " " + subject(wait, in: pid)
    default: return "waiting " + (time.map { $0 + " " } ?? "") + subject(wait, in: pid)
    }
  }

  /// What is waited for, as it follows the verb; empty for a thread that only sleeps.
  func subject(_ wait: Wait, in pid: Int32) -> String {
    switch wait.kind {
    case .mutex: "for " + object(wait, "mutex", "a mutex")
    case .readLock: "to read-lock " + object(wait, "rwlock", "an rwlock")
    case .writeLock: "to write-lock " + object(wait, "rwlock", "an rwlock")
    case .conditionVariable:
      notifier(wait) ?? "for " + object(wait, "condition variable", "a condition variable")
    case .semaphore: "for " + object(wait, "semaphore", "a semaphore")
    case .barrier: "at " + object(wait, "barrier", "a barrier")
    case .onceInitializer: initialization(wait)
    case .join:
      "for " + (wait.owners.isEmpty ? "a thread" : owners(wait.owners, in: pid)) + " to finish"
    case .parking: "by its runtime" + place(wait)
    case .futex: "for " + object(wait, "futex", "a futex")
    case .gil: "for Python's global interpreter lock"
    case .childProcess:
      "for " + (wait.owners.isEmpty ? "a child process" : anyOwner(wait.owners, in: pid))
        + " to exit"
    case .sleep: ""
    case .signal: "for a signal"
    case .fileLock: "for a lock on " + descriptors(wait, in: pid, none: "a file")
    case .databaseLock: "for " + databaseLock(wait)
    case .systemVSemaphore: "for a System V semaphore"
    case .messageQueue: "for a message queue"
    case .asynchronousIO: "for asynchronous I/O to complete" + kernelPlace(wait)
    case .kernelWork: "for work in the kernel" + kernelPlace(wait)
    case .pageFault: "for the kernel to resolve a page fault" + kernelPlace(wait)
    case .disk: "uninterruptibly in the kernel" + callWords(wait) + kernelPlace(wait)
    case .stoppedBySignal: "by a signal"
    case .stoppedByDebugger: "by a debugger"
    case .frozen: "by its control group" + (wait.frozenCgroup.map { " " + $0 } ?? "")
    case .otherCall: "in " + (wait.systemCall ?? "a system call")
    case .unknown: "outside any system call" + kernelPlace(wait)
    case .poll, .select, .epoll, .read, .write, .open, .connect, .accept, .receive, .send:
      transfer(wait, in: pid) + kernelPlace(wait)
    }
  }

  private func initialization(_ wait: Wait) -> String {
    guard let object = wait.object, object.flavor?.has(.java) ?? false, let type = object.variable
    else { return "for a one-time initialisation that another thread runs" }
    return "for the initialisation of class " + type.shortName
  }

  private func databaseLock(_ wait: Wait) -> String {
    switch wait.databaseRule {
    case .wakeUp: "a lock in the database that another session holds"
    case .retry: "a locked database, sleeping between retries"
    }
  }

  private func transfer(_ wait: Wait, in pid: Int32) -> String {
    switch wait.kind {
    case .open: "to open " + descriptors(wait, in: pid, none: "a file")
    case .connect: "to connect to " + descriptors(wait, in: pid, none: "a peer")
    case .accept: "for a connection to " + descriptors(wait, in: pid, none: "its socket")
    case .read: "to read from " + descriptors(wait, in: pid, none: "a descriptor")
    case .receive: "to receive from " + descriptors(wait, in: pid, none: "a socket")
    case .write: "to write to " + descriptors(wait, in: pid, none: "a descriptor")
    case .send: "to send to " + descriptors(wait, in: pid, none: "a socket")
    default: "for events on " + descriptors(wait, in: pid, none: "its descriptors")
    }
  }

  /// `, held by "worker-2" (4244)`; empty where nobody is known to hold it, or `subject` names them.
  func ownerWords(_ wait: Wait, in pid: Int32) -> String {
    guard !wait.owners.isEmpty else { return "" }
    switch wait.kind {
    case .join, .childProcess: return ""
    case .read, .write, .receive, .send, .poll, .select, .epoll, .connect:
      // The descriptors' own words name them.
      guard wait.descriptors.allSatisfy(\.peers.isEmpty) else { return "" }
      return ", whose other end is held by " + owners(wait.owners, in: pid)
    case .onceInitializer: return ", run by " + owners(wait.owners, in: pid)
    default: return ", held by " + owners(wait.owners, in: pid)
    }
  }

  private func limit(_ wait: Wait) -> String {
    if let left = wait.timeLeft {
      let time = Figures.duration(max(0, left))
      return wait.kind == .sleep ? ", \(time) to go" : ", times out in \(time)"
    }
    return wait.isTimed && wait.kind != .sleep ? ", with a timeout" : ""
  }

  private func callWords(_ wait: Wait) -> String { wait.systemCall.map { ", in " + $0 } ?? "" }

  private func kernelPlace(_ wait: Wait) -> String {
    wait.kernelFunction.map { " (at \($0.shortName))" } ?? ""
  }

  // MARK: - Locks

  /// A lock by its variable, else by its address and the mapping that holds it.
  private func object(_ wait: Wait, _ noun: String, _ unknown: String) -> String {
    guard let object = wait.object else { return unknown }
    if object.flavor?.has(.python) ?? false { return "a Python lock" }
    if let words = javaWords(object) { return words }
    let kind = object.flavor.map { $0.rawName.shortName + " " + noun } ?? noun
    return kind + place(wait)
  }

  /// What a thread in Java's `Object.wait` waits for, which is not to enter the monitor; nil for others.
  private func notifier(_ wait: Wait) -> String? {
    guard let object = wait.object, object.flavor?.has(.monitor) ?? false else { return nil }
    return "to be notified on " + (object.variable.map { "a " + $0.shortName } ?? "an object")
  }

  /// A lock of Java's by the class of the object; nil for any other lock.
  private func javaWords(_ object: WaitObject) -> String? {
    let type = object.variable?.shortName
    if object.flavor?.has(.monitor) ?? false {
      return "the monitor of " + (type.map { "a " + $0 } ?? "an object")
    }
    guard object.flavor?.has(.java) ?? false else { return nil }
    guard let name = object.variable else { return "a Java lock" }
    // The package is the same for nearly all.
    let common = "java.util.concurrent.locks."
    return "a " + (name.hasPrefix(common) ? String(name.dropFirst(common.count)) : name).shortName
  }

  private func place(_ wait: Wait) -> String {
    guard let object = wait.object else { return "" }
    guard let variable = object.variable else {
      let mapping = object.mapping.map { " in " + Self.mapping($0) } ?? ""
      return " at \(object.address)" + mapping
    }
    let file = object.file.map { " (" + $0.lastPathPart.shortName + ")" } ?? ""
    return " " + (variable + (object.field ?? "")).shortName + file
  }

  private static func mapping(_ name: String) -> String {
    if name == "[heap]" { return "the heap" }
    return name.hasPrefix("[stack") ? "a stack" : name.lastPathPart.shortName
  }

  // MARK: - Descriptors

  /// At most three descriptors with their other ends, and the number of the others.
  func descriptors(_ wait: Wait, in pid: Int32, none: String) -> String {
    guard !wait.descriptors.isEmpty else {
      return wait.omittedDescriptors > 0
        ? Figures.count(Int64(wait.omittedDescriptors), "descriptor") : none
    }
    let shown = wait.descriptors.prefix(wait.descriptors.count > 3 ? 2 : 3)
    let omitted = min(max(0, wait.omittedDescriptors), 1 << 20)
    let rest = wait.descriptors.count - shown.count + omitted
    let words = shown.map { descriptor($0, in: pid) }.joined(separator: "; ")
    return rest > 0 ? words + "; and \(rest) more" : words
  }

  /// `pipe (fd 4), whose other end is held by "make" (pid 12)`.
  func descriptor(_ descriptor: WaitDescriptor, in pid: Int32) -> String {
    var words = kind(descriptor)
    let number = descriptor.number >= 0 ? "fd \(descriptor.number)" : nil
    let details = [number, descriptor.state?.rawName.shortName].compactMap { $0 }
    if !details.isEmpty { words += " (" + details.joined(separator: ", ") + ")" }
    if let address = descriptor.peerAddress { words += " to " + address.shortName }
    if !descriptor.peers.isEmpty {
      words += ", whose other end is held by " + owners(descriptor.peers, in: pid)
    }
    return words
  }

  private func kind(_ descriptor: WaitDescriptor) -> String {
    let name = PlainText.shortenedAtLeft(descriptor.name.replacingQuotes, to: 40)
    return switch descriptor.kind {
    case .pipe: "a pipe"
    case .fifo: "the FIFO " + name
    case .file, .directory, .device: name.isEmpty ? "a file" : name
    case .tty: "the terminal"
    case .eventfd: "an eventfd"
    case .timerfd: "a timer"
    case .signalfd: "a signalfd"
    case .inotify: "inotify"
    case .epoll: "an epoll set"
    case .pidfd: "a process"
    case .unixSocket: "a Unix socket" + (name.hasPrefix("/") ? " " + name : "")
    case .tcpSocket: "a TCP socket"
    case .udpSocket: "a UDP socket"
    case .otherSocket: "a socket"
    case .ioUring: "io_uring"
    case .closed: "a closed descriptor"
    case .unknown: "a descriptor"
    }
  }
}

extension WaitLength {
  /// `2.02 s`, `at least 2.02 s`.
  var words: String { (isAtLeast ? "at least " : "") + Figures.duration(time) }
}

extension Wait {
  /// The file that thaws the control group which keeps the thread from running.
  private var freezerControl: String? { kind == .frozen ? descriptors.first?.name : nil }

  /// The folder of that control group.
  var frozenCgroup: String? {
    freezerControl.flatMap { path in
      path.lastIndex(of: "/").map { String(path[..<$0]).shortName }
    }
  }

  /// What to type so that the thread runs on.
  var thawCommand: String? {
    freezerControl.map { path in
      "echo \(path.hasSuffix("/freezer.state") ? "THAWED" : "0") > \(path.shellWord)"
    }
  }
}

extension String {
  /// The text as one word of a command, whatever is in it.
  fileprivate var shellWord: String {
    let isPlain = utf8.allSatisfy { byte in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        || (UInt8(ascii: "-")...UInt8(ascii: ":")).contains(byte) || byte == UInt8(ascii: "_")
    }
    guard !isPlain else { return self }
    let quoted = split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
    return "'" + PlainText.printable(quoted) + "'"
  }
}

extension Idleness {
  /// What one or more idle threads do.
  var words: String {
    switch kind {
    case .eventLoop, .runtime: "idle in " + name
    case .acceptLoop: "waiting for a connection"
    case .workerPool: "waiting for work in " + name
    case .signals: "waiting for a signal"
    case .sleep: "sleeping"
    case .terminal: "waiting for terminal input"
    }
  }

  /// The same as the predicate of a sentence that has called the thread idle.
  var predicate: String {
    switch kind {
    case .eventLoop, .runtime: "is in " + name
    case .acceptLoop, .workerPool, .signals, .sleep, .terminal: "is " + words
    }
  }

  /// Some idle threads, as a heading counts them.
  func counted(_ count: Int) -> String {
    let noun =
      switch kind {
      case .workerPool: "idle worker thread"
      case .eventLoop, .acceptLoop, .runtime, .signals, .sleep, .terminal: "idle thread"
      }
    return Figures.count(Int64(count), noun)
  }
}

extension String {
  /// The text in quotation marks, with none within, and not long.
  var quoted: String { "\"" + shortName + "\"" }
}

extension Wait {
  /// The wait as it is told of a stretch of time: what was left of it at one moment of that says nothing.
  var overTime: Wait {
    var wait = self
    wait.timeLeft = nil
    return wait
  }
}
