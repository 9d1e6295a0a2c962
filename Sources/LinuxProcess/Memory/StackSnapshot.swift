package import ProfileModel

/// A thread's registers and the bytes of its stack at one instant.
///
/// The bytes are borrowed: they belong to the ring or buffer that they were copied into.
package struct StackSnapshot {
  package let registers: Registers
  /// The address of the first byte of `bytes`.
  package let start: RemoteAddress
  /// From `start` on, upwards.
  package let bytes: UnsafeRawBufferPointer
  /// Whether the copy goes on to the end of the stack's mapping; else it was cut at a limit.
  package let reachesEnd: Bool

  package init(
    registers: Registers, start: RemoteAddress, bytes: UnsafeRawBufferPointer, reachesEnd: Bool
  ) {
    self.registers = registers
    self.start = start
    self.bytes = bytes
    self.reachesEnd = reachesEnd
  }
}
