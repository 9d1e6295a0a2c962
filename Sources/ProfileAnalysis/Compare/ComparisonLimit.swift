/// A bound on how much slower a program may become, as the user writes it: `+5%` for all of it,
/// `parse_row +10%` or `parse_row +0.1s/s` for a function with what it calls.
package struct ComparisonLimit: Sendable {
  package enum Bound: Hashable, Sendable {
    /// Parts of what was before.
    case ratio(Double)
    /// Thread-seconds per second of wall time.
    case rate(Double)
    /// The most freezes that there may be after.
    case freezes(Int)
    /// The longest freeze that there may be after, in nanoseconds.
    case longestFreeze(Int64)
  }

  /// What is wrong with a bound that cannot be read.
  package enum Problem: Error, Hashable {
    case empty
    /// The last word is no number with a unit.
    case noNumber(String)
    /// A number without `%`, `s/s` or `ms/s`.
    case noUnit(String)
    /// Below zero, or no finite number.
    case notPositive(String)
  }

  /// Whether a comparison keeps a bound.
  package enum Verdict: Sendable {
    /// The change is beyond the bound, and not by chance.
    case exceeded(Comparison.Change)
    case kept(Comparison.Change)
    /// Neither side has a function of that name; those whose names are most alike.
    case noSuchFunction(nearest: [String])
    /// The captures are too short to say.
    case cannotTell
    /// How the program froze after, and whether that is beyond the bound.
    case froze(ComparedFreezes.Side, isExceeded: Bool)
    /// A capture does not tell of freezes.
    case noFreezesKnown
  }

  /// As the user wrote it.
  package let text: String
  /// Nil for the whole program.
  package let function: String?
  /// The most that it may grow by.
  package let bound: Bound

  /// Reads a bound.
  ///
  /// - Throws: `Problem`.
  package init(_ text: String) throws(Problem) {
    self.text = text
    var words = text.split(whereSeparator: { $0 == " " || $0 == "\t" })
    if let bound = try Self.freezeBound(words) {
      (function, self.bound) = (nil, bound)
      return
    }
    guard var last = words.popLast() else { throw .empty }
    // There may be a space between a number and its unit.
    if let number = words.last, ["%", "s/s", "ms/s"].contains(last),
      number.first == "+" || number.first?.isNumber == true
    {
      last = Substring(number + last)
      words.removeLast()
    }
    bound = try Self.bound(last)
    function = words.isEmpty ? nil : words.joined(separator: " ")
  }

  /// The bound of `freezes > 3` and `longest freeze > 200ms`; nil for others.
  private static func freezeBound(_ words: [Substring]) throws(Problem) -> Bound? {
    if words.count == 3, words[0] == "freezes", words[1] == ">" {
      guard let count = Int(words[2]) else { throw .noNumber(String(words[2])) }
      guard count >= 0 else { throw .notPositive(String(words[2])) }
      return .freezes(count)
    }
    guard words.count == 4, words[0] == "longest", words[1] == "freeze", words[2] == ">" else {
      return nil
    }
    let word = words[3]
    let digits = word.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    guard let value = Double(digits) else { throw .noNumber(String(word)) }
    let units: [Substring: Double] = ["ms": 1e6, "s": 1e9, "m": 60e9]
    guard let unit = units[word.dropFirst(digits.count)] else { throw .noUnit(String(word)) }
    guard value.isFinite, value * unit < 9e18 else { throw .notPositive(String(word)) }
    return .longestFreeze(Int64(value * unit))
  }

  private static func bound(_ word: Substring) throws(Problem) -> Bound {
    let digits = word.hasPrefix("+") ? word.dropFirst() : word
    let number = digits.prefix { $0.isASCII && ($0.isNumber || $0 == "." || $0 == "-") }
    guard let value = Double(number) else { throw .noNumber(String(word)) }
    guard value.isFinite, value >= 0 else { throw .notPositive(String(word)) }
    switch digits.dropFirst(number.count) {
    case "%": return .ratio(value / 100)
    case "s/s": return .rate(value)
    case "ms/s": return .rate(value / 1000)
    default: throw .noUnit(String(word))
    }
  }

  /// Checks a comparison against the bound.
  ///
  /// Without a function the time on a CPU of all compared threads counts: a program that waits
  /// longer for its next task is no slower. A function counts with all that it called, on a CPU and
  /// blocked.
  ///
  /// The chance of a false alarm is at most 1 % for all rules together: users ignore a build that
  /// fails once in twenty times without a reason.
  package func verdict(on comparison: Comparison, rules: Int = 1) -> Verdict {
    switch bound {
    case .freezes, .longestFreeze: return freezeVerdict(on: comparison)
    case .ratio, .rate: break
    }
    let change: Comparison.Change
    if let function {
      // Of several with that name, the one that grew most.
      let named = comparison.functions.filter { entry in
        FunctionName.matches(entry.name, function)
          || entry.oldName.map { FunctionName.matches($0, function) } ?? false
      }
      let worst = named.max { $0.inclusive.change.change < $1.inclusive.change.change }
      guard let worst else {
        return .noSuchFunction(
          nearest: SimilarNames.nearest(to: function, in: comparison.functions.map(\.name)))
      }
      change = worst.inclusive.change
    } else {
      change = comparison.cpu
    }
    guard let p = change.p else {
      return change.interval == nil && change.change > 0 ? .cannotTell : .kept(change)
    }
    let isBeyond =
      switch bound {
      case .ratio(let ratio): change.change > ratio * change.before
      case .rate(let rate): change.change > rate
      case .freezes, .longestFreeze: false
      }
    let isSure = p < 0.01 / Double(max(rules, 1)) && change.change > 0
    return isBeyond && isSure ? .exceeded(change) : .kept(change)
  }

  /// Checks how the program froze after; before does not matter.
  private func freezeVerdict(on comparison: Comparison) -> Verdict {
    guard let after = comparison.freezes?.after else { return .noFreezesKnown }
    switch bound {
    case .freezes(let most): return .froze(after, isExceeded: after.count > most)
    case .longestFreeze(let longest):
      return .froze(after, isExceeded: (after.longest ?? 0) > longest)
    case .ratio, .rate: return .cannotTell
    }
  }
}
