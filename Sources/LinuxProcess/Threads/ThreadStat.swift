/// What `/proc/PID/task/TID/stat` says of a thread.
package struct ThreadStat: Equatable, Sendable {
  /// Nil for a name that the kernel does not write as it is.
  package let name: String?
  package let state: ThreadState
  /// The kernel's own flags of the thread (PF_ in include/linux/sched.h).
  package let flags: UInt64
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
    // The state is field 3, the flags 9, the processor 39 (proc_pid_stat(5)).
    for _ in 3..<9 { fields.skipWord() }
    flags = fields.decimal() ?? 0
    for _ in 10..<39 { fields.skipWord() }
    processor = fields.decimal().flatMap { Int32(exactly: $0) }
  }

  /// Whether the thread does the kernel's work, such as that of io_uring: it never runs code of the
  /// program, and has no stack of it.
  ///
  /// PF_IO_WORKER is 0x10 (5.12 and later have such threads in processes), PF_USER_WORKER 0x4000 (6.4
  /// and later; before, the flag of a process that loads a kernel module).
  package func isKernelWorker(isMain: Bool) -> Bool {
    flags & 0x10 != 0 || flags & 0x4000 != 0 && !isMain
  }

  /// The state alone.
  static func state(parsing text: UnsafeRawBufferPointer) -> ThreadState? {
    // The name in parentheses may hold anything, ")" too, so the last one counts.
    guard let end = text.lastIndex(of: UInt8(ascii: ")")), end + 2 < text.count else { return nil }
    return ThreadState(letter: text[end + 2])
  }
}
