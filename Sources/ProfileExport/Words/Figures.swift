/// Numbers as the reports write them.
enum Figures {
  /// A number with a fixed count of decimals; what is not a number counts as 0.
  static func fixed(_ value: Double, decimals: Int) -> String {
    let scaled = scaled(value, decimals: decimals)
    let digits = String(scaled.magnitude)
    let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    let sign = scaled < 0 ? "-" : ""
    guard decimals > 0 else { return sign + padded }
    return sign + padded.dropLast(decimals) + "." + padded.suffix(decimals)
  }

  /// The number in units of its last decimal: 0 for one that shows as zero.
  static func scaled(_ value: Double, decimals: Int) -> Int64 {
    let scale = (0..<decimals).reduce(1.0) { power, _ in power * 10 }
    let bounded = value.isFinite ? min(max(value, -1e12), 1e12) : 0
    return Int64((bounded * scale).rounded())
  }

  /// Nanoseconds as seconds without their unit.
  static func seconds(_ nanoseconds: Int64, decimals: Int = 3) -> String {
    fixed(Double(nanoseconds) / 1e9, decimals: decimals)
  }

  /// Nanoseconds in the unit that suits them: `850 ns`, `12.3 µs`, `4.0 ms`, `10.00 s`, `12 min 5 s`,
  /// `7 h 5 min`, `3 d 4 h`.
  static func duration(_ nanoseconds: Int64) -> String {
    let value = Double(nanoseconds)
    switch nanoseconds.magnitude {
    case ..<1_000: return "\(nanoseconds) ns"
    case ..<999_950: return fixed(value / 1e3, decimals: 1) + " µs"
    case ..<999_950_000: return fixed(value / 1e6, decimals: 1) + " ms"
    case ..<600_000_000_000: return fixed(value / 1e9, decimals: 2) + " s"
    default:
      let sign = nanoseconds < 0 ? "-" : ""
      return sign + long((nanoseconds.magnitude + 500_000_000) / 1_000_000_000)
    }
  }

  /// Ten minutes and more, in the two largest units.
  private static func long(_ seconds: UInt64) -> String {
    let minutes = (seconds + 30) / 60
    let hours = (seconds + 1800) / 3600
    if seconds < 3600 { return "\(seconds / 60) min \(seconds % 60) s" }
    if minutes < 48 * 60 { return "\(minutes / 60) h \(minutes % 60) min" }
    return "\(hours / 24) d \(hours % 24) h"
  }

  /// Seconds in round figures, for what is only estimated: `45 s`, `12 min`, `12 h`, `3 days`.
  static func roughly(seconds: Double) -> String {
    func count(_ unit: Double) -> Int64 { Int64(fixed(seconds / unit, decimals: 0)) ?? 0 }
    if seconds < 120 { return "\(Int64(fixed(seconds.rounded(.up), decimals: 0)) ?? 0) s" }
    if seconds < 7200 { return "\(count(60)) min" }
    if seconds < 48 * 3600 { return "\(count(3600)) h" }
    return "\(count(24 * 3600)) days"
  }

  /// A share of 0 to 1 in percent, one decimal; something that is not nothing never shows as `0.0`.
  static func percent(_ share: Double) -> String {
    let percent = share * 100
    return percent > 0 && percent < 0.05 ? "<0.1" : fixed(percent, decimals: 1)
  }

  /// A share in percent without the sign, and by how much it may be off: `51.3 ±2.1`; where that
  /// reaches beyond the whole, from where on: `88.5 to 100.0`.
  static func percent(_ share: Double, error: Double?) -> String {
    let percent = fixed(share * 100, decimals: 1)
    guard let error, error > 0 else { return percent }
    guard share + error <= 1 else {
      let low = fixed(max(share - error, 0) * 100, decimals: 1)
      return low == "100.0" ? low : low + " to 100.0"
    }
    return percent + " ±" + fixed(max(error * 100, 0.1), decimals: 1)
  }

  /// A part of a whole in percent without the sign; `-` when there is no whole.
  static func percent(_ part: Int64, of whole: Int64) -> String {
    whole > 0 ? fixed(Double(part) / Double(whole) * 100, decimals: 1) : "-"
  }

  /// `1 stop`, `2 stops`.
  static func count(_ number: Int64, _ noun: String, plural: String? = nil) -> String {
    "\(number) \(number == 1 ? noun : plural ?? noun + "s")"
  }

  /// A rate without needless decimals: `100`, `2.5`.
  static func plain(_ value: Double) -> String {
    let text = fixed(value, decimals: 2)
    return text.hasSuffix(".00")
      ? String(text.dropLast(3)) : text.hasSuffix("0") ? String(text.dropLast()) : text
  }
}
