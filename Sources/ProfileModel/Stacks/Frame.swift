/// Names one frame of a `StackTable`.
package struct FrameID: Hashable, Sendable {
  package let rawValue: UInt32
  package init(_ rawValue: UInt32) { self.rawValue = rawValue }
}

/// Names one stack of a `StackTable`; equal stacks have equal names.
package struct StackID: Hashable, Sendable {
  package let rawValue: UInt32
  package init(_ rawValue: UInt32) { self.rawValue = rawValue }

  /// The stack without frames.
  package static let empty = StackID(0)
}

/// One frame as it was sampled, before it gets names.
package enum Frame: Hashable, Sendable {
  /// Machine code.
  case code(CodeAddress)
  /// A line of a function that an interpreter runs, such as Python's; it has its names from the
  /// beginning.
  indirect case interpreted(SourceLine)
  /// Stands for the frames that were left out of the middle of a very deep stack; 0 where their
  /// number is not known, or varies between samples.
  case elided(count: Int = 0)
}
