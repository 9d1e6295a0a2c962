internal import ByteReading
internal import CLinux
internal import Glibc

/// A TCP or UDP socket of a network namespace, a line of `/proc/PID/net/tcp` and the like.
package struct InternetSocket: Equatable, Sendable {
  /// `127.0.0.1:5432`, `[::1]:5432`.
  package let local: String
  /// Of the same form.
  package let remote: String
  package let localPort: UInt16
  package let remotePort: UInt16
  /// The kernel's number for its state (include/net/tcp_states.h).
  package let state: UInt8
  /// 0 for one that no process has got from `accept` yet.
  package let inode: UInt64

  /// TCP_ESTABLISHED, and the other states that matter here.
  package static let established: UInt8 = 1
  package static let connecting: UInt8 = 2
  package static let listening: UInt8 = 10

  /// The state in a word; nil for what has nothing to say, such as an unconnected UDP socket.
  package var stateName: String? {
    switch state {
    case 1: "connected"
    case 2, 3: "connecting"
    case 4, 5, 6, 9, 11: "closing"
    case 7: nil
    case 8: "closed by the peer"
    case 10: "listening"
    default: nil
    }
  }

  /// Whether the remote side is any at all.
  package var hasRemote: Bool { remotePort != 0 }

  /// Reads a table; lines that are not of its form are left out.
  package static func table(parsing text: String) -> [InternetSocket] {
    text.utf8.split(separator: UInt8(ascii: "\n")).dropFirst().compactMap {
      InternetSocket(line: $0)
    }
  }

  /// `0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 12345 …`.
  private init?(line: Substring.UTF8View.SubSequence) {
    let words = line.split(separator: UInt8(ascii: " "), maxSplits: 10)
    guard words.count > 9, let local = Self.endpoint(words[1]),
      let remote = Self.endpoint(words[2]),
      let state = number(words[3], radix: 16), let inode = number(words[9], radix: 10)
    else { return nil }
    (self.local, localPort) = local
    (self.remote, remotePort) = remote
    self.state = UInt8(truncatingIfNeeded: state)
    self.inode = inode
  }

  /// The address is written as 32-bit words of the machine's own byte order.
  private static func endpoint(_ text: some Collection<UInt8>) -> (String, UInt16)? {
    let parts = text.split(separator: UInt8(ascii: ":"))
    guard parts.count == 2, let port = number(parts[1], radix: 16).flatMap({ UInt16(exactly: $0) })
    else { return nil }
    let digits = Array(parts[0])
    guard digits.count == 8 || digits.count == 32 else { return nil }
    var bytes: [UInt8] = []
    for start in stride(from: 0, to: digits.count, by: 8) {
      guard let word = number(digits[start..<start + 8], radix: 16) else { return nil }
      withUnsafeBytes(of: UInt32(truncatingIfNeeded: word)) { bytes += $0 }
    }
    return (SocketAddress.text(of: bytes, port: port), port)
  }
}

/// Addresses as people write them.
package enum SocketAddress {
  /// `127.0.0.1:80` of 4 bytes, `[::1]:80` of 16; IPv4 addresses in IPv6 ones as the former.
  package static func text(of bytes: [UInt8], port: UInt16) -> String {
    if bytes.count == 16, bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10] == 255, bytes[11] == 255 {
      return text(of: Array(bytes[12...]), port: port)
    }
    var buffer = [CChar](repeating: 0, count: 64)
    let family = bytes.count == 16 ? AF_INET6 : AF_INET
    guard inet_ntop(family, bytes, &buffer, socklen_t(buffer.count)) != nil else { return "?" }
    let address = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
    return family == AF_INET6 ? "[\(address)]:\(port)" : "\(address):\(port)"
  }

  /// The address in the bytes of a `struct sockaddr`; nil for a family that is not known.
  package static func text(ofStructure bytes: [UInt8]) -> String? {
    guard bytes.count > 2 else { return nil }
    let port = bytes.count > 3 ? UInt16(bytes[2]) << 8 | UInt16(bytes[3]) : 0
    switch Int32(bytes[0]) | Int32(bytes[1]) << 8 {
    case AF_INET where bytes.count >= 8: return text(of: Array(bytes[4..<8]), port: port)
    case AF_INET6 where bytes.count >= 24: return text(of: Array(bytes[8..<24]), port: port)
    case AF_UNIX:
      // An abstract name begins with a zero byte, which `/proc/net/unix` writes as `@`.
      let isAbstract = bytes[2] == 0
      let name = isAbstract ? bytes[3...] : bytes[2...].prefix { $0 != 0 }
      let text = String(decoding: name, as: UTF8.self).filter { $0 != "\0" }
      return (isAbstract ? "@" : "") + text
    default: return nil
    }
  }
}

