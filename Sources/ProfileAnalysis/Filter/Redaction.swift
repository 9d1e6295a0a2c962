package import ProfileModel

/// Removes from a profile what identifies its user and machine, so that a report can be shared.
///
/// Home directories become `~`; names of users and of the host, values of command line arguments,
/// and addresses of sockets other than the machine's own are masked. Functions, files below the
/// home directory, threads and locks stay, because they explain the profile.
package struct Redaction: Sendable {
  /// Stands for what was removed.
  package static let mask = "…"

  private let homes: [String]
  private let names: [String]

  /// A redaction that also knows the home directory and the names of the present user.
  package init(home: String? = nil, userNames: [String] = []) {
    // With `/` as a home directory every path would be masked.
    homes = [home].compactMap { $0 }.filter { $0.utf8.count > 1 && $0.hasPrefix("/") }
      .map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
    names = userNames.filter { $0.utf8.count > 2 && $0 != "root" }
  }

  /// The redacted profile.
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
    for window in redacted.capture.windows.indices {
      redacted.capture.windows[window].title = Self.mask
    }
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
      if let process = redacted.threads[index].process {
        redacted.threads[index].process = OwningProcess(
          pid: process.pid, name: text.clean(process.name), isPeer: process.isPeer)
      }
    }
    redacted.blockings = profile.blockings.map { $0.redacted(text) }
    redacted.waitHistory = profile.waitHistory.mapWaits { $0.redacted(text) }
    redacted.tasks = profile.tasks.map { $0.redacted(text) }
    redacted.goroutines = profile.goroutines.map { $0.redacted(text) }
    return redacted
  }

  private func paths(of profile: Profile) -> [String] {
    profile.modules.map(\.path) + [profile.capture.executable].compactMap { $0 }
      + profile.symbols.flatMap { $0.lines.compactMap(\.file) }
      + profile.tasks.flatMap { $0.stacks.flatMap { $0.compactMap(\.file) } }
      + profile.goroutines.flatMap { $0.stacks.flatMap { $0.compactMap(\.file) } }
  }

  /// `anna` of `/home/anna/src`.
  private static func user(ofPath path: String) -> String? {
    guard path.hasPrefix("/home/") else { return nil }
    let name = path.dropFirst(6).prefix { $0 != "/" }
    return name.utf8.count > 2 ? String(name) : nil
  }

  /// The name of the program, and the options without their values.
  private static func arguments(_ arguments: [String], _ text: Text) -> [String] {
    arguments.enumerated().map { position, argument in
      if position == 0 { return text.clean(argument) }
      guard argument.hasPrefix("-") else { return mask }
      guard let sign = argument.firstIndex(of: "=") else {
        // A short option may be followed by its value: `-ppassword`.
        return argument.hasPrefix("--") || argument.utf8.count <= 2
          ? text.clean(argument) : String(argument.prefix(2)) + mask
      }
      return text.clean(String(argument[...sign])) + mask
    }
  }
}

extension SourceLine {
  fileprivate func redacted(_ text: Redaction.Text) -> SourceLine {
    // The name of a task may hold any data of the user.
    return SourceLine(
      function: isTaskMarker ? text.clean(function) : text.cleanPaths(function),
      linkageName: linkageName.map(text.cleanPaths),
      file: file.map(text.clean), line: line, isInlined: isInlined, language: language)
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

extension Goroutines {
  fileprivate func redacted(_ text: Redaction.Text) -> Goroutines {
    var result = self
    result.stacks = stacks.map { $0.map { $0.redacted(text) } }
    for index in result.groups.indices {
      result.groups[index].creator = groups[index].creator?.redacted(text)
      result.groups[index].names = groups[index].names.map(text.clean)
      result.groups[index].wait = groups[index].wait?.redacted(text)
    }
    return result
  }
}

extension Blocking {
  fileprivate func redacted(_ text: Redaction.Text) -> Blocking {
    let waiter = WaitingThread(
      pid: waiter.pid, tid: waiter.tid, name: text.clean(waiter.name),
      processName: text.clean(waiter.processName), threadCount: waiter.threadCount,
      wakingSignal: waiter.wakingSignal)
    return Blocking(
      waiter: waiter, wait: wait.redacted(text), since: since, firstSeen: firstSeen,
      lastSeen: lastSeen,
      samples: samples)
  }
}

extension Wait {
  fileprivate func redacted(_ text: Redaction.Text) -> Wait {
    var wait = self
    wait.descriptors = descriptors.map(text.clean)
    wait.owners = owners.map(text.clean)
    if var object {
      object.file = object.file.map(text.clean)
      object.mapping = object.mapping.map(text.clean)
      wait.object = object
    }
    return wait
  }
}
