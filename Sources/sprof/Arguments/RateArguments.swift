import ArgumentParser

/// Ticks per second as the user writes them.
enum RateArgument {
  static func parse(_ text: String) throws -> Double {
    guard let rate = Double(text), rate >= 1, rate <= 20_000 else {
      throw ValidationError("the rate must be between 1 and 20000 ticks per second.")
    }
    return rate
  }
}

/// How often sprof samples, and how much of the program's time its stops may take.
struct RateArguments: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Ticks per second, 1 to 20000; 100 by default.", valueName: "hz"),
    transform: RateArgument.parse)
  var rate = 100.0

  @Option(
    help: ArgumentHelp(
      "The largest share of the program's time that stops may take; 25% by default.",
      discussion: """
        Where they would take more, as on an overloaded machine, ticks are skipped. 100% means no \
        limit.
        """, valueName: "percent"),
    transform: PauseArgument.parse)
  var maxPause = 0.25
}

/// A share of time as the user writes it.
enum PauseArgument {
  static func parse(_ text: String) throws -> Double {
    let number = text.hasSuffix("%") ? String(text.dropLast()) : text
    guard let percent = Double(number), percent >= 0.1, percent <= 100 else {
      throw ValidationError("it must be a percentage from 0.1% to 100%, such as 1%.")
    }
    return percent / 100
  }
}
