internal import ProfileModel

/// What threads were found to wait for, as facts of a capture.
extension CaptureFacts {
  struct Waiting: Codable {
    var pid, tid: Int32
    var name, process: String
    var processThreads: Int?
    var processSignal: Int32?
    var kind: String
    var call: String?
    var object: Object?
    var owners: [Owner]?
    var descriptors: [Descriptor]?
    var omitted: Int?
    var timeLeft: Int64?
    var timed: Bool
    var kernelFunction: String?
    var since: Int64?
    var firstSeen, lastSeen: Int64
    var samples: Int

    enum CodingKeys: String, CodingKey {
      case pid, tid, name, process, kind, call, object, owners, descriptors, timed
      case samples = "looks"
      case processThreads = "process_threads"
      case processSignal = "process_waking_signal"
      case omitted = "omitted_descriptors"
      case timeLeft = "time_left_ns"
      case kernelFunction = "kernel_function"
      case since = "since_ns"
      case firstSeen = "first_seen_ns"
      case lastSeen = "last_seen_ns"
    }
  }

  /// What a virtual thread waits for.
  struct Awaited: Codable {
    var kind: String
    var object: Object?
    var owners: [Owner]?
    var timed: Bool?
  }

  struct Object: Codable {
    var address: UInt64
    var flavor, variable, field, file, mapping: String?
  }

  /// A thread (`tid`), a process (`pid`, `name`, perhaps `tid`), one that has ended (`ended`), or a
  /// number of `readers`.
  struct Owner: Codable {
    var pid: Int32?
    var tid: Int32?
    var name: String?
    var ended: Bool?
    var readers: Int?
  }

  struct Descriptor: Codable {
    var number: Int32
    var kind, name: String
    var peerAddress: String?
    var peers: [Owner]?
    var events, state: String?

    enum CodingKeys: String, CodingKey {
      case number, kind, name, peers, events, state
      case peerAddress = "peer_address"
    }
  }
}

extension CaptureFacts.Waiting {
  init(_ blocking: Blocking) {
    let wait = blocking.wait
    pid = blocking.waiter.pid
    tid = blocking.waiter.tid
    name = blocking.waiter.name
    process = blocking.waiter.processName
    processThreads = blocking.waiter.threadCount
    processSignal = blocking.waiter.wakingSignal
    kind = wait.kind.rawValue
    call = wait.systemCall
    object = wait.object.map { CaptureFacts.Object($0) }
    owners = wait.owners.isEmpty ? nil : wait.owners.map { CaptureFacts.Owner($0) }
    descriptors =
      wait.descriptors.isEmpty ? nil : wait.descriptors.map { CaptureFacts.Descriptor($0) }
    omitted = wait.omittedDescriptors == 0 ? nil : wait.omittedDescriptors
    timeLeft = wait.timeLeft
    timed = wait.isTimed
    kernelFunction = wait.kernelFunction
    since = blocking.since
    firstSeen = blocking.firstSeen
    lastSeen = blocking.lastSeen
    samples = blocking.samples
  }

  /// The wait; words that this version does not know become `unknown`.
  var blocking: Blocking {
    let wait = Wait(
      kind: WaitKind(rawValue: kind) ?? .unknown, systemCall: call, object: object?.object,
      owners: (owners ?? []).compactMap(\.owner),
      descriptors: (descriptors ?? []).map(\.descriptor), omittedDescriptors: omitted ?? 0,
      timeLeft: timeLeft, isTimed: timed, kernelFunction: kernelFunction)
    return Blocking(
      waiter: WaitingThread(
        pid: pid, tid: tid, name: name, processName: process, threadCount: processThreads,
        wakingSignal: processSignal),
      wait: wait, since: since, firstSeen: firstSeen, lastSeen: lastSeen, samples: samples)
  }
}

extension CaptureFacts.Awaited {
  init(_ wait: Wait) {
    kind = wait.kind.rawValue
    object = wait.object.map { CaptureFacts.Object($0) }
    owners = wait.owners.isEmpty ? nil : wait.owners.map { CaptureFacts.Owner($0) }
    timed = wait.isTimed ? true : nil
  }

  var wait: Wait {
    Wait(
      kind: WaitKind(rawValue: kind) ?? .unknown, object: object?.object,
      owners: (owners ?? []).compactMap(\.owner), isTimed: timed ?? false)
  }
}

extension CaptureFacts.Object {
  fileprivate init(_ object: WaitObject) {
    address = object.address.rawValue
    flavor = object.flavor?.rawName
    variable = object.variable
    field = object.field
    file = object.file
    mapping = object.mapping
  }

  fileprivate var object: WaitObject {
    WaitObject(
      address: RemoteAddress(address), flavor: flavor.map { LockFlavor(rawName: $0) },
      variable: variable, field: field,
      file: file, mapping: mapping)
  }
}

extension CaptureFacts.Owner {
  fileprivate init(_ owner: WaitOwner) {
    switch owner {
    case .thread(let thread): tid = thread
    case .process(let process, let thread, let processName):
      pid = process
      tid = thread
      name = processName
    case .dead(let thread):
      tid = thread
      ended = true
    case .readers(let count): readers = count
    }
  }

  /// Nil for one that this version does not know.
  fileprivate var owner: WaitOwner? {
    if let readers { return .readers(count: readers) }
    if let pid { return .process(pid: pid, tid: tid, name: name ?? "") }
    guard let tid else { return nil }
    return ended == true ? .dead(tid: tid) : .thread(tid: tid)
  }
}

extension CaptureFacts.Descriptor {
  fileprivate init(_ descriptor: WaitDescriptor) {
    number = descriptor.number
    kind = descriptor.kind.rawValue
    name = descriptor.name
    peerAddress = descriptor.peerAddress
    peers = descriptor.peers.isEmpty ? nil : descriptor.peers.map { CaptureFacts.Owner($0) }
    events = descriptor.events
    state = descriptor.state?.rawName
  }

  fileprivate var descriptor: WaitDescriptor {
    WaitDescriptor(
      number: number, kind: WaitDescriptor.Kind(rawValue: kind) ?? .unknown, name: name,
      peerAddress: peerAddress, peers: (peers ?? []).compactMap(\.owner), events: events,
      state: state.map { WaitDescriptor.State(rawName: $0) })
  }
}
