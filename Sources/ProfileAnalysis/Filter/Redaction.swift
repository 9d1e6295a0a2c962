package import ProfileModel

/// Takes out of a profile what tells who made it and with what: for a text that goes to strangers.
///
/// Home directories become `~`; names of users and of the host, values of command line arguments,
/// and addresses of sockets other than those of the machine itself are masked. Functions, files
/// below the home directory, threads and locks stay, for without them nothing is explained.
package struct Redaction: Sendable {
  /// Stands for what was taken out.
  package static let mask = "…"

  private let homes: [String]
  private let names: [String]

  /// A redaction that also knows the home directory and the names of the user who asks.
  package init(home: String? = nil, userNames: [String] = []) {
    // Nothing is gained by a root directory as a home, and much is lost.
    homes = [home].compactMap { $0 }.filter { $0.utf8.count > 1 && $0.hasPrefix("/") }
      .map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
    names = userNames.filter { $0.utf8.count > 2 && $0 != "root" }
  }

  /// The profile without them.
  package func apply(to profile: Profile) -> Profile {
    var redacted = profile
    var users = Set(names)
    for path in paths(of: profile) {
      if let user = Self.user(ofPath: path) { users.insert(user) }
    }
    let host = profile.capture.hostName
    let secrets = (users.union(host.utf8.count > 2 && host != "localhost" ? [host] : []))
      .sorted { ($0.utf8.count, $1) > ($1.utf8.count, $0) }
    let text = Text(homes: homes, secrets: secrets)
    redacted.capture.hostName = host.isEmpty ? "" : Self.mask
    redacted.capture.executable = profile.capture.executable.map(text.clean)
    redacted.capture.processName = text.clean(profile.capture.processName)
    redacted.capture.commandLine = Self.arguments(profile.capture.commandLine, text)
    redacted.capture.notes = profile.capture.notes.map(text.clean)
    redacted.modules = profile.modules.map { module in
      Module(
        path: text.clean(module.path), buildID: module.buildID,
        problem: module.problem.map(text.clean))
    }
    redacted.symbols = profile.symbols.map { frame in
      ResolvedFrame(lines: frame.lines.map { $0.redacted(text) }, module: frame.module)
    }
    for index in redacted.threads.indices {
      redacted.threads[index].name = text.clean(redacted.threads[index].name)
    }
    redacted.blockings = profile.blockings.map { $0.redacted(text) }
    redacted.tasks = profile.tasks.map { $0.redacted(text) }
    return redacted
  }

  private func paths(of profile: Profile) -> [String] {
    profile.modules.map(\.path) + [profile.capture.executable].compactMap { $0 }
      + profile.symbols.flatMap { $0.lines.compactMap(\.file) }
      + profile.tasks.flatMap { $0.stacks.flatMap { $0.compactMap(\.file) } }
  }

  /// `anna` of `/home/anna/src`.
  private static func user(ofPath path: String) -> String? {
    guard path.hasPrefix("/home/") else { return nil }
    let name = path.dropFirst(6).prefix { $0 != "/" }
    return name.utf8.count > 2 ? String(name) : nil
  }

  /// The program's own name, and of the others the options without their values.
  private static func arguments(_ arguments: [String], _ text: Text) -> [String] {
    arguments.enumerated().map { position, argument in
      if position == 0 { return text.clean(argument) }
      guard argument.hasPrefix("-") else { return mask }
      guard let sign = argument.firstIndex(of: "=") else {
        // A short option may have its value behind it: `-ppassword`.
        return argument.hasPrefix("--") || argument.utf8.count <= 2
          ? text.clean(argument) : String(argument.prefix(2)) + mask
      }
      return text.clean(String(argument[...sign])) + mask
    }
  }
}

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

    /// An address of a socket: that of the machine itself stays, and so does the port.
    func cleanAddress(_ address: String) -> String {
      if address.hasPrefix("/") || address.hasPrefix("@") { return clean(address) }
      guard let colon = address.lastIndex(of: ":") else { return mask }
      let host = address[..<colon]
      let own = ["127.", "::1", "[::1]", "localhost", "0.0.0.0", "[::]", "[::ffff:127.", "*"]
      return own.contains { host.hasPrefix($0) } ? address : mask + address[colon...]
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

extension SourceLine {
  fileprivate func redacted(_ text: Redaction.Text) -> SourceLine {
    // The name of a task is the user's own text, not the program's.
    let isTask = file == nil && function.hasPrefix("<task")
    return SourceLine(
      function: isTask ? text.clean(function) : text.cleanPaths(function),
      linkageName: linkageName.map(text.cleanPaths),
      file: file.map(text.clean), line: line, isInlined: isInlined)
  }
}

extension AsyncTasks {
  fileprivate func redacted(_ text: Redaction.Text) -> AsyncTasks {
    var result = self
    result.stacks = stacks.map { $0.map { $0.redacted(text) } }
    result.tasks = tasks.map { task in
      AsyncTask(
        address: task.address, name: text.clean(task.name), tid: task.tid, state: task.state,
        stack: task.stack, awaitedBy: task.awaitedBy)
    }
    return result
  }
}

extension Blocking {
  fileprivate func redacted(_ text: Redaction.Text) -> Blocking {
    var wait = wait
    wait.descriptors = wait.descriptors.map(text.clean)
    wait.owners = wait.owners.map(text.clean)
    if var object = wait.object {
      object.file = object.file.map(text.clean)
      object.mapping = object.mapping.map(text.clean)
      wait.object = object
    }
    let waiter = WaitingThread(
      pid: waiter.pid, tid: waiter.tid, name: text.clean(waiter.name),
      processName: text.clean(waiter.processName), threadCount: waiter.threadCount)
    return Blocking(
      waiter: waiter, wait: wait, since: since, firstSeen: firstSeen, lastSeen: lastSeen,
      samples: samples)
  }
}

extension String {
  /// The text with a directory replaced where it is one of its own: not `/rootfs` for `/root`.
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
