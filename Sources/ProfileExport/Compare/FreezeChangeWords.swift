internal import ProfileAnalysis

extension ComparedFreezes {
  /// Whether there is anything to say.
  var hasAny: Bool { before.count + after.count > 0 }

  /// Both sides in a sentence.
  var words: String {
    let chance = p.map { p in
      "; by chance alone in \(Figures.percent(p)) % of such pairs"
    }
    return "Freezes before: \(before.words). After: \(after.words)\(chance ?? "")."
  }
}

extension ComparedFreezes.Side {
  /// How often and for how long: `5 in 12.0 s, 1500 an hour (95 %: 487 to 3501), …`.
  var words: String {
    let time = Figures.duration(Int64(min(max(seconds, 0), 9e9) * 1e9))
    guard let longest, let median else { return "none in \(time)" + rateWords }
    let interval = medianInterval.map {
      " (95 %: \(FreezeWords.length($0.lowerBound)) to \(FreezeWords.length($0.upperBound)))"
    }
    return
      "\(count) in \(time)\(rateWords), median \(FreezeWords.length(median))\(interval ?? ""), "
      + "longest \(FreezeWords.length(longest))"
  }

  private var rateWords: String {
    guard let interval = perHourInterval else { return "" }
    let decimals = perHour < 100 && interval.upperBound < 1000 ? 1 : 0
    func figure(_ value: Double) -> String { Figures.fixed(value, decimals: decimals) }
    return ", \(figure(perHour)) an hour (95 %: \(figure(interval.lowerBound)) to "
      + "\(figure(interval.upperBound)))"
  }
}
