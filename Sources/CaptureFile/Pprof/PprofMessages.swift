internal import ByteReading
internal import SwiftProtobuf

/// The messages of a pprof file: its tables, and its samples, which are decoded one at a time.
///
/// A file may hold several messages one after the other: their lists are joined, and of single
/// values the last one counts.
struct PprofMessages {
  /// All but the samples.
  private(set) var tables = Perftools_Profiles_Profile()
  /// Pieces of `bytes` that are sprof's own facts.
  private var factRanges: [Range<Int>] = []
  private let bytes: [UInt8]
  /// Pieces of `bytes` with nothing but samples.
  private var samples: [Range<Int>] = []
  /// Whether it has the fields that each pprof file has.
  var isProfile: Bool { !tables.sampleType.isEmpty && !tables.stringTable.isEmpty }

  /// Bytes that are decoded at a time.
  private static let pieceSize = 256 << 10
  /// Field numbers and wire type 2 of `Profile.sample`, and of sprof's own facts.
  private static let sampleTag: UInt64 = 2 << 3 | 2
  private static let factTag = CaptureFacts.field << 3 | 2

  /// - Throws: `tooLarge` before anything is decoded that takes more than `budget` allows for.
  init(_ bytes: [UInt8], _ budget: ReadingBudget) throws(CaptureFileError) {
    self.bytes = bytes
    var others: [Range<Int>] = []
    var position = 0
    var tableSize = 0
    while position < bytes.count {
      let (tag, start, end) = try Self.field(bytes, at: position, limit: budget.limits.field)
      if tag == Self.sampleTag {
        Self.add(position..<end, to: &samples)
      } else {
        tableSize += end - position
        let limit = budget.limits.tables
        guard tableSize <= limit else { throw .tooLarge(.tables(limit: limit)) }
        try budget.take(TableField.cost(bytes, at: position, end: end))
        if tag == Self.factTag {
          factRanges.append(start..<end)
        } else {
          Self.add(position..<end, to: &others)
        }
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

  /// The texts of sprof's own facts.
  var facts: some Sequence<String> {
    factRanges.lazy.map { String(decoding: bytes[$0], as: UTF8.self) }
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

  /// What is before the first sample, in bytes that may end anywhere; nil when these are no part of a
  /// profile.
  static func beginning(_ bytes: [UInt8]) -> PprofMessages? {
    var end = 0
    while end < bytes.count, let field = try? field(bytes, at: end, limit: bytes.count),
      field.tag != sampleTag
    {
      end = field.end
    }
    return try? PprofMessages(Array(bytes[..<end]), ReadingBudget())
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

  /// The tag of the field at `position`, and where its contents begin and end.
  private static func field(
    _ bytes: [UInt8], at position: Int, limit: Int
  ) throws(CaptureFileError) -> (tag: UInt64, start: Int, end: Int) {
    var reader = ByteReader(bytes.span.bytes, at: position)
    let tag = try reader.nextNumber()
    var start = reader.offset
    try reader.skipField(tag)
    guard reader.offset - start <= limit else { throw .tooLarge(.field(limit: limit)) }
    let end = reader.offset
    if tag & 7 == 2 {
      reader.offset = start
      _ = try reader.nextNumber()
      start = reader.offset
    }
    return (tag, start, end)
  }
}

/// A field of a profile that is no sample.
private enum TableField {
  private static let location: UInt64 = 4 << 3 | 2
  private static let line: UInt64 = 4 << 3 | 2
  private static let text: UInt64 = 6 << 3 | 2
  private static let comments: UInt64 = 13 << 3 | 2

  /// The memory that the field takes when it is decoded.
  static func cost(
    _ bytes: [UInt8], at position: Int, end: Int
  ) throws(CaptureFileError) -> Int {
    var reader = ByteReader(bytes.span.bytes, at: position)
    let tag = try reader.nextNumber()
    let size = end - position
    switch tag {
    case text: return MemoryCost.text + 2 * size
    // Packed numbers of a byte or more each.
    case comments: return MemoryCost.text + MemoryLayout<Int64>.size * size
    case location:
      _ = try reader.nextFieldEnd()
      var lines = 0
      while reader.offset < end {
        let tag = try reader.nextNumber()
        if tag == line { lines += 1 }
        try reader.skipField(tag)
      }
      return MemoryCost.entry + MemoryCost.line * lines
    default: return MemoryCost.entry + 2 * size
    }
  }
}
