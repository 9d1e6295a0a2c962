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
  /// A piece of another stack, on which the thread was when a signal came whose handler has its own
  /// (sigaltstack(2)), and the address of its first byte; empty for nearly all threads.
  package let outer: (start: RemoteAddress, bytes: UnsafeRawBufferPointer)

  package init(
    registers: Registers, start: RemoteAddress, bytes: UnsafeRawBufferPointer, reachesEnd: Bool,
    outer: (start: RemoteAddress, bytes: UnsafeRawBufferPointer) = (
      RemoteAddress(0), UnsafeRawBufferPointer(start: nil, count: 0)
    )
  ) {
    self.registers = registers
    self.start = start
    self.bytes = bytes
    self.reachesEnd = reachesEnd
    self.outer = outer
  }

  /// Whether `address` is in one of the pieces.
  package func contains(_ address: RemoteAddress) -> Bool {
    address.distance(from: start) < UInt64(bytes.count)
      || address.distance(from: outer.start) < UInt64(outer.bytes.count)
  }
}
