internal import ByteReading
internal import SwiftProtobuf

/// The messages of a pprof file: its tables, and its samples, which are decoded one at a time.
///
/// A file may hold several messages one after the other: their lists are joined, and of single
/// values the last one counts.
struct PprofMessages {
  /// All but the samples.
  private(set) var tables = Perftools_Profiles_Profile()
  private let bytes: [UInt8]
  /// Pieces of `bytes` with nothing but samples.
  private var samples: [Range<Int>] = []
  /// Whether it has the fields that each pprof file has.
  var isProfile: Bool { !tables.sampleType.isEmpty && !tables.stringTable.isEmpty }

  /// Bytes that are decoded at a time.
  private static let pieceSize = 256 << 10
  /// The longest field, and all fields together that are not samples: decoded they may take twenty
  /// times the room.
  private static let fieldLimit = 4 << 20
  private static let tableLimit = 128 << 20
  /// Field number and wire type 2 of `Profile.sample`.
  private static let sampleTag: UInt64 = 2 << 3 | 2

  init(_ bytes: [UInt8]) throws(CaptureFileError) {
    self.bytes = bytes
    var others: [Range<Int>] = []
    var position = 0
    var tableSize = 0
    while position < bytes.count {
      let (end, isSample) = try Self.field(bytes, at: position)
      if isSample {
        Self.add(position..<end, to: &samples)
      } else {
        tableSize += end - position
        guard tableSize <= Self.tableLimit else { throw .tooLarge(limit: Self.tableLimit) }
        Self.add(position..<end, to: &others)
      }
      position = end
    }
    for piece in others {
      do {
        try tables.merge(serializedBytes: Array(bytes[piece]), partial: true)
      } catch {
        throw .damaged(.message)
      }
    }
  }

  /// Calls `body` for each sample, in the order of the file.
  func forEachSample(
    _ body: (PprofSample) throws(CaptureFileError) -> Void
  ) throws(CaptureFileError) {
    var sample = PprofSample()
    for piece in samples {
      var reader = ByteReader(bytes.span.bytes, at: piece.lowerBound)
      while reader.offset < piece.upperBound {
        // The tag: pieces hold nothing but samples.
        _ = try reader.nextNumber()
        try sample.fill(from: &reader)
        try body(sample)
      }
    }
  }

  /// The tables before the first sample, from bytes that may end anywhere; nil when these are no
  /// part of a profile.
  static func header(_ bytes: [UInt8]) -> Perftools_Profiles_Profile? {
    var end = 0
    while end < bytes.count, let field = try? field(bytes, at: end), !field.isSample {
      end = field.end
    }
    return try? Perftools_Profiles_Profile(serializedBytes: Array(bytes[..<end]), partial: true)
  }

  private static func add(_ field: Range<Int>, to pieces: inout [Range<Int>]) {
    if let last = pieces.last, last.upperBound == field.lowerBound,
      field.upperBound - last.lowerBound <= pieceSize
    {
      pieces[pieces.count - 1] = last.lowerBound..<field.upperBound
    } else {
      pieces.append(field)
    }
  }

  /// The end of the field at `position`.
  private static func field(
    _ bytes: [UInt8], at position: Int
  ) throws(CaptureFileError) -> (end: Int, isSample: Bool) {
    var reader = ByteReader(bytes.span.bytes, at: position)
    let tag = try reader.nextNumber()
    let start = reader.offset
    try reader.skipField(tag)
    guard reader.offset - start <= fieldLimit else { throw .tooLarge(limit: fieldLimit) }
    return (reader.offset, tag == sampleTag)
  }
}
