internal import ProfileModel

/// Where a version's code objects keep what names a frame.
struct PythonCodeShape: Sendable {
  let filename: Int
  let name: Int
  let firstLine: Int
  let lineTable: Int
  let version: Int?
  let lineFormat: PythonLineFormat
  /// The record that is copied of each code object: from its type on.
  let first = 8
  let span: Int

  init?(_ layout: PythonLayout, minor: Int) {
    guard let filename = layout[.codeFilename], let plain = layout[.codeName],
      let firstLine = layout[.codeFirstLine], let lineTable = layout[.codeLineTable]
    else { return nil }
    self.filename = filename
    // `Class.method` and `f.<locals>.<lambda>` from 3.11 on.
    name = layout[.codeQualifiedName] ?? plain
    self.firstLine = firstLine
    self.lineTable = lineTable
    version = layout[.codeVersion]
    lineFormat = minor <= 9 ? .increments : minor == 10 ? .ranges : .locations
    let last =
      [filename + 8, name + 8, firstLine + 4, lineTable + 8, (version ?? 0) + 4].max() ?? 0
    guard filename >= first, name >= first, firstLine >= first, lineTable >= first, last <= 4096
    else { return nil }
    span = last - first
  }

  /// What must be the same for a code object to be the one that was read before.
  struct Identity: Equatable, Sendable {
    let type: RemoteAddress
    let filename: RemoteAddress
    let name: RemoteAddress
    let lineTable: RemoteAddress
    let firstLine: Int32
    /// Counts up with each code object made since 3.12; 0 before.
    let version: UInt32
  }

  /// Reads the record of the code object at `address`; nil when it was not copied.
  func identity(_ copies: MemoryCopies, at address: RemoteAddress) -> Identity? {
    unsafe copies.withBytes(at: address + first, count: span) { unsafe identity(record: $0) }
  }

  /// The same from the `span` bytes of a record.
  func identity(record: UnsafeRawBufferPointer) -> Identity {
    func load<T: FixedWidthInteger & BitwiseCopyable>(_ field: Int, as type: T.Type) -> T {
      // Every field is within the span.
      T(littleEndian: unsafe record.loadUnaligned(fromByteOffset: field - first, as: type))
    }
    func pointer(_ field: Int) -> RemoteAddress { RemoteAddress(load(field, as: UInt64.self)) }
    return Identity(
      type: pointer(first), filename: pointer(filename), name: pointer(name),
      lineTable: pointer(lineTable),
      firstLine: load(firstLine, as: Int32.self),
      version: version.map { load($0, as: UInt32.self) } ?? 0)
  }
}

/// How many code objects an interpreter had freed (3.14 and later).
struct PythonCodeGeneration: Equatable {
  /// Its id, which no later one gets: each has its own count, and the next may be where the last was.
  let interpreter: UInt64
  let count: UInt64
}
