internal import LinuxProcess
internal import ProfileModel

/// Objects of which many are read together, and what leads to them.
extension JavaObjects {
  /// How many bytes a pointer to an object takes.
  var referenceSize: Int { areReferencesNarrow ? 4 : 8 }

  /// The object that a pointer in a copied piece leads to; nil for none.
  func reference(in pieces: MemoryPieces, at place: Int) -> RemoteAddress? {
    areReferencesNarrow
      ? pieces.value(at: place, as: UInt32.self).flatMap { object(narrow: $0) }
      : pieces.value(at: place, as: UInt64.self).flatMap(Self.object)
  }

  /// The class of an object of which the beginning was copied.
  func classOf(_ pieces: MemoryPieces, at place: Int) -> RemoteAddress? {
    classOf { pieces.value(at: place + $0, as: UInt64.self) }
  }

  /// The object in a field that a class of that name declares; nil where the object is of no such class.
  func reference(
    _ field: String, of object: RemoteAddress, declaredBy name: String, _ memory: JavaMemory
  ) -> RemoteAddress? {
    guard let holder = ancestor(named: name, of: object, memory),
      let offset = offset(of: field, in: holder, memory)
    else { return nil }
    return reference(at: object + offset, memory)
  }

  /// Where a static field of a class is.
  func place(
    ofStatic field: String, in holder: RemoteAddress, _ memory: JavaMemory
  ) -> RemoteAddress? {
    guard let mirror = layout.virtualThreads?.mirror,
      let offset = fields(of: holder, memory)?.statics[field],
      let handle = memory.address(at: holder + mirror), !handle.isNull,
      let object = object(at: handle, memory)
    else { return nil }
    return object + offset
  }

  /// The objects in an array, without the places that have none; nil for an array that is longer than `limit`.
  func elements(
    ofArray array: RemoteAddress, limit: Int, _ memory: JavaMemory
  ) -> [RemoteAddress]? {
    guard let length = memory.int(at: array + arrayLength), (0...limit).contains(length) else {
      return nil
    }
    guard length > 0 else { return [] }
    // The first element is where its own size allows; up to JDK 22 at a multiple of eight.
    let unit = layout.version >= 23 ? referenceSize : 8
    let start = (arrayLength + 4 + unit - 1) / unit * unit
    var pieces = MemoryPieces()
    memory.read(
      [MemoryRange(start: array + start, count: length * referenceSize)], into: &pieces)
    guard pieces.places.first.flatMap({ $0 }) != nil else { return nil }
    return (0..<length).compactMap { reference(in: pieces, at: $0 * referenceSize) }
  }
}

extension JavaMemory {
  /// Reads many pieces, each of which may be missing.
  func read(_ ranges: [MemoryRange], into pieces: inout MemoryPieces) {
    func read(_ source: some TargetMemory, _ pieces: inout MemoryPieces) {
      pieces.read(ranges, from: source)
    }
    read(source, &pieces)
  }
}
