import ArgumentParser
import Foundation
import Glibc

/// The command of `--exec`, which is run for each capture.
///
/// Its words are split at spaces. Quotes, single or double, keep spaces within a word; outside single
/// quotes a backslash takes away the meaning of what follows. Nothing else has one: there is no shell.
struct HookCommand: Sendable {
  let words: [String]

  init(_ text: String) throws {
    words = try Self.split(text)
    guard let name = words.first, !name.isEmpty else {
      throw ValidationError("it needs the name of a program.")
    }
  }

  private static func split(_ text: String) throws -> [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var isEscaped = false
    for character in text {
      if isEscaped {
        word = (word ?? "") + String(character)
        isEscaped = false
      } else if character == "\\", quote != "'" {
        isEscaped = true
      } else if let open = quote {
        if character == open { quote = nil } else { word = (word ?? "") + String(character) }
      } else if character == "'" || character == "\"" {
        quote = character
        word = word ?? ""
      } else if character == " " || character == "\t" || character == "\n" {
        if let finished = word { words.append(finished) }
        word = nil
      } else {
        word = (word ?? "") + String(character)
      }
    }
    guard quote == nil, !isEscaped else {
      throw ValidationError("a quote or a backslash at its end is left open.")
    }
    if let word { words.append(word) }
    return words
  }

  /// Runs it to its end, with `input` on its stdin and the capture's path in `SPROF_CAPTURE`.
  ///
  /// Its output goes to sprof's stderr. Returns what went wrong.
  func run(input: String, capture: String) -> String? {
    var ends: [CInt] = [-1, -1]
    guard pipe(&ends) == 0 else { return Self.reason(errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let (pid, code) = spawn(reading: ends[0], capture)
    close(ends[0])
    if code == 0 { feed(input, to: ends[1]) }
    close(ends[1])
    guard code == 0 else { return "\(words[0]): \(Self.reason(code))" }
    var status: CInt = 0
    while waitpid(pid, &status, 0) < 0 {
      guard errno == EINTR else { return Self.reason(errno) }
    }
    let signal = status & 0x7f
    if signal != 0 { return "\(words[0]) was killed by signal \(signal)" }
    let exit = (status >> 8) & 0xff
    return exit == 0 ? nil : "\(words[0]) exited with code \(exit)"
  }

  private func spawn(reading input: CInt, _ capture: String) -> (pid_t, CInt) {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    var all = sigset_t()
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    var arguments = words.map { strdup($0) } + [nil]
    var variables = Self.environment(with: capture).map { strdup($0) } + [nil]
    defer { for text in arguments + variables { free(text) } }
    var pid: pid_t = 0
    let code = posix_spawnp(&pid, words[0], &actions, &attributes, &arguments, &variables)
    return (pid, code)
  }

  private static func environment(with capture: String) -> [String] {
    var variables = ProcessInfo.processInfo.environment
    variables["SPROF_CAPTURE"] = capture
    return variables.map { "\($0.key)=\($0.value)" }
  }

  /// Writes all of it, as far as the program reads it.
  private func feed(_ input: String, to descriptor: CInt) {
    // One that does not read must not end sprof.
    signal(SIGPIPE, SIG_IGN)
    try? FileOutput.write(to: descriptor) { $0.write(input) }
  }

  private static func reason(_ code: CInt) -> String { String(cString: strerror(code)) }
}
