internal import ProfileModel

extension Redaction {
  /// Cleans one text.
  struct Text {
    let homes: [String]
    let secrets: [String]

    /// The text without home directories.
    func cleanPaths(_ text: String) -> String {
      guard text.utf8.contains(UInt8(ascii: "/")) else { return text }
      var result = text
      for home in homes { result = result.replacingPath(home, with: "~") }
      result = result.replacing(/\/home\/[^\/\s"']+/, with: "~")
      return result.replacingPath("/root", with: "~")
    }

    /// The text without home directories and names of users and of the host.
    func clean(_ text: String) -> String {
      var result = cleanPaths(text)
      for secret in secrets where result.contains(secret) {
        result = result.replacingWord(secret, with: mask)
      }
      return result
    }

    /// The note; what had something removed is only words.
    func clean(_ note: CaptureNote) -> CaptureNote {
      let words = clean(note.words)
      return words == note.words ? note : .plain(words)
    }

    /// The problem, likewise.
    func clean(_ problem: ModuleProblem) -> ModuleProblem {
      let words = clean(problem.words)
      return words == problem.words ? problem : .other(words)
    }

    /// The address of a socket; the machine's own and the port stay.
    func cleanAddress(_ address: String) -> String {
      if address.hasPrefix("/") || address.hasPrefix("@") { return clean(address) }
      guard let colon = address.lastIndex(of: ":") else { return mask }
      return Self.isOwn(host: address[..<colon]) ? address : mask + address[colon...]
    }

    /// Whether a host is the machine itself, or all of its addresses: not one that only begins so.
    private static func isOwn(host: Substring) -> Bool {
      var host = host
      if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
      if ["localhost", "*", "0.0.0.0", "::", "::1"].contains(host) { return true }
      // As IPv6 shows an address of IPv4 (RFC 4291, 2.5.5.2).
      if host.hasPrefix("::ffff:") { host = host.dropFirst(7) }
      let parts = host.split(separator: ".", omittingEmptySubsequences: false)
      return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// What a descriptor is open to.
    func clean(_ descriptor: WaitDescriptor) -> WaitDescriptor {
      var result = descriptor
      result.peerAddress = descriptor.peerAddress.map(cleanAddress)
      switch descriptor.kind {
      case .tcpSocket, .udpSocket, .otherSocket: result.name = cleanAddress(descriptor.name)
      default: result.name = clean(descriptor.name)
      }
      result.peers = descriptor.peers.map(clean)
      return result
    }

    func clean(_ owner: WaitOwner) -> WaitOwner {
      guard case .process(let pid, let tid, let name) = owner else { return owner }
      return .process(pid: pid, tid: tid, name: clean(name))
    }
  }
}

extension String {
  /// The text with a directory replaced where it is a whole one: not `/rootfs` for `/root`.
  fileprivate func replacingPath(_ path: String, with replacement: String) -> String {
    replacingAll(path, with: replacement) { before, after in
      !(before.map { $0.isLetter || $0.isNumber } ?? false)
        && !(after.map { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" || $0 == "." }
          ?? false)
    }
  }

  /// The text with a word replaced where it is not part of another.
  fileprivate func replacingWord(_ word: String, with replacement: String) -> String {
    replacingAll(word, with: replacement) { before, after in
      !(before.map { $0.isLetter || $0.isNumber || $0 == "_" } ?? false)
        && !(after.map { $0.isLetter || $0.isNumber || $0 == "_" } ?? false)
    }
  }

  private func replacingAll(
    _ text: String, with replacement: String, where isMeant: (Character?, Character?) -> Bool
  ) -> String {
    var result = ""
    var rest = self[...]
    var before: Character?
    while let range = rest.firstRange(of: text) {
      let last =
        range.lowerBound > rest.startIndex ? rest[rest.index(before: range.lowerBound)] : before
      let after = range.upperBound < rest.endIndex ? rest[range.upperBound] : nil
      result += rest[..<range.lowerBound]
      result += isMeant(last, after) ? replacement : text
      before = text.last
      rest = rest[range.upperBound...]
    }
    return result + rest
  }
}
