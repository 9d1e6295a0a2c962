import ArgumentParser
import ProfileModel

/// A length of time as the user writes it: `10s`, `500ms`, `2m`, `1m30s`.
struct TimeArgument {
  let length: Nanoseconds

  /// A moment of a capture, which may be its very beginning.
  static func moment(_ text: String) throws -> TimeArgument {
    text == "0" ? TimeArgument(length: 0) : try TimeArgument(text, mayBeZero: true)
  }

  private init(length: Nanoseconds) { self.length = length }

  /// As the user could have written it.
  var words: String { "\(length.inSeconds)s" }

  init(_ text: String) throws { try self.init(text, mayBeZero: false) }

  private init(_ text: String, mayBeZero: Bool) throws {
    let written = Self.nanoseconds(text)
    // A bare number means seconds to most who type it.
    guard let nanoseconds = written ?? Self.nanoseconds(text + "s") else {
      throw ValidationError("use a form like 10s, 500ms, 2m or 1m30s.")
    }
    guard nanoseconds > 0 || mayBeZero && nanoseconds == 0 else {
      throw ValidationError(
        mayBeZero
          ? "a time cannot be negative."
          : "a time must be greater than zero, and at most 30 days: 10s, 500ms, 2m or 1m30s.")
    }
    guard nanoseconds <= Self.longest else {
      throw ValidationError("a time can be at most 30 days.")
    }
    guard written != nil else { throw ValidationError("it has no unit; did you mean \(text)s?") }
    length = max(nanoseconds > 0 ? 1 : 0, Nanoseconds(Int64(nanoseconds.rounded())))
  }

  private static let longest = 30 * 24 * 3600e9

  private static let units = ["h": 3600e9, "m": 60e9, "s": 1e9, "ms": 1e6, "us": 1e3]

  /// The sum of numbers with their units, the largest unit first; nil for anything else.
  private static func nanoseconds(_ text: String) -> Double? {
    var rest = text[...]
    var (sum, last) = (0.0, Double.infinity)
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") || sum == 0 && $0 == "-" }
      let letters = rest.dropFirst(digits.count).prefix { $0.isASCII && $0.isLetter }
      guard let number = Double(digits), let unit = units[String(letters)], unit < last
      else { return nil }
      sum += number * unit
      last = unit
      rest = rest.dropFirst(digits.count + letters.count)
    }
    return last == .infinity ? nil : sum
  }
}
