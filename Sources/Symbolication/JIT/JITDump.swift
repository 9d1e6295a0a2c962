internal import ByteReading

/// The records of a `jit-PID.dump` (Linux, tools/perf/Documentation/jitdump-specification.txt), version 1.
struct JITDump {
  private enum Record {
    static let load: UInt32 = 0
    static let move: UInt32 = 1
    static let lines: UInt32 = 2
  }

  private static let magic: UInt32 = 0x4a69_5444
  private static let nameLimit = 1024
  /// Of the places of one function.
  private static let lineLimit = 1 << 16
  /// A record with the code of a function; larger ones are passed over.
  private static let recordLimit: UInt32 = 64 << 20

  /// What was read of a record whose end is not there yet.
  private var rest: [UInt8] = []
  private var hasHeader = false
  /// Whether it is no such file.
  private(set) var isBad = false
  /// Bytes of a large record that are still to come.
  private var skipped = 0
  /// Of the function that is to come, by its address.
  private var lines: [UInt64: [GeneratedFunction.Line]] = [:]

  /// Reads what has come, and puts each function into `table`.
  mutating func read(_ bytes: [UInt8], into table: inout GeneratedTable) {
    guard !isBad else { return }
    let passed = min(skipped, bytes.count)
    skipped -= passed
    let data = rest + bytes[passed...]
    rest = []
    var start = 0
    if !hasHeader {
      guard let size = headerSize(data) else {
        rest = isBad ? [] : data
        return
      }
      start = size
      hasHeader = true
    }
    while !isBad, let size = record(data, at: start, into: &table) { start += size }
    rest = Array(data[min(start, data.count)...])
  }

  /// Nil while it is not all there, or for another file.
  private mutating func headerSize(_ data: [UInt8]) -> Int? {
    let reader = ByteReader(data.span.bytes)
    guard data.count >= 40 else { return nil }
    guard reader.value(at: 0, as: UInt32.self) == Self.magic,
      reader.value(at: 4, as: UInt32.self) == 1,
      let size = reader.value(at: 8, as: UInt32.self), (40...4096).contains(size)
    else {
      isBad = true
      return nil
    }
    return Int(size) <= data.count ? Int(size) : nil
  }

  /// The size of the record at `start`; nil while it is not all there.
  private mutating func record(
    _ data: [UInt8], at start: Int, into table: inout GeneratedTable
  ) -> Int? {
    let reader = ByteReader(data.span.bytes)
    guard let kind = reader.value(at: start, as: UInt32.self),
      let size = reader.value(at: start + 4, as: UInt32.self), start + 16 <= data.count
    else { return nil }
    guard size >= 16 else {
      isBad = true
      return nil
    }
    let end = start + Int(size)
    if size > Self.recordLimit {
      skipped = max(0, end - data.count)
      return min(Int(size), data.count - start)
    }
    guard end <= data.count else { return nil }
    let body = ByteReader(data.span.bytes.extracting(start + 16..<end))
    switch kind {
    case Record.load: load(body, into: &table)
    case Record.move: move(body, into: &table)
    case Record.lines: readLines(body)
    default: break
    }
    return Int(size)
  }

  private mutating func load(_ body: borrowing ByteReader, into table: inout GeneratedTable) {
    guard let address = body.value(at: 16, as: UInt64.self),
      let size = body.value(at: 24, as: UInt64.self),
      let name = body.string(at: 40, limit: 1 << 16), !name.isEmpty
    else { return }
    table.append(
      GeneratedFunction(
        start: address, size: size, name: String(name.prefix(Self.nameLimit)),
        lines: lines.removeValue(forKey: address) ?? []))
  }

  private func move(_ body: borrowing ByteReader, into table: inout GeneratedTable) {
    guard let old = body.value(at: 16, as: UInt64.self),
      let new = body.value(at: 24, as: UInt64.self),
      let size = body.value(at: 32, as: UInt64.self), let index = table.lastIndex(startingAt: old)
    else { return }
    var function = table[index]
    // The lines are shared with where it was.
    function.shift = function.shift &+ new &- old
    function.start = new
    function.size = size
    table.append(function)
  }

  /// The bytes of a text up to its 0.
  private static func textLength(_ body: borrowing ByteReader, at place: Int) -> Int? {
    (0..<4096).first { body.value(at: place + $0, as: UInt8.self) == 0 }
  }

  private mutating func readLines(_ body: borrowing ByteReader) {
    guard let address = body.value(at: 0, as: UInt64.self),
      let count = body.value(at: 8, as: UInt64.self)
    else { return }
    var result: [GeneratedFunction.Line] = []
    var place = 16
    var last = ""
    for _ in 0..<min(count, UInt64(Self.lineLimit)) {
      guard let at = body.value(at: place, as: UInt64.self),
        let line = body.value(at: place + 8, as: UInt32.self),
        let length = Self.textLength(body, at: place + 16)
      else { break }
      // 0xff 0 stands for the name before (specification, "DEBUG_INFO record").
      if length != 1 || body.value(at: place + 16, as: UInt8.self) != 0xff {
        last = body.string(at: place + 16, limit: 4096) ?? last
      }
      place += 16 + length + 1
      result.append(GeneratedFunction.Line(address: at, file: last, line: Int(line)))
    }
    guard lines.count < 1 << 16 else { return }
    lines[address] = result.sorted { $0.address < $1.address }
  }
}
