internal import LinuxProcess
internal import ProfileModel

/// Describes descriptors, and says where their other ends are to be found.
struct DescriptorSurvey {
  private var sockets: SocketSurvey
  private let processes: PeerProcesses

  init(_ folder: TaskFolder, liveThread: Int32, processes: PeerProcesses) {
    sockets = SocketSurvey(folder, liveThread: liveThread)
    self.processes = processes
  }

  /// What a thread does with a descriptor.
  enum Use {
    case reading, writing, either

    var events: String? {
      switch self {
      case .reading: "readable"
      case .writing: "writable"
      case .either: "readable or writable"
      }
    }
  }

  /// Describes a descriptor of a thread; `inode` is the one that it must have, 0 for any.
  mutating func describe(
    _ descriptor: Int32, of tid: Int32, use: Use?, inode: UInt64 = 0,
    connectingTo address: String? = nil
  ) -> (WaitDescriptor, PeerRequest?) {
    guard let (target, link) = OpenDescriptors.target(of: descriptor, in: tid) else {
      return (WaitDescriptor(number: descriptor, kind: .closed, name: "", events: use?.events), nil)
    }
    var (result, request) = describe(descriptor, target, link, tid, use, address)
    result.events = use?.events
    if inode != 0, let found = target.inode, found != inode {
      // The number was closed and given to another file, while epoll still watches the first.
      result = WaitDescriptor(number: descriptor, kind: .unknown, name: "", events: use?.events)
      request = nil
    }
    return (result, request)
  }

  private mutating func describe(
    _ descriptor: Int32, _ target: DescriptorTarget, _ link: String, _ tid: Int32, _ use: Use?,
    _ address: String?
  ) -> (WaitDescriptor, PeerRequest?) {
    switch target {
    case .pipe(let inode):
      let result = WaitDescriptor(number: descriptor, kind: .pipe, name: link)
      guard let use else { return (result, nil) }
      return (result, .pipe(inode: inode, writing: use.waitsForWriter(descriptor, tid)))
    case .socket(let inode):
      return sockets.describe(descriptor, inode: inode, link: link, connectingTo: address)
    case .anonymous(let name):
      return (anonymous(descriptor, name, link, tid), nil)
    case .path(let path):
      let kind = Self.kind(OpenDescriptors.status(of: descriptor, in: tid)?.kind)
      let result = WaitDescriptor(number: descriptor, kind: kind, name: path)
      guard kind == .fifo, let use else { return (result, nil) }
      return (result, .fifo(path: path, writing: use.waitsForWriter(descriptor, tid)))
    }
  }

  private func anonymous(
    _ descriptor: Int32, _ name: String, _ link: String, _ tid: Int32
  ) -> WaitDescriptor {
    var result = WaitDescriptor(number: descriptor, kind: Self.kind(named: name), name: link)
    switch result.kind {
    case .timerfd:
      let timer = OpenDescriptors.info(of: descriptor, in: tid)?.timer
      if let timer {
        result.state = .other(timer == 0 ? "not set" : "fires in \(Self.seconds(timer))")
      }
    case .pidfd:
      if let process = OpenDescriptors.info(of: descriptor, in: tid)?.process, process > 0 {
        result.peers = [processes.owner(process)]
      }
    default: break
    }
    return result
  }

  private static func seconds(_ time: Nanoseconds) -> String {
    let tenths = time.count(of: .milliseconds(100))
    return "\(tenths / 10).\(tenths % 10) s"
  }

  private static func kind(named name: String) -> WaitDescriptor.Kind {
    switch name {
    case "eventpoll": .epoll
    case "io_uring": .ioUring
    default: WaitDescriptor.Kind(rawValue: name) ?? .unknown
    }
  }

  static func kind(_ kind: OpenDescriptors.FileKind?) -> WaitDescriptor.Kind {
    switch kind {
    case .file: .file
    case .directory: .directory
    case .fifo: .fifo
    case .terminal: .tty
    case .device: .device
    case .socket: .unixSocket
    case .other, nil: .unknown
    }
  }
}

extension DescriptorSurvey.Use {
  /// Whether somebody must write for the wait to end; of a poll for both, the end that the
  /// descriptor is decides.
  fileprivate func waitsForWriter(_ descriptor: Int32, _ tid: Int32) -> Bool {
    switch self {
    case .reading: true
    case .writing: false
    case .either: OpenDescriptors.access(of: descriptor, in: tid)?.canRead ?? true
    }
  }
}

extension DescriptorTarget {
  fileprivate var inode: UInt64? {
    switch self {
    case .pipe(let inode), .socket(let inode): inode
    case .anonymous, .path: nil
    }
  }
}
