/// What `/proc/PID/task/TID/stat` says of a thread.
package struct ThreadStat: Equatable, Sendable {
  /// Nil for a name that the kernel does not write as it is.
  package let name: String?
  package let state: ThreadState
  /// The CPU that it last ran on.
  package let processor: Int32?

  /// Reads the file's one line; nil when it is not of that form.
  package init?(parsing text: UnsafeRawBufferPointer) {
    guard let state = Self.state(parsing: text),
      let start = text.firstIndex(of: UInt8(ascii: "(")),
      let end = text.lastIndex(of: UInt8(ascii: ")")), start < end,
      var fields = NumberScanner(afterNameIn: text)
    else { return nil }
    self.state = state
    let name = text[(start + 1)..<end]
    // A backslash and the end of a line are written as `\\` and `\n` (kernel: proc_task_name).
    self.name =
      name.contains(UInt8(ascii: "\\")) ? nil : String(decoding: name, as: UTF8.self)
    // The state is field 3, the processor 39 (proc_pid_stat(5)).
    for _ in 3..<39 { fields.skipWord() }
    processor = fields.decimal().flatMap { Int32(exactly: $0) }
  }

  /// The state alone.
  static func state(parsing text: UnsafeRawBufferPointer) -> ThreadState? {
    // The name in parentheses may hold anything, ")" too, so the last one counts.
    guard let end = text.lastIndex(of: UInt8(ascii: ")")), end + 2 < text.count else { return nil }
    return ThreadState(letter: text[end + 2])
  }
}
