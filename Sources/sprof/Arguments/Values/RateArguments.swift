import ArgumentParser

/// Ticks per second as the user writes them.
enum RateArgument {
  static func parse(_ text: String) throws -> Double {
    guard let rate = Double(text), rate >= 1, rate <= 20_000 else {
      throw ValidationError(
        "the rate must be a number from 1 to 20000, in ticks per second\(hint(text))")
    }
    return rate
  }

  /// The end of the sentence: the number that is meant where the unit was written, too.
  private static func hint(_ text: String) -> String {
    let units = [("khz", 1000.0), ("hz", 1), ("k", 1000)]
    for (unit, factor) in units where text.lowercased().hasSuffix(unit) {
      guard let number = Double(text.dropLast(unit.count)), (1...20_000).contains(number * factor)
      else { break }
      return "; did you mean \(Int(number * factor))?"
    }
    return "."
  }
}

/// How often sprof samples, how much of the program's time its stops may take, and how much of a core
/// sprof itself.
struct RateArguments: ParsableArguments {
  @Option(
    name: [.long, .customShort("r"), .customShort("F")], parsing: .unconditional,
    help: ArgumentHelp("Ticks per second, 1 to 20000; 100 by default.", valueName: "hz"),
    transform: RateArgument.parse)
  var rate = 100.0

  @Option(
    help: ArgumentHelp(
      "Limit stops to this share of the program's time; 25% by default.",
      discussion: """
        Where they would take more, as on an overloaded machine, ticks are skipped. 100% means no \
        limit.
        """, valueName: "percent"),
    transform: ShareArgument.parse)
  var maxPause = 0.25

  @Option(
    name: .customLong("max-cpu"),
    help: ArgumentHelp(
      "Limit sprof's own sampling to this share of a core; 50% by default.",
      discussion: """
        Where sampling would take more, as with thousands of threads, ticks are skipped. Looking up \
        names is not counted. 100% means no limit.
        """, valueName: "percent"),
    transform: ShareArgument.parse)
  var maxCPU = 0.5

  @Flag(
    name: .customLong("no-jitter"),
    help: ArgumentHelp(
      "Sample at even intervals.",
      discussion: """
        By default each tick falls at a random time within its period, so that the samples are not in \
        step with what the program does at fixed times.
        """))
  var isEven = false

  /// Whether none of them was given, or only what is so without.
  var areStandard: Bool { rate == 100 && maxPause == 0.25 && maxCPU == 0.5 && !isEven }

  /// What the random times of the ticks follow from; nil for even ones.
  var seed: UInt32? { isEven ? nil : .random(in: .min ... .max) }
}

/// A share of time as the user writes it: `25%`.
enum ShareArgument {
  static func parse(_ text: String) throws -> Double {
    guard text.hasSuffix("%") else {
      throw ValidationError(
        Double(text) != nil
          ? "it has no unit; did you mean \(text)%?" : "it must be a percentage, such as 1%.")
    }
    guard let percent = Double(text.dropLast()), percent >= 0.1, percent <= 100 else {
      throw ValidationError("it must be a percentage from 0.1% to 100%, such as 1%.")
    }
    return percent / 100
  }
}
