package import ProfileModel

/// The general registers of a thread, of which some may be unknown.
///
/// The order is that of libunwind and of DWARF's x86_64 numbering as libunwind uses it:
/// RAX RDX RCX RBX RSI RDI RBP RSP R8…R15 RIP.
public struct Registers: Sendable {
  package static let count = 17
  // Indexes of the registers with a name here. Computed and public, so that other targets do not call an
  // accessor at each frame (see `RemoteAddress`).
  @inlinable
  public static var framePointer: Int { 6 }
  @inlinable
  public static var stackPointer: Int { 7 }
  @inlinable
  public static var instructionPointer: Int { 16 }

  /// In that order; 0 where not known.
  package var values: InlineArray<17, UInt64>
  /// Bit i says whether register i is known.
  package var known: UInt32

  /// No register is known.
  package init() {
    values = InlineArray(repeating: 0)
    known = 0
  }

  /// What the kernel says of a sleeping thread without a stop.
  package init(stackPointer: RemoteAddress, instructionPointer: RemoteAddress) {
    self.init()
    set(Self.stackPointer, stackPointer.rawValue)
    set(Self.instructionPointer, instructionPointer.rawValue)
  }

  /// Makes register `index` known.
  package mutating func set(_ index: Int, _ value: UInt64) {
    values[index] = value
    known |= 1 << UInt32(index)
  }

  package func isKnown(_ index: Int) -> Bool { known & 1 << UInt32(index) != 0 }

  /// Whether all are known.
  package var areComplete: Bool { known == (1 << UInt32(Self.count)) - 1 }

  package var stackPointer: RemoteAddress { RemoteAddress(values[Self.stackPointer]) }
  package var instructionPointer: RemoteAddress { RemoteAddress(values[Self.instructionPointer]) }
}
