/// Reads numbers out of a line of `/proc` without allocating.
struct NumberScanner {
  private let text: UnsafeRawBufferPointer
  private var position = 0

  init(_ text: UnsafeRawBufferPointer) { self.text = text }

  /// Starts at the state letter of `/proc/PID/stat`; nil when the line is not of that form.
  init?(afterNameIn text: UnsafeRawBufferPointer) {
    // The name in parentheses may hold anything, ")" too, so the last one counts.
    guard let end = text.lastIndex(of: UInt8(ascii: ")")) else { return nil }
    self.text = text
    position = end + 1
  }

  private mutating func skipSpaces() {
    while position < text.count, text[position] == UInt8(ascii: " ") { position += 1 }
  }

  mutating func skipWord() {
    skipSpaces()
    while position < text.count, text[position] > UInt8(ascii: " ") { position += 1 }
  }

  mutating func decimal() -> UInt64? {
    skipSpaces()
    var value: UInt64 = 0
    let start = position
    while position < text.count, case let digit = text[position] &- UInt8(ascii: "0"), digit < 10 {
      value = value &* 10 &+ UInt64(digit)
      position += 1
    }
    return position > start && position - start <= 20 ? value : nil
  }

  /// A number with `0x` before it.
  mutating func hexadecimal() -> UInt64? {
    skipSpaces()
    guard position + 2 < text.count, text[position] == UInt8(ascii: "0"),
      text[position + 1] == UInt8(ascii: "x")
    else { return nil }
    position += 2
    var value: UInt64 = 0
    let start = position
    while position < text.count, let digit = hexadecimalDigit(text[position]) {
      guard position - start < 16 else { return nil }
      value = value << 4 | digit
      position += 1
    }
    return position > start ? value : nil
  }
}

/// The value of a digit of a number to base 16 or less, nil for any other byte.
@inline(__always)
func hexadecimalDigit(_ byte: UInt8) -> UInt64? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte &- UInt8(ascii: "0"))
  case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte &- UInt8(ascii: "a") &+ 10)
  case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte &- UInt8(ascii: "A") &+ 10)
  default: nil
  }
}

/// The unsigned number that the digits write; nil for no digit, a foreign character or overflow.
func number(_ digits: some Collection<UInt8>, radix: UInt64) -> UInt64? {
  var result: UInt64 = 0
  guard !digits.isEmpty else { return nil }
  for byte in digits {
    guard let digit = hexadecimalDigit(byte), digit < radix else { return nil }
    let (product, overflow) = result.multipliedReportingOverflow(by: radix)
    let (sum, carry) = product.addingReportingOverflow(digit)
    guard !overflow, !carry else { return nil }
    result = sum
  }
  return result
}
