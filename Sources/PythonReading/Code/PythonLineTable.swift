package import RuntimeReading

/// How a version writes which line each instruction belongs to.
package enum PythonLineFormat: Sendable, Equatable {
  /// `co_lnotab`, up to 3.9: pairs of address and line increments, the latter signed.
  case increments
  /// `co_linetable` of 3.10 (PEP 626): pairs of lengths and line deltas, -128 for no line.
  case ranges
  /// `co_linetable` since 3.11 (PEP 657): entries of a byte and numbers of variable length.
  case locations
}

extension RuntimeLineTable {
  /// Decodes a table, whose instructions are code units of two bytes; what is cut off or nonsense ends it.
  package init(
    _ bytes: some RandomAccessCollection<UInt8>, firstLine: Int32, format: PythonLineFormat
  ) {
    self.init()
    var table = TableBytes(bytes)
    switch format {
    case .increments: readIncrements(&table, firstLine: firstLine)
    case .ranges: readRanges(&table, firstLine: firstLine)
    case .locations: readLocations(&table, firstLine: firstLine)
    }
  }

  /// PyCode_Addr2Line of 3.8 (Objects/codeobject.c).
  private mutating func readIncrements(_ table: inout TableBytes, firstLine: Int32) {
    var address = 0
    var line = firstLine
    add(line, from: 0)
    while let step = table.next(), let delta = table.next() {
      address += Int(step)
      line &+= Int32(Int8(bitPattern: delta))
      add(line, from: address / 2)
    }
  }

  /// Objects/lnotab_notes.txt of 3.10: a range without a line still has a length.
  private mutating func readRanges(_ table: inout TableBytes, firstLine: Int32) {
    var start = 0
    var line = firstLine
    while let length = table.next(), let byte = table.next() {
      let delta = Int8(bitPattern: byte)
      if delta != -128 { line &+= Int32(delta) }
      if length > 0 { add(delta == -128 ? nil : line, from: start / 2) }
      start += Int(length)
    }
    add(nil, from: start / 2)
  }

  /// Objects/locations.md of 3.11.
  private mutating func readLocations(_ table: inout TableBytes, firstLine: Int32) {
    var start = 0
    var line = firstLine
    while let head = table.next() {
      // Only the first byte of an entry has the upper bit set.
      guard head & 0x80 != 0 else { continue }
      let code = head >> 3 & 15
      switch code {
      case 10...12: line &+= Int32(code) - 10
      case 13, 14:
        guard let delta = table.nextSigned() else { return }
        line &+= delta
      default: break
      }
      add(code == 15 ? nil : line, from: start)
      start += Int(head & 7) + 1
      table.skipRestOfEntry()
    }
    add(nil, from: start)
  }
}

/// The bytes of a line table, read one by one.
private struct TableBytes {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: some RandomAccessCollection<UInt8>) { self.bytes = Array(bytes) }

  mutating func next() -> UInt8? {
    guard position < bytes.count else { return nil }
    position += 1
    return bytes[position - 1]
  }

  /// Six bits a byte, the lowest first; the lowest bit of all is the sign.
  mutating func nextSigned() -> Int32? {
    var value: UInt32 = 0
    for shift in stride(from: UInt32(0), to: 36, by: 6) {
      guard let byte = next(), byte & 0x80 == 0 else { return nil }
      value |= UInt32(byte & 0x3f) << shift
      if byte & 0x40 == 0 {
        let magnitude = Int32(value >> 1)
        return value & 1 == 0 ? magnitude : -magnitude
      }
    }
    return nil
  }

  mutating func skipRestOfEntry() {
    while position < bytes.count, bytes[position] & 0x80 == 0 { position += 1 }
  }
}
