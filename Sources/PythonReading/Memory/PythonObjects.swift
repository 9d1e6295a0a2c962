package import LinuxProcess
package import ProfileModel

/// Reads objects of the interpreter out of live memory: dictionaries, attributes, numbers, strings.
///
/// For what changes seldom, such as the names of threads. Nothing is stopped, so all of it may be
/// torn; what does not fit together reads as missing.
struct PythonObjects<Memory: TargetMemory> {
  let runtime: PythonRuntime
  let memory: Memory

  /// More entries are a torn dictionary.
  private static var entryLimit: Int { 1 << 14 }

  func word(_ address: UInt64) -> UInt64? { value(address, as: UInt64.self) }

  func value<T: FixedWidthInteger & BitwiseCopyable>(_ address: UInt64, as type: T.Type) -> T? {
    let copies = copies([MemoryRange(start: RemoteAddress(address), count: MemoryLayout<T>.size)])
    return copies.value(at: address, as: type)
  }

  func copies(_ ranges: [MemoryRange]) -> MemoryCopies {
    var copies = MemoryCopies()
    copies.copy(ranges, from: memory)
    return copies
  }

  /// The text of a `str`.
  func string(_ address: UInt64) -> String? { strings([address])[address] }

  /// The texts of many strings, with two reads; what is no string is left out.
  func strings(_ addresses: [UInt64]) -> [UInt64: String] {
    var copies = copies(
      addresses.map { MemoryRange(start: RemoteAddress($0), count: PythonStringShape.headerSize) })
    let headers = addresses.compactMap { address in
      runtime.strings.header(copies, at: address).map { (address, $0) }
    }
    copies.copy(
      headers.map { address, header in
        MemoryRange(start: RemoteAddress(address), count: header.dataOffset + header.byteCount)
      }, from: memory)
    var result: [UInt64: String] = [:]
    for (address, header) in headers {
      result[address] = runtime.strings.text(copies, at: address, header)
    }
    return result
  }

  /// A non-negative `int` below 2 to the 64th.
  func integer(_ address: UInt64) -> UInt64? { integers([address])[address] }

  /// Many of them, with two reads.
  func integers(_ addresses: [UInt64]) -> [UInt64: UInt64] {
    var copies = copies(
      addresses.map { MemoryRange(start: RemoteAddress($0 &+ 16), count: 8) })
    let sizes = addresses.compactMap { address -> (address: UInt64, count: UInt64)? in
      guard let head = copies.value(at: address &+ 16, as: UInt64.self) else { return nil }
      // Up to 3.11 the number of 30-bit digits; then that number above three bits of flags.
      let count = runtime.version.minor >= 12 ? head >> 3 : head
      return count <= 3 ? (address, count) : nil
    }
    copies.copy(
      sizes.map { MemoryRange(start: RemoteAddress($0.address &+ 24), count: Int($0.count) * 4) },
      from: memory)
    var result: [UInt64: UInt64] = [:]
    for (address, count) in sizes {
      result[address] = integer(copies, digits: address &+ 24, count: count)
    }
    return result
  }

  private func integer(_ copies: MemoryCopies, digits: UInt64, count: UInt64) -> UInt64? {
    var result: UInt64 = 0
    for index in 0..<count {
      guard let digit = copies.value(at: digits &+ index &* 4, as: UInt32.self), digit < 1 << 30,
        index < 2 || digit < 16
      else { return nil }
      result |= UInt64(digit) << (index * 30)
    }
    return result
  }

  // MARK: - Dictionaries

  /// The entries of a `dict`, as the addresses of keys and values.
  func entries(ofDictionary address: UInt64) -> [(key: UInt64, value: UInt64)] {
    guard let keysField = runtime.layout[.dictKeys], let valuesField = runtime.layout[.dictValues],
      let keys = word(address &+ UInt64(keysField)),
      let values = word(address &+ UInt64(valuesField))
    else { return [] }
    let items = UInt64(runtime.layout[.valuesItems] ?? 0)
    return entries(ofKeys: keys, values: values == 0 ? nil : values &+ items)
  }

  /// What a `PyDictKeysObject` says of its entries.
  private struct KeysShape {
    let entries: UInt64
    let size: Int
    let count: Int
    /// Where the key lies in an entry: behind its hash, or first.
    let keyOffset: Int
  }

  private func shape(ofKeys keys: UInt64) -> KeysShape? {
    if runtime.version.minor >= 11 {
      guard let sizes = word(keys &+ 8), let count = word(keys &+ 24),
        count <= UInt64(Self.entryLimit), sizes >> 8 & 0xff <= 32
      else { return nil }
      let isGeneral = sizes >> 16 & 0xff == 0
      return KeysShape(
        entries: keys &+ 32 &+ (1 << (sizes >> 8 & 0xff)), size: isGeneral ? 24 : 16,
        count: Int(count), keyOffset: isGeneral ? 8 : 0)
    }
    guard let slots = word(keys &+ 8), let count = word(keys &+ 32),
      count <= UInt64(Self.entryLimit), slots <= 1 << 32
    else { return nil }
    let width: UInt64 = slots <= 0xff ? 1 : slots <= 0xffff ? 2 : 4
    return KeysShape(
      entries: keys &+ 40 &+ slots * width, size: 24, count: Int(count), keyOffset: 8)
  }

  /// The number of a key among those that instances of a class share.
  func position(of name: String, inKeys keys: UInt64) -> Int? {
    guard let shape = shape(ofKeys: keys), shape.count > 0 else { return nil }
    let keys = words(
      (0..<shape.count).map { shape.entries &+ UInt64($0 * shape.size + shape.keyOffset) })
    let texts = strings(keys.compactMap { $0 })
    return keys.firstIndex { $0.map { texts[$0] == name } ?? false }
  }

