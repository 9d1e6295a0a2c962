internal import Glibc
package import ProfileModel

/// What `/proc/PID/task/TID/syscall` says of a thread, without a stop.
package enum SystemCallState: Equatable, Sendable {
  /// On a CPU, or ready for one.
  case running
  /// Asleep in system call `number` (-1: in the kernel for another reason, such as a page fault),
  /// where its user registers SP and PC are known.
  case asleep(
    number: Int32, arguments: InlineArray<6, UInt64>, stackPointer: RemoteAddress, pc: RemoteAddress
  )
  /// The kernel did not say: the file is missing, forbidden, or the thread has no user stack.
  case unavailable

  /// Whether this kernel has the file: built with CONFIG_HAVE_ARCH_TRACEHOOK.
  package static let isShownByKernel = access("/proc/self/syscall", F_OK) == 0

  package static func == (left: Self, right: Self) -> Bool {
    switch (left, right) {
    case (.running, .running), (.unavailable, .unavailable): true
    case (.asleep(let n1, let a1, let s1, let p1), .asleep(let n2, let a2, let s2, let p2)):
      n1 == n2 && s1 == s2 && p1 == p2 && (0..<6).allSatisfy { a1[$0] == a2[$0] }
    default: false
    }
  }

  /// Reads one line of the file.
  package init(parsing text: UnsafeRawBufferPointer) {
    guard let first = text.first, first != UInt8(ascii: "r") else {
      self = text.isEmpty ? .unavailable : .running
      return
    }
    var scanner = NumberScanner(text)
    var arguments = InlineArray<6, UInt64>(repeating: 0)
    var number: Int32 = -1
    if first == UInt8(ascii: "-") {
      scanner.skipWord()
    } else {
      guard let decimal = scanner.decimal(), let small = Int32(exactly: decimal) else {
        self = .unavailable
        return
      }
      number = small
      for index in 0..<6 {
        guard let argument = scanner.hexadecimal() else {
          self = .unavailable
          return
        }
        arguments[index] = argument
      }
    }
    guard let stackPointer = scanner.hexadecimal(), let pc = scanner.hexadecimal(), pc != 0 else {
      // "-1 0x0 0x0": a thread without a user stack, such as an io_uring worker.
      self = .unavailable
      return
    }
    self = .asleep(
      number: number, arguments: arguments, stackPointer: RemoteAddress(stackPointer),
      pc: RemoteAddress(pc))
  }
}
