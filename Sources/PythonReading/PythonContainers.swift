internal import LinuxProcess
internal import ProfileModel

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
    // PySetObject: mask at 32, table of keys and hashes at 40.
    guard isInstance(address, ofTypeNamed: "set"), let mask = word(address &+ 32),
      mask < UInt64(max(0, budget)), let table = word(address &+ 40)
    else { return [] }
    budget -= Int(mask) + 1
    let copies = copies([MemoryRange(start: RemoteAddress(table), count: Int(mask + 1) * 16)])
    return (0...mask).compactMap { index in
      let entry = table &+ index &* 16
      guard let key = copies.value(at: entry, as: UInt64.self), key != 0,
        // A key that was taken out leaves a dummy, whose hash is -1.
        copies.value(at: entry &+ 8, as: Int64.self) != -1
      else { return nil }
      return key
    }
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
