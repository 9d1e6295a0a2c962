/// Small numbers by 64-bit words, such as addresses: a dictionary for look-ups at each frame of a
/// stack.
///
/// Takes a third of the time of a `Dictionary`, and can be emptied and filled again at no cost. It
/// is not generic because generic code is not specialised across targets.
package struct WordTable: Sendable {
  private struct Slot {
    var word: UInt64 = 0
    /// The filling of the table that used the slot; 0 for none.
    var filling: UInt32 = 0
    var number: UInt32 = 0
  }

  private var slots = [Slot](repeating: Slot(), count: 16)
  private var filling: UInt32 = 1
  private var count = 0
  /// Keeps a program that chooses its addresses from slowing the table down.
  private let salt = UInt64.random(in: 0 ... .max)

  package init() {}

  /// The number of a word; nil when it has none.
  package func number(of word: UInt64) -> UInt32? {
    let slot = slots[place(of: word)]
    return slot.filling == filling ? slot.number : nil
  }

  /// Sets the number of a word.
  package mutating func set(_ number: UInt32, for word: UInt64) {
    var place = place(of: word)
    if slots[place].filling != filling {
      count += 1
      if count * 2 > slots.count {
        grow()
        place = self.place(of: word)
      }
    }
    slots[place] = Slot(word: word, filling: filling, number: number)
  }

  /// Empties the table and keeps its memory.
  package mutating func removeAll() {
    count = 0
    filling &+= 1
    guard filling == 0 else { return }
    slots = [Slot](repeating: Slot(), count: slots.count)
    filling = 1
  }

  /// Where `word` is, or belongs; there is always a free place.
  private func place(of word: UInt64) -> Int {
    let mask = slots.count - 1
    // The high half of the product depends on all bits of the word (Fibonacci hashing).
    let product = (word ^ salt).multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
    var place = Int(truncatingIfNeeded: product.high ^ product.low >> 32) & mask
    while slots[place].filling == filling, slots[place].word != word { place = (place + 1) & mask }
    return place
  }

  private mutating func grow() {
    let old = slots
    slots = [Slot](repeating: Slot(), count: old.count * 2)
    for slot in old where slot.filling == filling { slots[place(of: slot.word)] = slot }
  }
}
