import ArgumentParser
import ProfileModel

/// A length of time as the user writes it: `10s`, `500ms`, `2m`, `1h`.
struct TimeArgument {
  let length: Nanoseconds

  /// A moment of a capture, which may be its very beginning.
  static func moment(_ text: String) throws -> TimeArgument {
    text == "0" ? TimeArgument(length: 0) : try TimeArgument(text, mayBeZero: true)
  }

  private init(length: Nanoseconds) { self.length = length }

  init(_ text: String) throws { try self.init(text, mayBeZero: false) }

  private init(_ text: String, mayBeZero: Bool) throws {
    let units: [(suffix: String, nanoseconds: Double)] = [
      ("ms", 1e6), ("us", 1e3), ("s", 1e9), ("m", 60e9), ("h", 3600e9),
    ]
    guard let unit = units.first(where: { text.hasSuffix($0.suffix) }),
      let number = Double(text.dropLast(unit.suffix.count)), number.isFinite
    else {
      throw ValidationError(
        Double(text) != nil
          ? "it has no unit; did you mean \(text)s?" : "use a form like 10s, 500ms or 2m.")
    }
    guard number > 0 || mayBeZero && number == 0 else {
      throw ValidationError("a time must be greater than zero.")
    }
    let nanoseconds = number * unit.nanoseconds
    guard nanoseconds <= 30 * 24 * 3600e9 else {
      throw ValidationError("a time can be at most 30 days.")
    }
    length = max(number > 0 ? 1 : 0, Nanoseconds(Int64(nanoseconds.rounded())))
  }
}
