internal import CElfutils

/// How far a pass over DIEs has come.
///
/// DIEs follow one another in memory, so anything before the last one read is a cycle.
struct DIEProgress {
  /// How many more DIEs are read.
  private(set) var steps: Int
  private var last: UnsafeMutableRawPointer?

  init(steps: Int) { self.steps = steps }

  /// Whether a DIE is to be read; it then counts as read.
  mutating func takes(_ die: Dwarf_Die) -> Bool {
    guard steps > 0, let place = die.addr, last.map({ $0 < place }) ?? true else { return false }
    last = place
    steps -= 1
    return true
  }

  /// Goes on to the next child of the same DIE; false after the last.
  static func goOn(_ die: inout Dwarf_Die) -> Bool {
    var next = Dwarf_Die()
    guard dwarf_siblingof(&die, &next) == 0 else { return false }
    die = next
    return true
  }
}
