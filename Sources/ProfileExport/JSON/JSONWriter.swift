/// Writes a JSON document piece by piece, in memory that does not grow with it.
///
/// Objects and arrays are closures, so that none stays open; the writer adds the commas.
struct JSONWriter {
  private var buffer: OutputBuffer
  /// Whether the next value or key follows another one in the same object or array.
  private var needsComma = false

  /// Writes one document to `output`, or several that `endLine` parts.
  static func write(
    to output: inout some TextOutputStream, _ body: (inout JSONWriter) throws -> Void
  ) rethrows {
    try OutputBuffer.write(to: &output) { buffer in
      var json = JSONWriter(buffer: buffer)
      try body(&json)
      buffer = json.buffer
    }
  }

  private init(buffer: OutputBuffer) { self.buffer = buffer }

  // MARK: - Objects and arrays

  mutating func object(_ members: (inout JSONWriter) -> Void) {
    separate()
    buffer.write(byte: UInt8(ascii: "{"))
    needsComma = false
    members(&self)
    buffer.write(byte: UInt8(ascii: "}"))
    needsComma = true
  }

  mutating func array(_ elements: (inout JSONWriter) -> Void) {
    separate()
    buffer.write(byte: UInt8(ascii: "["))
    needsComma = false
    elements(&self)
    buffer.write(byte: UInt8(ascii: "]"))
    needsComma = true
  }

  /// The name of the member whose value comes next.
  mutating func key(_ name: StaticString) {
    separate()
    buffer.write(byte: UInt8(ascii: "\""))
    name.withUTF8Buffer { buffer.write(utf8: $0) }
    buffer.write(byte: UInt8(ascii: "\""))
    buffer.write(byte: UInt8(ascii: ":"))
    needsComma = false
  }

  mutating func object(_ name: StaticString, _ members: (inout JSONWriter) -> Void) {
    key(name)
    object(members)
  }

  mutating func array(_ name: StaticString, _ elements: (inout JSONWriter) -> Void) {
    key(name)
    array(elements)
  }

  /// An array with a value for each element of `list`.
  mutating func array<Element>(
    _ name: StaticString, of list: some Sequence<Element>,
    _ write: (inout JSONWriter, Element) -> Void
  ) {
    array(name) { json in
      for element in list { write(&json, element) }
    }
  }

  /// An array of the same number `count` times over.
  mutating func array(_ name: StaticString, repeating number: Int?, count: Int) {
    array(name) { json in
      for _ in 0..<count { json.value(number) }
    }
  }

  // MARK: - Values

  mutating func value(_ number: some BinaryInteger) {
    separate()
    buffer.write(number)
    needsComma = true
  }

  /// The number, or `null`.
  mutating func value(_ number: (some BinaryInteger)?) {
    guard let number else { return null() }
    value(number)
  }

  /// The number; 0 for infinity and what is not a number, for which JSON has no word.
  mutating func value(_ number: Double) {
    separate()
    let text = number.isFinite ? number.description : "0"
    buffer.write(text.hasSuffix(".0") ? String(text.dropLast(2)) : text)
    needsComma = true
  }

  /// Millionths of a number that is not negative, as the number: 1500000 is `1.5`.
  mutating func value(millionths: Int64) {
    separate()
    buffer.write(millionths / 1_000_000)
    let fraction = millionths % 1_000_000
    if fraction != 0 {
      var digits = String(String(1_000_000 + fraction).dropFirst())
      while digits.hasSuffix("0") { digits.removeLast() }
      buffer.write(".")
      buffer.write(digits)
    }
    needsComma = true
  }

  mutating func value(_ flag: Bool) {
    separate()
    buffer.write(flag ? "true" : "false")
    needsComma = true
  }

  mutating func null() {
    separate()
    buffer.write("null")
    needsComma = true
  }

  mutating func value(_ text: String) {
    separate()
    buffer.write(byte: UInt8(ascii: "\""))
    writeEscaped(text)
    buffer.write(byte: UInt8(ascii: "\""))
    needsComma = true
  }

  /// The text, or `null`.
  mutating func value(_ text: String?) {
    guard let text else { return null() }
    value(text)
  }

  mutating func member(_ name: StaticString, _ number: some BinaryInteger) {
    key(name)
    value(number)
  }

  mutating func member(_ name: StaticString, _ number: (some BinaryInteger)?) {
    key(name)
    value(number)
  }

  mutating func member(_ name: StaticString, _ number: Double) {
    key(name)
    value(number)
  }

  /// The number, or `null`.
  mutating func member(_ name: StaticString, _ number: Double?) {
    guard let number else { return null(name) }
    member(name, number)
  }

  mutating func member(_ name: StaticString, _ flag: Bool) {
    key(name)
    value(flag)
  }

  mutating func member(_ name: StaticString, _ text: String) {
    key(name)
    value(text)
  }

  mutating func member(_ name: StaticString, _ text: String?) {
    key(name)
    value(text)
  }

  mutating func null(_ name: StaticString) {
    key(name)
    null()
  }

  /// Ends a line after a document.
  mutating func endLine() {
    buffer.write("\n")
    needsComma = false
  }

  // MARK: - Details

  private mutating func separate() {
    if needsComma { buffer.write(byte: UInt8(ascii: ",")) }
  }

  /// RFC 8259 requires quotes, backslashes and control characters to be escaped; the rest of what
  /// would control a terminal is escaped, too, for a document may be printed on one.
  private mutating func writeEscaped(_ text: String) {
    let isWritten = text.utf8.withContiguousStorageIfAvailable { bytes in
      let isPlain = bytes.allSatisfy { (0x20..<0x7F).contains($0) && $0 != 0x22 && $0 != 0x5C }
      if isPlain { buffer.write(utf8: bytes) }
      return isPlain
    }
    if isWritten == true { return }
    var escaped: [UInt8] = []
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": escaped += [0x5C, UInt8(ascii: scalar)]
      case "\n": escaped += [0x5C, UInt8(ascii: "n")]
      case "\r": escaped += [0x5C, UInt8(ascii: "r")]
      case "\t": escaped += [0x5C, UInt8(ascii: "t")]
      case _ where PlainText.isPrintable(scalar): escaped += UTF8.encode(scalar) ?? .init()
      default: for unit in Character(scalar).utf16 { escaped += Self.escape(unit) }
      }
    }
    buffer.write(utf8: escaped)
  }

  /// Such as `\u001b`.
  private static func escape(_ unit: UInt16) -> [UInt8] {
    let digits = Array("0123456789abcdef".utf8)
    return Array("\\u".utf8)
      + [12, 8, 4, 0].map { digits[Int(unit >> UInt16($0)) & 0xF] }
  }
}
