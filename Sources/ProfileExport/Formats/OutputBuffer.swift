/// Collects text and hands it to an output in large pieces, so that neither a call for each word
/// nor the whole document in memory is needed.
///
/// Not generic, so that writing a number costs no more than its digits.
struct OutputBuffer {
  /// Large enough that the output's own cost for each piece does not show.
  private static let pieceSize = 1 << 16

  private var bytes: [UInt8] = []
  private let sink: (String) -> Void

  /// Runs `body` with a buffer whose text goes to `output`.
  static func write(
    to output: inout some TextOutputStream, _ body: (inout OutputBuffer) throws -> Void
  ) rethrows {
    let box = Box(output)
    var buffer = OutputBuffer { box.output.write($0) }
    defer { output = box.output }
    try body(&buffer)
    buffer.flush()
  }

  private init(sink: @escaping (String) -> Void) {
    bytes.reserveCapacity(Self.pieceSize + 4096)
    self.sink = sink
  }

  mutating func write(_ text: String) {
    bytes.append(contentsOf: text.utf8)
    if bytes.count >= Self.pieceSize { flush() }
  }

  /// Bytes that together with those before and after are UTF-8; never the middle of a character.
  mutating func write(utf8 text: some Sequence<UInt8>) {
    bytes.append(contentsOf: text)
    if bytes.count >= Self.pieceSize { flush() }
  }

  mutating func write(byte: UInt8) { bytes.append(byte) }

  mutating func write(_ number: some BinaryInteger) {
    let magnitude = UInt64(truncatingIfNeeded: number.magnitude)
    if number < 0 { bytes.append(UInt8(ascii: "-")) }
    // 20 digits hold every 64-bit number.
    var digits = InlineArray<20, UInt8>(repeating: 0)
    var rest = magnitude
    var position = 20
    repeat {
      position -= 1
      digits[position] = UInt8(ascii: "0") + UInt8(rest % 10)
      rest /= 10
    } while rest > 0
    for index in position..<20 { bytes.append(digits[index]) }
  }

  private mutating func flush() {
    guard !bytes.isEmpty else { return }
    sink(String(decoding: bytes, as: UTF8.self))
    bytes.removeAll(keepingCapacity: true)
  }

  /// A place for the caller's output while the buffer's closure writes to it.
  private final class Box<Output: TextOutputStream> {
    var output: Output

    init(_ output: Output) { self.output = output }
  }
}
