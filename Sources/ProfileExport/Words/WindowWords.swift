internal import ProfileModel

/// How the program's windows answered pings (`--ping`), in words.
enum WindowWords {
  /// Sentences that begin with a space, the silent windows first; "" where none was pinged.
  static func sentences(_ windows: [PingedWindow]) -> String {
    let sorted = windows.filter { isSilent($0) } + windows.filter { !isSilent($0) }
    let told = sorted.prefix(most).map { " " + sentence($0) }.joined()
    let rest = sorted.dropFirst(most)
    guard !rest.isEmpty else { return told }
    let silent = rest.count(where: isSilent)
    let verb = silent == 1 ? "has" : "have"
    return told
      + " Of \(Figures.count(Int64(rest.count), "more window")) \(silent) \(verb) not answered."
  }

  /// More windows than these are counted.
  private static let most = 3

  private static func isSilent(_ window: PingedWindow) -> Bool { window.unanswered != nil }

  private static func sentence(_ window: PingedWindow) -> String {
    let name =
      window.title.isEmpty ? "A window without a title" : "The window \"\(window.title.printable)\""
    let slowest = Figures.duration(window.slowest)
    if let unanswered = window.unanswered {
      let time = Figures.duration(unanswered)
      guard window.answered > 0 else { return "\(name) has not answered a ping for \(time)." }
      let pings = Figures.count(Int64(window.answered), "ping")
      return
        "\(name) answered \(pings), the slowest after \(slowest), and has not answered the last for \(time)."
    }
    switch window.sent {
    case 0: return "\(name) does not take part in pings."
    case 1: return "\(name) answered a ping after \(slowest)."
    default: return "\(name) answered all of \(window.sent) pings, the slowest after \(slowest)."
    }
  }
}
