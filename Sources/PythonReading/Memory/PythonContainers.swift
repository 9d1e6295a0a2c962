internal import LinuxProcess
internal import ProfileModel

/// Where a `set` keeps its elements.
struct PythonSetTable {
  /// How many bytes of the set object tell it.
  static let headSize = 48

  let range: MemoryRange
  /// How many places there are, most of them mostly empty.
  let count: UInt64

  /// Nil when the head of the set was not copied, or has `limit` places or more.
  init?(ofSet address: UInt64, below limit: UInt64, in copies: MemoryCopies) {
    // PySetObject: mask at 32, table of keys and hashes at 40.
    guard let mask = copies.value(at: address &+ 32, as: UInt64.self), mask < min(limit, 1 << 32),
      let table = copies.value(at: address &+ 40, as: UInt64.self)
    else { return nil }
    count = mask + 1
    range = MemoryRange(start: RemoteAddress(table), count: Int(count) * 16)
  }

  /// The elements, once the table was copied.
  func elements(in copies: MemoryCopies) -> [UInt64] {
    (0..<count).compactMap { index in
      let entry = range.start.rawValue &+ index &* 16
      guard let key = copies.value(at: entry, as: UInt64.self), key != 0,
        // A key that was taken out leaves a dummy, whose hash is -1.
        copies.value(at: entry &+ 8, as: Int64.self) != -1
      else { return nil }
      return key
    }
  }
}

// Sets, lists and types: those that the interpreter makes itself, told by the names of their types.
extension PythonObjects {
  /// More elements are a torn set or list.
  private static var elementLimit: UInt64 { 1 << 18 }

  /// The elements of a `set`; none when it is no set.
  func elements(ofSet address: UInt64) -> [UInt64] {
    var budget = Int(Self.elementLimit * 4)
    return elements(ofSet: address, budget: &budget)
  }

  /// The same of one of many, which may read so many places of tables together: an empty set may have
  /// a large one.
  func elements(ofSet address: UInt64, budget: inout Int) -> [UInt64] {
    guard isInstance(address, ofTypeNamed: "set") else { return [] }
    let head = copies([
      MemoryRange(start: RemoteAddress(address), count: PythonSetTable.headSize)
    ])
    guard let table = PythonSetTable(ofSet: address, below: UInt64(max(0, budget)), in: head)
    else { return [] }
    budget -= Int(table.count)
    return table.elements(in: copies([table.range]))
  }

  /// The elements of a `list`, likewise; none when it is no list.
  func elements(ofList address: UInt64, budget: inout Int) -> [UInt64] {
    guard isInstance(address, ofTypeNamed: "list"), let count = word(address &+ 16),
      count <= min(Self.elementLimit, UInt64(max(0, budget))), let items = word(address &+ 24)
    else { return [] }
    budget -= Int(count)
    return words((0..<count).map { items &+ $0 &* 8 }).compactMap { $0 }
  }

  /// Many words, with one read.
  func words(_ addresses: [UInt64]) -> [UInt64?] {
    let copies = copies(addresses.map { MemoryRange(start: RemoteAddress($0), count: 8) })
    return addresses.map { copies.value(at: $0, as: UInt64.self) }
  }

  // MARK: - Types

  /// Whether an object is one of a type of the interpreter's own, and not of one derived from it.
  func isInstance(_ object: UInt64, ofTypeNamed name: String) -> Bool {
    guard object != 0, let type = word(object &+ 8) else { return false }
    return typeName(type) == name
  }

  /// `tp_name`, when it is no longer than names of the interpreter's own types are.
  func typeName(_ type: UInt64) -> String? {
    guard let name = word(type &+ 24), name != 0 else { return nil }
    let copies = copies([MemoryRange(start: RemoteAddress(name), count: 32)])
    guard let bytes = copies.bytes(at: name, count: 32), let end = bytes.firstIndex(of: 0) else {
      return nil
    }
    return String(decoding: bytes[..<end], as: UTF8.self)
  }

  /// Whether a type is `base` or derived from it, by the chain of its first bases.
  func isType(_ type: UInt64, derivedFrom base: UInt64) -> Bool {
    var current = type
    for _ in 0..<32 {
      if current == base { return true }
      // tp_base.
      guard current != 0, let next = word(current &+ 256) else { return false }
      current = next
    }
    return false
  }
}
