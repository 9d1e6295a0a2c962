internal import LinuxProcess
internal import ProfileModel

/// The sockets of the network namespace of a process; each table is read when it is first needed.
struct SocketSurvey {
  /// Tables of more bytes than this are read up to here: 30,000 sockets.
  private static let sizeLimit = 4 << 20

  private let folder: TaskFolder
  private let liveThread: Int32
  private var unix: [UInt64: UnixSocket]?
  /// The inodes of listening unix sockets by their path.
  private var listeners: [String: UInt64] = [:]
  private var internet: [UInt64: (socket: InternetSocket, kind: WaitDescriptor.Kind)]?
  private var tcp: [InternetSocket] = []
  /// TCP sockets by both addresses.
  private var byEnds: [String: UInt64] = [:]

  init(_ folder: TaskFolder, liveThread: Int32) {
    self.folder = folder
    self.liveThread = liveThread
  }

  /// What the socket of that inode is, and where its peer is to be found.
  mutating func describe(
    _ descriptor: Int32, inode: UInt64, link: String, connectingTo address: String?
  ) -> (WaitDescriptor, PeerRequest?) {
    readUnix()
    if let socket = unix?[inode] {
      return describe(descriptor, socket, link: link, connectingTo: address)
    }
    readInternet()
    guard let (socket, kind) = internet?[inode] else {
      return (WaitDescriptor(number: descriptor, kind: .otherSocket, name: link), nil)
    }
    let remote = socket.hasRemote ? socket.remote : address
    var state = kind == .tcpSocket ? socket.waitState : nil
    guard socket.state != InternetSocket.listening, let remote else {
      let result = WaitDescriptor(
        number: descriptor, kind: kind, name: socket.local, peerAddress: remote, state: state)
      return (result, nil)
    }
    let peer = byEnds[Self.ends(remote, socket.local)] ?? 0
    var request = peer == 0 ? nil : PeerRequest.sockets([peer])
    // Nobody has accepted it yet: who listens there could.
    if kind == .tcpSocket, peer == 0, let listener = listener(at: remote) {
      request = .sockets([listener])
      if socket.state == InternetSocket.established { state = .other("connected, not accepted") }
    }
    let result = WaitDescriptor(
      number: descriptor, kind: kind, name: socket.local, peerAddress: remote, state: state)
    return (result, request)
  }

  private mutating func describe(
    _ descriptor: Int32, _ socket: UnixSocket, link: String, connectingTo address: String?
  ) -> (WaitDescriptor, PeerRequest?) {
    var result = WaitDescriptor(
      number: descriptor, kind: .unixSocket, name: socket.path ?? link,
      state: socket.isListening ? .listening : socket.stateName.map { .other($0) })
    if socket.isListening { return (result, nil) }
    if let address {
      result.peerAddress = address
      result.state = .other("connecting")
      return (result, listeners[address].map { .sockets([$0]) })
    }
    guard let peer = UnixSocketPeers.peer(of: socket.inode) else { return (result, nil) }
    let path = unix?[peer]?.path
    result.peerAddress = path
    return (result, .sockets([peer] + (path.flatMap { listeners[$0] }.map { [$0] } ?? [])))
  }

  private mutating func readUnix() {
    guard unix == nil else { return }
    var table: [UInt64: UnixSocket] = [:]
    for socket in UnixSocket.table(parsing: read("unix")) {
      table[socket.inode] = socket
      if socket.isListening, let path = socket.path { listeners[path] = socket.inode }
    }
    unix = table
  }

  private mutating func readInternet() {
    guard internet == nil else { return }
    var table: [UInt64: (socket: InternetSocket, kind: WaitDescriptor.Kind)] = [:]
    for (file, kind) in [
      ("tcp", WaitDescriptor.Kind.tcpSocket), ("tcp6", .tcpSocket), ("udp", .udpSocket),
      ("udp6", .udpSocket),
    ] {
      for socket in InternetSocket.table(parsing: read(file)) {
        if socket.inode != 0 { table[socket.inode] = (socket, kind) }
        if kind == .tcpSocket, socket.state == InternetSocket.listening { tcp.append(socket) }
        if socket.hasRemote { byEnds[Self.ends(socket.local, socket.remote)] = socket.inode }
      }
    }
    internet = table
  }

  private func read(_ table: String) -> String {
    let bytes = folder.bytes(of: "net/\(table)", of: liveThread, limit: Self.sizeLimit)
    return String(decoding: bytes ?? [], as: UTF8.self)
  }

  private static func ends(_ local: String, _ remote: String) -> String { local + " " + remote }

  /// The socket that listens at an address of this machine.
  ///
  /// One bound to any address counts only for the loopback addresses: others may be another
  /// machine's.
  private func listener(at address: String) -> UInt64? {
    if let exact = tcp.first(where: { $0.local == address }) { return exact.inode }
    guard let port = address.split(separator: ":").last,
      address.hasPrefix("127.") || address.hasPrefix("[::1]")
    else { return nil }
    return tcp.first { $0.local == "0.0.0.0:\(port)" || $0.local == "[::]:\(port)" }?.inode
  }
}

extension InternetSocket {
  fileprivate var waitState: WaitDescriptor.State? {
    state == Self.listening ? .listening : stateName.map { .other($0) }
  }
}