/// A unix socket, a line of `/proc/PID/net/unix`.
package struct UnixSocket: Equatable, Sendable {
  package let inode: UInt64
  /// Whether it accepts connections.
  package let isListening: Bool
  /// The kernel's `socket_state`: 1 unconnected, 2 connecting, 3 connected, 4 disconnecting.
  package let state: UInt8
  /// The path or `@` and the abstract name; nil for one without a name.
  package let path: String?

  /// The state in a word; nil for what has nothing to say.
  package var stateName: String? {
    if isListening { return "listening" }
    switch state {
    case 2: return "connecting"
    case 3: return "connected"
    case 4: return "closing"
    default: return nil
    }
  }

  /// Reads the table; lines that are not of its form are left out.
  package static func table(parsing text: String) -> [UnixSocket] {
    text.utf8.split(separator: UInt8(ascii: "\n")).dropFirst().compactMap { UnixSocket(line: $0) }
  }

  /// `ffff…: 00000002 00000000 00010000 0001 01 12345 /run/x`.
  private init?(line: Substring.UTF8View.SubSequence) {
    let words = line.split(separator: UInt8(ascii: " "), maxSplits: 7)
    guard words.count > 6, let flags = number(words[3], radix: 16),
      let state = number(words[5], radix: 16), let inode = number(words[6], radix: 10)
    else { return nil }
    self.inode = inode
    // __SO_ACCEPTCON (include/uapi/linux/net.h).
    isListening = flags & 0x10000 != 0
    self.state = UInt8(truncatingIfNeeded: state)
    path = words.count > 7 ? String(decoding: words[7], as: UTF8.self) : nil
  }
}

/// Asks the kernel about unix sockets of this network namespace (sock_diag(7)).
package enum UnixSocketPeers {
  /// The inode of the socket that the one of `inode` is connected to; nil when the kernel knows
  /// of none, as for sockets of another network namespace.
  package static func peer(of inode: UInt64) -> UInt64? {
    guard let inode = UInt32(exactly: inode) else { return nil }
    var answer = [UInt8](repeating: 0, count: 1024)
    let count = sprof_unix_peer(inode, &answer, UInt64(answer.count))
    guard count > 0 else { return nil }
    return peer(parsing: Array(answer.prefix(Int(count)))).map(UInt64.init)
  }

  /// The peer's inode in the kernel's answer: headers, then attributes of length, type and value.
  package static func peer(parsing answer: [UInt8]) -> UInt32? {
    let reader = ByteReader(answer.span.bytes)
    let header = MemoryLayout<nlmsghdr>.size
    guard let type = reader.value(at: 4, as: UInt16.self), type == SOCK_DIAG_BY_FAMILY,
      let length = reader.value(at: 0, as: UInt32.self).map({ min(Int($0), answer.count) })
    else { return nil }
    var position = header + MemoryLayout<unix_diag_msg>.size
    while position + 4 <= length, let size = reader.value(at: position, as: UInt16.self), size >= 4
    {
      if reader.value(at: position + 2, as: UInt16.self) == UInt16(UNIX_DIAG_PEER) {
        return reader.value(at: position + 4, as: UInt32.self)
      }
      position += (Int(size) + 3) & ~3
    }
    return nil
  }
}
