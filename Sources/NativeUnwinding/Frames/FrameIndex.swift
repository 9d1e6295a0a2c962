internal import ByteReading
internal import ELFReading
internal import LinuxProcess
internal import ProfileModel

/// Finds the frame description entry of an address in one module.
///
/// Two ways lead to it: the sorted table that the linker left in `.eh_frame_hdr`, or an index of
/// our own where there is none or it has a form other than the usual one.
struct FrameIndex {
  /// An entry and where libunwind finds it.
  struct Match: Equatable {
    let entry: FrameEntry
    /// The address of the entry's first byte.
    let address: FileAddress
  }

  private enum Source {
    /// Rows of two 4-byte numbers relative to the header: start of code, entry.
    case table(position: Int, rows: Int, base: FileAddress)
    /// Start of code and position in the bytes of frames, by start.
    case index([(start: FileAddress, position: UInt32)])
  }

  let file: MappedFile
  /// The bytes that hold the entries, and the address of the first one.
  private let frames: Range<Int>
  let address: FileAddress
  private let source: Source

  /// Nil when the file has no unwind data, or none that can be read.
  init?(of elf: ELFFile, in file: MappedFile) {
    self.file = file
    let header = elf.segments.first { $0.type == ELFFile.Segment.ehFrameHeader }
    if let header, let found = Self.table(header, of: elf, in: file) {
      (frames, address, source) = found
      return
    }
    guard let section = Self.section(header, of: elf, in: file) else { return nil }
    frames = section.bytes
    address = section.address
    let rows = Self.index(file.bytes.extracting(section.bytes), address: section.address)
    guard !rows.isEmpty else { return nil }
    source = .index(rows)
  }

  /// Indexes `file`, which is nothing but frames that start at `address`.
  init?(framesOnly file: MappedFile, address: FileAddress) {
    self.file = file
    self.address = address
    frames = 0..<file.count
    let rows = Self.index(file.bytes, address: address)
    guard !rows.isEmpty else { return nil }
    source = .index(rows)
  }

  /// The entry that covers `code`; nil when none does, or when libunwind could not use it.
  func entry(covering code: FileAddress) -> Match? {
    guard let position = position(before: code) else { return nil }
    let reader = CallFrameReader(file.bytes.extracting(frames), address: address)
    guard case .description(let commonPosition)? = reader.entry(at: position)?.kind,
      let common = reader.common(at: commonPosition),
      let entry = reader.description(at: position, common: common),
      entry.start <= code, code < entry.end
    else { return nil }
    return Match(entry: entry, address: FileAddress(address.rawValue &+ UInt64(position)))
  }

  /// The position of the last entry that starts at or before `code`.
  private func position(before code: FileAddress) -> Int? {
    switch source {
    case .index(let rows):
      let row = rows.partitioningIndex { $0.start > code } - 1
      return row >= 0 ? Int(rows[row].position) : nil
    case .table(let position, let count, let base):
      let reader = ByteReader(file.bytes)
      let offset = Int64(bitPattern: code.rawValue &- base.rawValue)
      let row =
        (0..<count).partitioningIndex { row in
          let start = reader.value(at: position + row * 8, as: Int32.self) ?? .max
          return Int64(start) > offset
        } - 1
      guard row >= 0, let entry = reader.value(at: position + row * 8 + 4, as: Int32.self)
      else { return nil }
      return Int(
        exactly: base.rawValue &+ UInt64(bitPattern: Int64(entry)) &- address.rawValue)
    }
  }
}

// MARK: - Where the frames are

extension FrameIndex {
  private typealias Found = (frames: Range<Int>, address: FileAddress, source: Source)

  /// The linker's table, if it has the one form that linkers write: version 1, a count of 4
  /// bytes, rows of 4-byte numbers relative to the header (LSB "eh_frame_hdr").
  private static func table(
    _ header: ELFFile.Segment, of elf: ELFFile, in file: MappedFile
  ) -> Found? {
    guard let bytes = elf.bytes(of: header, fileSize: file.count) else { return nil }
    var reader = ByteReader(file.bytes.extracting(bytes))
    guard let version = reader.next(UInt8.self), let pointer = reader.next(UInt8.self),
      let count = reader.next(UInt8.self), let table = reader.next(UInt8.self),
      version == 1, count == 0x03, table == 0x3b,
      Encoding.skip(pointer, &reader), let rows = reader.next(UInt32.self),
      rows > 0, Int(rows) <= (reader.count - reader.offset) / 8,
      let load = elf.loadSegment(containing: header.address),
      let frames = elf.bytes(of: load, fileSize: file.count)
    else { return nil }
    // The entries are in the header's own segment, or in another one with lld and gold scripts.
    let position = bytes.lowerBound + reader.offset
    let whole = ByteReader(file.bytes)
    guard let first = whole.value(at: position + 4, as: Int32.self) else { return nil }
    let entry = header.address.rawValue &+ UInt64(bitPattern: Int64(first))
    let source = Source.table(position: position, rows: Int(rows), base: header.address)
    if let other = elf.loadSegment(containing: FileAddress(entry)),
      let range = elf.bytes(of: other, fileSize: file.count)
    {
      return (range, other.address, source)
    }
    return (frames, load.address, source)
  }

  /// The bytes of `.eh_frame`: from the section table, else from where the header points on.
  private static func section(
    _ header: ELFFile.Segment?, of elf: ELFFile, in file: MappedFile
  ) -> (bytes: Range<Int>, address: FileAddress)? {
    if let section = elf.section(named: ".eh_frame"), !section.isCompressed,
      let bytes = elf.bytes(of: section, fileSize: file.count)
    {
      return (bytes, section.address)
    }
    guard let header, let bytes = elf.bytes(of: header, fileSize: file.count) else { return nil }
    var reader = ByteReader(file.bytes.extracting(bytes), at: 1)
    guard let encoding = reader.next(UInt8.self) else { return nil }
    reader.offset = 4
    guard let value = Encoding.value(encoding, &reader), encoding & 0xf0 == 0x10 else { return nil }
    let start = FileAddress(header.address.rawValue &+ 4 &+ value)
    guard let load = elf.loadSegment(containing: start),
      let range = elf.bytes(of: load, fileSize: file.count),
      let offset = Int(exactly: start.rawValue &- load.address.rawValue), offset < range.count
    else { return nil }
    return (range.lowerBound + offset..<range.upperBound, start)
  }

  /// Every entry of `bytes` by the start of its code.
  private static func index(
    _ bytes: RawSpan, address: FileAddress
  ) -> [(start: FileAddress, position: UInt32)] {
    let reader = CallFrameReader(bytes, address: address)
    var commons: [Int: CallFrameReader.Common?] = [:]
    var rows: [(start: FileAddress, position: UInt32)] = []
    var position = 0
    // Ends: each entry is at least 4 bytes long.
    while let (kind, next) = reader.entry(at: position), position < Int(UInt32.max) {
      // A zero length ends the section of a single object file; linkers may leave one inside.
      if case .description(let commonPosition) = kind {
        let common = commons[commonPosition] ?? reader.common(at: commonPosition)
        commons[commonPosition] = common
        if let common, let range = reader.range(at: position, common: common),
          range.start.rawValue != 0
        {
          rows.append((range.start, UInt32(position)))
        }
      }
      position = next
    }
    rows.sort { $0.start < $1.start }
    return rows
  }
}
