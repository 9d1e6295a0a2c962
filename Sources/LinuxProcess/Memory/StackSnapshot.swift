package import ProfileModel

/// The general registers of a thread, of which some may not be known.
///
/// The order is that of libunwind and of DWARF's x86_64 numbering as libunwind uses it:
/// RAX RDX RCX RBX RSI RDI RBP RSP R8…R15 RIP.
package struct Registers: Sendable {
  package static let count = 17
  package static let framePointer = 6
  package static let stackPointer = 7
  package static let instructionPointer = 16

  package var values: InlineArray<17, UInt64>
  /// Bit i says whether register i is known.
  package var known: UInt32

  /// No register known.
  package init() {
    values = InlineArray(repeating: 0)
    known = 0
  }

  /// What the kernel tells of a sleeping thread without a stop.
  package init(stackPointer: UInt64, instructionPointer: UInt64) {
    self.init()
    set(Self.stackPointer, stackPointer)
    set(Self.instructionPointer, instructionPointer)
  }

  package mutating func set(_ index: Int, _ value: UInt64) {
    values[index] = value
    known |= 1 << UInt32(index)
  }

  package func isKnown(_ index: Int) -> Bool { known & 1 << UInt32(index) != 0 }

  package var areComplete: Bool { known == (1 << UInt32(Self.count)) - 1 }

  package var stackPointer: RemoteAddress { RemoteAddress(values[Self.stackPointer]) }
  package var instructionPointer: RemoteAddress { RemoteAddress(values[Self.instructionPointer]) }
}

/// A thread's registers and the bytes of its stack at one instant.
///
/// The bytes are borrowed: they belong to the ring or buffer that they were copied into.
package struct StackSnapshot {
  package let registers: Registers
  /// The address of the first byte of `bytes`.
  package let start: RemoteAddress
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
