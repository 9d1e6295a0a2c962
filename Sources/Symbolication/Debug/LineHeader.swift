internal import ByteReading

/// The files of a line table, by the numbers that its rows and the unit's DIEs use.
struct LineFiles {
  private let header: LineHeader
  private let sections: DebugSections
  private let directory: String?

  init(_ header: LineHeader, sections: DebugSections, directory: String?) {
    self.header = header
    self.sections = sections
    self.directory = directory
  }

  /// The path; from where the unit was compiled, unless that is not known.
  subscript(number: UInt64) -> String? {
    // Before version 5 the files count from 1, and directory 0 is the unit's.
    let shift: UInt64 = header.version < 5 ? 1 : 0
    guard number >= shift, number - shift < UInt64(header.files.count) else { return nil }
    let file = header.files[Int(number - shift)]
    guard let name = sections.string(file.name) else { return nil }
    if name.hasPrefix("/") { return name }
    var path = name
    if file.directory >= shift, file.directory - shift < UInt64(header.directories.count),
      let folder = sections.string(header.directories[Int(file.directory - shift)])
    {
      path = folder + "/" + name
    }
    guard !path.hasPrefix("/"), let directory else { return path }
    return directory + "/" + path
  }
}

/// What precedes a line table's rows.
struct LineHeader {
  struct File {
    let name: StringPlace
    let directory: UInt64
  }

  let version: UInt16
  let program: LineProgram.Shape
  /// Where the rows begin and end in `.debug_line`.
  let begin: Int
  let end: Int
  private(set) var directories: [StringPlace] = []
  private(set) var files: [File] = []

  /// More than any unit names.
  private static let limit = 1 << 16

  init?(_ sections: DebugSections, at offset: UInt64) {
    guard let start = Int(exactly: offset) else { return nil }
    let bytes = sections.line
    var reader = ByteReader(bytes, at: start)
    guard let length = reader.nextLength(), length.value <= UInt64(reader.count - reader.offset),
      let version = reader.next(UInt16.self), (2...5).contains(version)
    else { return nil }
    end = length.start + Int(length.value)
    self.version = version
    // Version 5: the sizes of an address and of a segment selector.
    if version >= 5, reader.next(UInt16.self) == nil { return nil }
    guard
      let rest = length.isLong
        ? reader.next(UInt64.self) : reader.next(UInt32.self).map(UInt64.init),
      rest <= UInt64(max(0, end - reader.offset))
    else { return nil }
    begin = reader.offset + Int(rest)
    guard let program = LineProgram.Shape(&reader, version: version) else { return nil }
    self.program = program
    let isRead =
      version >= 5
      ? readTables(&reader, isLong: length.isLong) : readLists(&reader)
    guard isRead else { return nil }
  }

  /// Versions 2 to 4: strings, each list ended by an empty one.
  private mutating func readLists(_ reader: inout ByteReader) -> Bool {
    while let name = reader.nextString(), directories.count < Self.limit {
      if name.isEmpty { break }
      directories.append(name.place)
    }
    while let name = reader.nextString(), !name.isEmpty, files.count < Self.limit {
      guard let directory = reader.nextULEB128(), reader.nextULEB128() != nil,
        reader.nextULEB128() != nil
      else { return false }
      files.append(File(name: name.place, directory: directory))
    }
    return true
  }

  /// Version 5: tables whose columns are described first.
  private mutating func readTables(_ reader: inout ByteReader, isLong: Bool) -> Bool {
    guard let folders = Self.table(&reader, isLong: isLong),
      let names = Self.table(&reader, isLong: isLong)
    else { return false }
    directories = folders.map(\.name)
    files = names
    return true
  }

  private static func table(_ reader: inout ByteReader, isLong: Bool) -> [File]? {
    guard let width = reader.next(UInt8.self) else { return nil }
    var columns: [(content: UInt64, form: UInt64)] = []
    for _ in 0..<width {
      guard let content = reader.nextULEB128(), let form = reader.nextULEB128() else { return nil }
      columns.append((content, form))
    }
    guard let count = reader.nextULEB128(), count <= UInt64(limit), !columns.isEmpty || count == 0
    else { return nil }
    var result: [File] = []
    result.reserveCapacity(Int(count))
    for _ in 0..<count {
      var name = StringPlace.line(reader.offset)
      var directory: UInt64 = 0
      for column in columns {
        guard let value = LineForm.next(column.form, &reader, isLong: isLong) else { return nil }
        switch (column.content, value) {
        case (1, .string(let place)): name = place  // DW_LNCT_path
        case (2, .number(let index)): directory = index  // DW_LNCT_directory_index
        default: break
        }
      }
      result.append(File(name: name, directory: directory))
    }
    return result
  }
}

/// The forms that the tables of version 5 are written in (DWARF 5, section 6.2.4.1).
private enum LineForm {
  case string(StringPlace)
  case number(UInt64)
  case other

  static func next(_ form: UInt64, _ reader: inout ByteReader, isLong: Bool) -> LineForm? {
    switch form {
    case 0x08: reader.nextString().map { .string($0.place) }  // DW_FORM_string
    case 0x0e: reader.nextOffset(isLong).map { .string(.str($0)) }  // DW_FORM_strp
    case 0x1f: reader.nextOffset(isLong).map { .string(.lineStr($0)) }  // DW_FORM_line_strp
    case 0x0b: reader.next(UInt8.self).map { .number(UInt64($0)) }  // DW_FORM_data1
    case 0x05: reader.next(UInt16.self).map { .number(UInt64($0)) }  // DW_FORM_data2
    case 0x06: reader.next(UInt32.self).map { .number(UInt64($0)) }  // DW_FORM_data4
    case 0x07: reader.next(UInt64.self).map { .number($0) }  // DW_FORM_data8
    case 0x0f: reader.nextULEB128().map { .number($0) }  // DW_FORM_udata
    case 0x1e: reader.skip(16)  // DW_FORM_data16, a checksum
    case 0x09: reader.nextULEB128().flatMap { reader.skip($0) }  // DW_FORM_block
    default: nil
    }
  }
}

/// Where a string is.
enum StringPlace {
  /// Offsets in `.debug_line`, `.debug_line_str`, `.debug_str`.
  case line(Int)
  case lineStr(Int)
  case str(Int)
}

extension ByteReader {
  /// The length that a unit begins with: of 12 bytes where the first four are all ones.
  fileprivate mutating func nextLength() -> (value: UInt64, start: Int, isLong: Bool)? {
    guard let short = next(UInt32.self) else { return nil }
    guard short == .max else { return (UInt64(short), offset, false) }
    guard let long = next(UInt64.self) else { return nil }
    return (long, offset, true)
  }

  fileprivate mutating func nextOffset(_ isLong: Bool) -> Int? {
    isLong
      ? next(UInt64.self).flatMap { Int(exactly: $0) } : next(UInt32.self).map { Int($0) }
  }

  /// The string that begins here, passed over; nil where it has no end.
  fileprivate mutating func nextString() -> (place: StringPlace, isEmpty: Bool)? {
    let start = offset
    while let byte = next(UInt8.self) {
      if byte == 0 { return (.line(start), offset == start + 1) }
    }
    return nil
  }

  fileprivate mutating func skip(_ bytes: UInt64) -> LineForm? {
    guard bytes <= UInt64(max(0, count - offset)) else { return nil }
    offset += Int(bytes)
    return .other
  }
}
