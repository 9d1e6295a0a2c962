internal import Glibc
internal import ProfileModel

/// The program that a process runs, told apart from another one that it becomes by `execve`.
///
/// The kernel puts 16 random bytes on the stack of each new program (AT_RANDOM, Linux 2.6.29 and later).
/// Nothing else distinguishes two programs whose addresses are not random: thread, maps, and what is at
/// any other address may be the same.
package struct ProgramIdentity: Sendable {
  private static let random: UInt64 = 25
  private static let count = 16
  private let address: RemoteAddress
  private let bytes: [UInt8]

  /// Nil where the process has ended, and where a kernel gives no such bytes.
  package init?(_ memory: ProcessMemory) {
    guard let vector = try? ProcFile.bytes(of: "/proc/\(memory.tid)/auxv"),
      let address = Self.address(in: vector),
      let bytes = memory.read(at: address, count: Self.count), bytes.count == Self.count
    else { return nil }
    self.address = address
    self.bytes = bytes
  }

  /// Where the bytes are, by the auxiliary vector: pairs of words.
  static func address(in vector: [UInt8]) -> RemoteAddress? {
    vector.withUnsafeBytes { vector in
      for pair in stride(from: 0, through: vector.count - 16, by: 16)
      where vector.loadUnaligned(fromByteOffset: pair, as: UInt64.self) == random {
        return RemoteAddress(vector.loadUnaligned(fromByteOffset: pair + 8, as: UInt64.self))
      }
      return nil
    }
  }

  /// Whether the process still runs that program, or has ended; one small read.
  package func isSame(in memory: ProcessMemory) -> Bool {
    if memory.read(at: address, count: Self.count) == bytes { return true }
    // One that has ended has no such bytes.
    return ProgramIdentity(memory) == nil
  }
}
