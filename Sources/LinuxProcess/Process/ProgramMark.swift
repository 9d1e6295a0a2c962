internal import Glibc
internal import ProfileModel

/// What tells the program that a process runs from another one that it becomes by `execve`.
///
/// The kernel puts 16 random bytes on the stack of each new program (AT_RANDOM, Linux 2.6.29 and later).
/// Nothing else tells two programs apart whose addresses are not random: thread, maps, and what lies at
/// any other address may be the same.
package struct ProgramMark: Sendable {
  private static let random: UInt64 = 25
  private static let count = 16
  private let place: RemoteAddress
  private let bytes: [UInt8]

  /// Nil where the process has ended, and where a kernel gives no such bytes.
  package init?(_ memory: ProcessMemory) {
    guard let vector = try? ProcFile.bytes(of: "/proc/\(memory.tid)/auxv"),
      let place = Self.place(in: vector),
      let bytes = memory.read(at: place, count: Self.count), bytes.count == Self.count
    else { return nil }
    self.place = place
    self.bytes = bytes
  }

  /// Of the auxiliary vector: pairs of words.
  static func place(in vector: [UInt8]) -> RemoteAddress? {
    vector.withUnsafeBytes { vector in
      for pair in stride(from: 0, through: vector.count - 16, by: 16)
      where vector.loadUnaligned(fromByteOffset: pair, as: UInt64.self) == random {
        return RemoteAddress(vector.loadUnaligned(fromByteOffset: pair + 8, as: UInt64.self))
      }
      return nil
    }
  }

  /// Whether the process runs that program still, or has ended; one small read.
  package func isSame(in memory: ProcessMemory) -> Bool {
    if memory.read(at: place, count: Self.count) == bytes { return true }
    // Of one that has ended there is no mark.
    return ProgramMark(memory) == nil
  }
}
