internal import ProfileModel

/// The document around every page: its policy, style, data and script.
struct HTMLPage {
  /// Stands near the beginning of every page.
  static let generator = "<meta name=\"generator\" content=\"sprof\">"

  let title: String

  /// Writes a page with the data that `document` adds: members of a JSON object, and columns.
  func write(
    compress: PageExporter.Compressor?, to output: inout some TextOutputStream,
    _ document: (inout JSONWriter, inout PageColumns) -> Void
  ) {
    let box = TextBox(output)
    box.write(head)
    box.write(PageResources.body)
    box.write("<script type=\"application/json\" id=\"document\">")
    var columns = PageColumns()
    var data = MarkupSafeOutput { box.write($0) }
    JSONWriter.write(to: &data) { json in
      json.object { json in
        json.member("version", SprofVersion.current)
        json.member("isPacked", compress != nil)
        document(&json, &columns)
      }
    }
    box.write("</script>\n<script type=\"text/plain\" id=\"columns\">")
    Base64.write(compress.map { $0(columns.bytes) } ?? columns.bytes) { box.write($0) }
    box.write("</script>\n<script>\(PageResources.script)</script>\n</body>\n</html>\n")
    output = box.output
  }

  /// Only the page's own script runs, and nothing is loaded from any network.
  private var policy: String {
    """
    default-src 'none'; script-src 'sha256-\(PageResources.scriptHash)'; \
    style-src 'sha256-\(PageResources.styleHash)'; img-src data:; base-uri 'none'; \
    form-action 'none'
    """
  }

  private var head: String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    \(Self.generator)
    <meta http-equiv="Content-Security-Policy" content="\(policy)">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="referrer" content="no-referrer">
    <title>\(title.escapedForHTML)</title>
    <link rel="icon" href="data:,">
    <style>\(PageResources.style)</style>
    </head>
    <body>

    """
  }

}

/// A place for an output that several closures write to.
private final class TextBox<Output: TextOutputStream> {
  private(set) var output: Output

  init(_ output: Output) { self.output = output }

  func write(_ text: String) { output.write(text) }
}

/// JSON on its way into a page: what could end an element is escaped, as JSON allows within strings.
struct MarkupSafeOutput: TextOutputStream {
  private let sink: (String) -> Void

  init(_ sink: @escaping (String) -> Void) { self.sink = sink }

  mutating func write(_ text: String) {
    // U+2028 and U+2029 begin with 0xE2.
    let isPlain = text.utf8.allSatisfy { ![0x3C, 0x3E, 0x26, 0xE2].contains($0) }
    if isPlain { return sink(text) }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "<", ">", "&", "\u{2028}", "\u{2029}":
        let digits = String(scalar.value, radix: 16)
        let escape = "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        result.append(contentsOf: escape.unicodeScalars)
      default: result.append(scalar)
      }
    }
    sink(String(result))
  }
}

extension String {
  /// The text as an element or a quoted attribute of HTML may hold it.
  var escapedForHTML: String {
    var result = ""
    for scalar in PlainText.printable(self).unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

/// A moment in the calendar of UTC.
struct CalendarTime {
  /// Such as `2026-03-01 17:05 UTC`.
  let words: String

  /// The moment so many seconds after the start of 1970; times without a year of four digits are 1970.
  init(_ seconds: Double) {
    let isKnown = seconds.isFinite && seconds >= 0 && seconds < 253_402_300_800
    let minutes = isKnown ? Int(seconds) / 60 : 0
    let (year, month, day) = Self.date(days: minutes / 1440)
    words =
      "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day, 2)) "
      + "\(Self.padded(minutes / 60 % 24, 2)):\(Self.padded(minutes % 60, 2)) UTC"
  }

  /// Year, month and day; years are counted from March on, so that leap days come last.
  private static func date(days: Int) -> (Int, Int, Int) {
    let shifted = days + 719_468
    let (era, dayOfEra) = (shifted / 146_097, shifted % 146_097)
    let year = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * year + year / 4 - year / 100)
    let month = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * month + 2) / 5 + 1
    let calendarMonth = month < 10 ? month + 3 : month - 9
    return (era * 400 + year + (calendarMonth <= 2 ? 1 : 0), calendarMonth, day)
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
