import ArgumentParser
import ProfileAnalysis
import ProfileModel

/// A time span of a capture as the user writes it: `10s-20s`.
struct WindowArgument {
  let times: Range<Nanoseconds>
  let text: String

  init(_ text: String) throws {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else {
      throw ValidationError("use a form like 0s-10s.")
    }
    let start = try TimeArgument.moment(parts[0]).length
    let end = try TimeArgument.moment(parts[1]).length
    guard start < end else {
      throw ValidationError("it ends before it begins.")
    }
    times = start..<end
    self.text = text
  }
}

/// A bound of `--fail-if` as the user writes it.
enum LimitArgument {
  static func parse(_ text: String) throws -> ComparisonLimit {
    do {
      return try ComparisonLimit(text)
    } catch {
      let form =
        "Use a form like '+5%', 'parse_row +10%', 'freezes > 0' or 'longest freeze > 200ms'."
      switch error {
      case .empty: throw ValidationError("the bound is empty. \(form)")
      case .noNumber(let word): throw ValidationError("'\(word)' is not a number. \(form)")
      case .noUnit(let word):
        throw ValidationError("'\(word)' has no unit (%, s/s or ms/s). \(form)")
      case .notPositive(let word):
        throw ValidationError("'\(word)' is not positive; bounds limit growth. \(form)")
      }
    }
  }
}
