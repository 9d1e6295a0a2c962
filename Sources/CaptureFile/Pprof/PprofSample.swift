internal import ByteReading

/// A sample of a pprof file, its texts given by their index.
///
/// One value is filled again and again: there may be millions of samples, and as values of
/// protobuf's messages they would take most of the time, and ten times the memory.
struct PprofSample {
  struct Label {
    var key: Int64 = 0
    var text: Int64 = 0
    var number: Int64 = 0
  }

  /// Innermost first.
  private(set) var locations: [UInt64] = []
  private(set) var values: [Int64] = []
  private(set) var labels: [Label] = []

  /// Numbers and wire types of the fields of `Sample`, and of those of `Label`.
  private enum Tag {
    static let location: UInt64 = 1 << 3
    static let packedLocations: UInt64 = 1 << 3 | 2
    static let value: UInt64 = 2 << 3
    static let packedValues: UInt64 = 2 << 3 | 2
    static let label: UInt64 = 3 << 3 | 2
    static let key: UInt64 = 1 << 3
    static let text: UInt64 = 2 << 3
    static let number: UInt64 = 3 << 3
  }

  /// Reads the sample from the reader, which is past the tag of its field; skips unknown fields.
  mutating func fill(from reader: inout ByteReader) throws(CaptureFileError) {
    locations.removeAll(keepingCapacity: true)
    values.removeAll(keepingCapacity: true)
    labels.removeAll(keepingCapacity: true)
    let end = try reader.nextFieldEnd()
    while reader.offset < end {
      switch try reader.nextNumber() {
      case Tag.packedLocations:
        let last = try reader.nextFieldEnd()
        while reader.offset < last { locations.append(try reader.nextNumber()) }
        guard reader.offset == last else { throw .damaged(.message) }
      case Tag.packedValues:
        let last = try reader.nextFieldEnd()
        while reader.offset < last { values.append(Int64(bitPattern: try reader.nextNumber())) }
        guard reader.offset == last else { throw .damaged(.message) }
      case Tag.label: labels.append(try Self.label(&reader))
      case Tag.location: locations.append(try reader.nextNumber())
      case Tag.value: values.append(Int64(bitPattern: try reader.nextNumber()))
      case let tag: try reader.skipField(tag)
      }
    }
    guard reader.offset == end else { throw .damaged(.message) }
  }

  private static func label(_ reader: inout ByteReader) throws(CaptureFileError) -> Label {
    var label = Label()
    let end = try reader.nextFieldEnd()
    while reader.offset < end {
      switch try reader.nextNumber() {
      case Tag.key: label.key = Int64(bitPattern: try reader.nextNumber())
      case Tag.text: label.text = Int64(bitPattern: try reader.nextNumber())
      case Tag.number: label.number = Int64(bitPattern: try reader.nextNumber())
      case let tag: try reader.skipField(tag)
      }
    }
    guard reader.offset == end else { throw .damaged(.message) }
    return label
  }
}

/// The wire format of protobuf: https://protobuf.dev/programming-guides/encoding/
extension ByteReader {
  /// The next varint.
  @_lifetime(self: copy self)
  mutating func nextNumber() throws(CaptureFileError) -> UInt64 {
    guard let number = nextULEB128() else { throw .damaged(.message) }
    return number
  }

  /// Reads the length of a field of bytes, and returns the offset of its end.
  @_lifetime(self: copy self)
  mutating func nextFieldEnd() throws(CaptureFileError) -> Int {
    let length = try nextNumber()
    guard length <= UInt64(count - offset) else { throw .damaged(.message) }
    return offset + Int(length)
  }

  /// Moves past the field whose `tag` was read.
  @_lifetime(self: copy self)
  mutating func skipField(_ tag: UInt64) throws(CaptureFileError) {
    guard tag >> 3 > 0 else { throw .damaged(.message) }
    switch tag & 7 {
    case 0: _ = try nextNumber()
    case 1: offset += 8
    case 2: offset = try nextFieldEnd()
    case 5: offset += 4
    default: throw .damaged(.message)
    }
    guard offset <= count else { throw .damaged(.message) }
  }
}
