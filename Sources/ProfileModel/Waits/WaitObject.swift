/// A place in the program's memory that threads wait for: a lock, a futex.
package struct WaitObject: Hashable, Sendable {
  package let address: RemoteAddress
  /// What kind of lock; nil for a plain one.
  package var flavor: LockFlavor?
  /// The variable that it is or is part of, such as `audit_lock`; nil on a heap or a stack.
  package var variable: String?
  /// The field within the variable, such as `.lock` or `[3].lock`, or `+0x28`; nil for the variable
  /// itself.
  package var field: String?
  /// The source file of the variable.
  package var file: String?
  /// The file that it is mapped from, or `[heap]`, `[stack]`, `anonymous memory`.
  package var mapping: String?

  package init(
    address: RemoteAddress, flavor: LockFlavor? = nil, variable: String? = nil,
    field: String? = nil,
    file: String? = nil, mapping: String? = nil
  ) {
    self.address = address
    self.flavor = flavor
    self.variable = variable
    self.field = field
    self.file = file
    self.mapping = mapping
  }

  /// Whether the kernel wakes the next waiter when the owner dies.
  package var isRobust: Bool { flavor?.has(.robust) ?? false }
}

/// What a lock has that a plain one has not.
package struct LockFlavor: Hashable, Sendable {
  /// The raw values are words for programs and for users.
  package enum Trait: String, Hashable, Sendable, CaseIterable {
    /// The kernel wakes the next waiter when its owner dies.
    case robust
    case priorityInheriting = "priority-inheriting"
    case recursive
    case errorChecking = "error-checking"
    case adaptive
    /// One of Python's `threading`, which does not note its owner.
    case python
    /// The lock that each object of Java has, for `synchronized` and `Object.wait`.
    case monitor
    /// One of `java.util.concurrent`.
    case java
  }

  /// The traits in a fixed order, such as `robust, recursive`; a word of another version's capture
  /// stays as it is.
  package let rawName: String
  private let traits: Set<Trait>

  /// Nil without any trait, as for a plain lock.
  package init?(_ traits: Set<Trait>) {
    guard !traits.isEmpty else { return nil }
    self.traits = traits
    rawName = Trait.allCases.filter(traits.contains).map(\.rawValue).joined(separator: ", ")
  }

  package init(rawName: String) {
    self.rawName = rawName
    traits = Set(rawName.split(separator: ", ").compactMap { Trait(rawValue: String($0)) })
  }

  package func has(_ trait: Trait) -> Bool { traits.contains(trait) }

  /// Whether it is a lock of a language runtime's, which says who owns it and where it is.
  package var isOfRuntime: Bool { has(.python) || has(.monitor) || has(.java) }
}