  /// `values` is where the values of a table lie that shares its keys with others.
  private func entries(
    ofKeys keys: UInt64, values: UInt64?
  ) -> [(key: UInt64, value: UInt64)] {
    guard let shape = shape(ofKeys: keys), shape.count > 0 else { return [] }
    var ranges = [
      MemoryRange(start: RemoteAddress(shape.entries), count: shape.count * shape.size)
    ]
    if let values {
      ranges.append(MemoryRange(start: RemoteAddress(values), count: shape.count * 8))
    }
    let copies = copies(ranges)
    return (0..<shape.count).compactMap { index in
      let entry = shape.entries &+ UInt64(index * shape.size + shape.keyOffset)
      let place = values.map { $0 &+ UInt64(index * 8) } ?? entry &+ 8
      guard let key = copies.value(at: entry, as: UInt64.self), key != 0,
        let value = copies.value(at: place, as: UInt64.self), value != 0
      else { return nil }
      return (key, value)
    }
  }

  /// The values of some keys of a `dict` whose keys are strings.
  func values(
    of names: Set<String>, inDictionary address: UInt64
  ) -> [String: UInt64] {
    named(entries(ofDictionary: address), names)
  }

  private func named(
    _ entries: [(key: UInt64, value: UInt64)], _ names: Set<String>
  ) -> [String: UInt64] {
    let texts = strings(entries.map(\.key))
    var result: [String: UInt64] = [:]
    for entry in entries {
      if let name = texts[entry.key], names.contains(name) { result[name] = entry.value }
    }
    return result
  }

  /// The dictionaries of some modules that an interpreter has loaded (`sys.modules`).
  func contents(of modules: Set<String>, in interpreter: PythonInterpreter) -> [String: UInt64] {
    guard let field = runtime.layout[.interpreterModules],
      let table = word(interpreter.address.rawValue &+ UInt64(field))
    else { return [:] }
    // PyModuleObject.md_dict.
    return values(of: modules, inDictionary: table).compactMapValues { word($0 &+ 16) }
  }

  // MARK: - Attributes

  /// Some attributes of an instance of a class written in Python.
  func attributes(_ names: Set<String>, of object: UInt64) -> [String: UInt64] {
    guard let type = word(object &+ 8), let flags = word(type &+ 168) else { return [:] }
    // Py_TPFLAGS_MANAGED_DICT, since 3.11: the dictionary lies before the object.
    guard runtime.version.minor >= 11, flags & 1 << 4 != 0 else {
      guard let offset = word(type &+ 288), offset > 0, offset < 1 << 20,
        let dictionary = word(object &+ offset), dictionary != 0
      else { return [:] }
      return values(of: names, inDictionary: dictionary)
    }
    if let values = inlineValues(of: object, type: type, flags: flags) {
      guard let field = runtime.layout[.typeCachedKeys], let keys = word(type &+ UInt64(field))
      else { return [:] }
      return named(entries(ofKeys: keys, values: values), names)
    }
    guard let dictionary = word(object &- 24), dictionary != 0 else { return [:] }
    return self.values(of: names, inDictionary: dictionary)
  }

  /// Where the values lie of an object that has no dictionary yet.
  private func inlineValues(of object: UInt64, type: UInt64, flags: UInt64) -> UInt64? {
    switch runtime.version.minor {
    case 11:
      return word(object &- 32).flatMap { $0 == 0 ? nil : $0 }
    case 12:
      // The lower bit tells values from a dictionary.
      return word(object &- 24).flatMap { $0 & 1 == 1 ? $0 &+ 1 : nil }
    default:
      // Py_TPFLAGS_INLINE_VALUES: behind the object, with a head whose fourth byte says "valid".
      guard flags & 1 << 2 != 0, let size = word(type &+ 32), size < 1 << 20,
        let head = value(object &+ size, as: UInt32.self), head >> 24 != 0
      else { return nil }
      return object &+ size &+ UInt64(runtime.layout[.valuesItems] ?? 8)
    }
  }
}

extension PythonReader {
  /// The names that `threading` knows its threads by, by thread state.
  ///
  /// Read from live memory, in some fifteen reads and four a thread: for when threads began. What
  /// is missing here has the kernel's name (`/proc/PID/task/TID/comm`) as the next best.
  package func threadNames(from memory: some TargetMemory) -> [RemoteAddress: String] {
    var result: [RemoteAddress: String] = [:]
    let objects = PythonObjects(runtime: runtime, memory: memory)
    var hasAsyncio = false
    for interpreter in interpreters {
      let content = objects.contents(of: ["threading", PythonTaskLayout.module], in: interpreter)
      hasAsyncio = hasAsyncio || content[PythonTaskLayout.module] != nil
      let names = content["threading"].map { activeThreads(in: $0, objects) } ?? [:]
      for thread in threads where thread.interpreter == interpreter.address {
        result[thread.state] = names[thread.pthread]
      }
    }
    noteAsyncio(isLoaded: hasAsyncio)
    return result
  }

  /// `sys.modules["threading"]._active`: names by `pthread_self()`.
  private func activeThreads<Memory: TargetMemory>(
    in content: UInt64, _ objects: PythonObjects<Memory>
  ) -> [UInt64: String] {
    guard let active = objects.values(of: ["_active"], inDictionary: content)["_active"]
    else { return [:] }
    var result: [UInt64: String] = [:]
    for entry in objects.entries(ofDictionary: active) {
      guard let pthread = objects.integer(entry.key),
        let name = objects.attributes(["_name"], of: entry.value)["_name"]
      else { continue }
      result[pthread] = objects.string(name)
    }
    return result
  }
}
