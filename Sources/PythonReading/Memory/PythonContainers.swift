internal import LinuxProcess
internal import ProfileModel

/// Where a `set` keeps its elements.
struct PythonSetTable {
  let range: MemoryRange
  /// How many places there are, most of them mostly empty.
  let count: Int

  /// Nil when the head of the set was not copied, or has `limit` places or more.
  init?(
    ofSet address: RemoteAddress, _ shape: PythonObjectShape, below limit: Int,
    in copies: MemoryCopies
  ) {
    guard let mask = copies.word(at: address + shape.setMask),
      mask < UInt64(min(max(0, limit), 1 << 32)),
      let table = copies.pointer(at: address + shape.setTable)
    else { return nil }
    count = Int(mask) + 1
    range = MemoryRange(start: table, count: count * PythonObjectShape.setEntrySize)
  }

  /// The elements, once the table was copied.
  func elements(in copies: MemoryCopies) -> [RemoteAddress] {
    (0..<count).compactMap { index in
      let entry = range.start + index * PythonObjectShape.setEntrySize
      guard let key = copies.pointer(at: entry), !key.isNull,
        // A key that was taken out leaves a dummy, whose hash is -1.
        copies.value(at: entry + PythonObjectShape.wordSize, as: Int64.self) != -1
      else { return nil }
      return key
    }
  }
}

// Sets and lists: those that the interpreter makes itself, known by the names of their types.
extension PythonObjects {
  /// More elements are a torn set or list.
  private static var elementLimit: Int { 1 << 18 }

  /// The elements of a `set`; none when it is no set.
  func elements(ofSet address: RemoteAddress) -> [RemoteAddress] {
    var budget = Self.elementLimit * 4
    return elements(ofSet: address, budget: &budget)
  }

  /// The same of one of many, which may read so many places of tables together: an empty set may have
  /// a large one.
  func elements(ofSet address: RemoteAddress, budget: inout Int) -> [RemoteAddress] {
    guard isInstance(address, ofTypeNamed: "set") else { return [] }
    let head = copies([MemoryRange(start: address, count: shape.setHeadSize)])
    guard let table = PythonSetTable(ofSet: address, shape, below: budget, in: head)
    else { return [] }
    budget -= table.count
    return table.elements(in: copies([table.range]))
  }

  /// The elements of a `list`, likewise; none when it is no list.
  func elements(ofList address: RemoteAddress, budget: inout Int) -> [RemoteAddress] {
    guard isInstance(address, ofTypeNamed: "list"), let count = word(address + shape.count),
      count <= UInt64(min(Self.elementLimit, max(0, budget))),
      let items = pointer(address + shape.listItems)
    else { return [] }
    budget -= Int(count)
    let places = (0..<Int(count)).map { items + $0 * PythonObjectShape.wordSize }
    return pointers(places).compactMap { $0 }
  }
}
