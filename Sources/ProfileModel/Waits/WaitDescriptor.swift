/// An open descriptor that a thread waits on.
package struct WaitDescriptor: Hashable, Sendable {
  /// The raw values are words for programs.
  package enum Kind: String, Sendable, CaseIterable {
    case pipe, fifo, file, directory, device, tty, eventfd, timerfd, signalfd, inotify, epoll, pidfd
    case unixSocket = "unix_socket"
    case tcpSocket = "tcp_socket"
    case udpSocket = "udp_socket"
    case otherSocket = "other_socket"
    case ioUring = "io_uring"
    case closed
    case unknown
  }

  /// The state of a socket or a timer.
  package enum State: Hashable, Sendable {
    /// A socket that others connect to.
    case listening
    /// A state that nothing depends on, in words: `connecting`, `not set`.
    case other(String)

    package init(rawName: String) { self = rawName == "listening" ? .listening : .other(rawName) }

    /// The word for programs and for users.
    package var rawName: String {
      switch self {
      case .listening: "listening"
      case .other(let words): words
      }
    }
  }

  package let number: Int32
  package var kind: Kind
  /// A path, a socket's own address, or the text of the link in `/proc/PID/fd`.
  package var name: String
  /// The other end's address, such as `127.0.0.1:5432`, or its path.
  package var peerAddress: String?
  /// The processes that hold the other end.
  package var peers: [WaitOwner]
  /// What the thread waits for there: `readable`, `writable`; nil when not known.
  package var events: String?
  /// A socket's or a timer's state; nil for what has none.
  package var state: State?

  package init(
    number: Int32, kind: Kind, name: String, peerAddress: String? = nil, peers: [WaitOwner] = [],
    events: String? = nil, state: State? = nil
  ) {
    self.number = number
    self.kind = kind
    self.name = name
    self.peerAddress = peerAddress
    self.peers = peers
    self.events = events
    self.state = state
  }
}
