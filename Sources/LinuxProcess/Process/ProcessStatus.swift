/// What `/proc/PID/status` says of a process or thread.
///
/// Reading it costs the target nothing.
package struct ProcessStatus: Sendable {
  /// Cut by the kernel at 15 bytes.
  package let name: String
  package let state: ThreadState
  /// The process that traces it, 0 for none.
  package let tracer: Int32
  /// The process that the thread belongs to.
  package let threadGroup: Int32
  package let userID: UInt32
  package let effectiveUserID: UInt32
  package let threadCount: Int
  /// The process that has started it, or has inherited it.
  package let parent: Int32
  /// Its number in each PID namespace that it is in, from that of `/proc` to its own: what the
  /// program itself sees comes last.
  package let namespaceNumbers: [Int32]
  /// Whether it has an address space; kernel threads and zombies have none.
  package let hasMemory: Bool
  /// Whether a seccomp filter is in force for it.
  package let hasSeccompFilter: Bool
  /// The effective capabilities as a bit mask.
  package let capabilities: UInt64
  /// The signals that the process has handlers for, as a bit mask: bit 0 is signal 1.
  package let handledSignals: UInt64

  /// Reads `/proc/PID/status`, where `id` may be a process or a thread.
  package init(of id: Int32) throws(SystemError) {
    self.init(parsing: try ProcFile.read("/proc/\(id)/status"))
  }

  /// Reads the text of the file; what is missing reads as 0.
  package init(parsing text: String) {
    // Keys have at most 15 bytes here, which a string holds without allocating.
    var fields: [String: Substring.UTF8View] = [:]
    for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
      let key = String(decoding: line[..<colon], as: UTF8.self)
      guard Self.keys.contains(key) else { continue }
      fields[key] = line[line.index(after: colon)...].drop(while: Self.isBlank)
    }
    func word(_ key: String, _ index: Int = 0) -> Substring? {
      let words = fields[key]?.split(maxSplits: index + 1, whereSeparator: Self.isBlank)
      guard let words, index < words.count else { return nil }
      return Substring(words[index])
    }
    name = fields["Name"].map { String(Substring($0)) } ?? "?"
    state = ThreadState(letter: word("State")?.utf8.first ?? UInt8(ascii: "?"))
    tracer = word("TracerPid").flatMap { Int32($0) } ?? 0
    threadGroup = word("Tgid").flatMap { Int32($0) } ?? 0
    userID = word("Uid", 0).flatMap { UInt32($0) } ?? 0
    effectiveUserID = word("Uid", 1).flatMap { UInt32($0) } ?? 0
    threadCount = word("Threads").flatMap { Int($0) } ?? 0
    parent = word("PPid").flatMap { Int32($0) } ?? 0
    namespaceNumbers =
      fields["NSpid"]?.split(whereSeparator: Self.isBlank).compactMap { Int32(Substring($0)) } ?? []
    hasMemory = fields["VmSize"] != nil
    hasSeccompFilter = word("Seccomp") == "2"
    capabilities = word("CapEff").flatMap { UInt64($0, radix: 16) } ?? 0
    handledSignals = word("SigCgt").flatMap { UInt64($0, radix: 16) } ?? 0
  }

  private static let keys: Set<String> = [
    "Name", "State", "TracerPid", "Tgid", "Uid", "Threads", "PPid", "NSpid", "VmSize", "Seccomp",
    "CapEff", "SigCgt",
  ]

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "\t") || byte == UInt8(ascii: " ")
  }
}
