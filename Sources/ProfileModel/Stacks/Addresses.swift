/// A virtual address in the watched process.
///
/// Public, as no other type here need be: the compiler (6.3) inlines across targets only what is public,
/// and the loop that unwinds makes and compares addresses at each frame.
public struct RemoteAddress: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let rawValue: UInt64

  @inlinable
  public init(_ rawValue: UInt64) { self.rawValue = rawValue }

  // The operators that the compiler would write are not inlined across targets.
  @inlinable
  public static func == (left: Self, right: Self) -> Bool { left.rawValue == right.rawValue }

  @inlinable
  public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

  @inlinable
  public static func > (left: Self, right: Self) -> Bool { left.rawValue > right.rawValue }

  @inlinable
  public static func >= (left: Self, right: Self) -> Bool { left.rawValue >= right.rawValue }

  @inlinable
  public static func <= (left: Self, right: Self) -> Bool { left.rawValue <= right.rawValue }

  /// The address `offset` bytes further; wraps around like the machine's own arithmetic.
  @inlinable
  public func advanced(by offset: Int64) -> RemoteAddress {
    RemoteAddress(rawValue &+ UInt64(bitPattern: offset))
  }

  /// How many bytes it is behind `start`; wraps around like the machine's own arithmetic.
  @inlinable
  public func distance(from start: RemoteAddress) -> UInt64 { rawValue &- start.rawValue }

  public var description: String { "0x" + String(rawValue, radix: 16) }
}

/// A virtual address as in an ELF file's own headers, symbols and debug data: without the load
/// bias.
public struct FileAddress: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let rawValue: UInt64

  @inlinable
  public init(_ rawValue: UInt64) { self.rawValue = rawValue }

  @inlinable
  public static func == (left: Self, right: Self) -> Bool { left.rawValue == right.rawValue }

  @inlinable
  public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

  public var description: String { "0x" + String(rawValue, radix: 16) }
}

/// The number of an entry of `Profile.modules`.
package struct ModuleID: Hashable, Comparable, Sendable {
  package let rawValue: Int32

  package init(_ rawValue: Int32) { self.rawValue = rawValue }

  /// Code in no file: a JIT compiler's page, or a page that was never found.
  package static let anonymous = ModuleID(-1)

  package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// A place in code that stays the same wherever its module is loaded.
///
/// A return address is stored as the byte before it, inside the call, so that the same address
/// serves for unwinding, lines and inlined frames.
package struct CodeAddress: Hashable, Sendable {
  package let module: ModuleID
  /// In an anonymous module this is the plain remote address.
  package let address: FileAddress

  package init(module: ModuleID, address: FileAddress) {
    self.module = module
    self.address = address
  }
}
