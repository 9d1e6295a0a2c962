internal import LinuxProcess
internal import ProfileModel

// Dictionaries, modules and attributes.
extension PythonObjects {
  /// An entry of a dictionary.
  struct Entry {
    let key: RemoteAddress
    let value: RemoteAddress
  }

  /// More entries are a torn dictionary.
  private static var entryLimit: Int { 1 << 14 }

  /// The entries of a `dict`.
  func entries(ofDictionary address: RemoteAddress) -> [Entry] {
    guard let keysField = runtime.layout[.dictKeys], let valuesField = runtime.layout[.dictValues],
      let keys = pointer(address + keysField), let values = pointer(address + valuesField)
    else { return [] }
    return entries(ofKeys: keys, values: values.isNull ? nil : values + shape.instances.items)
  }

  private func shape(ofKeys keys: RemoteAddress) -> PythonKeysShape.Entries? {
    guard let head = word(keys + shape.keys.slots), let count = word(keys + shape.keys.count),
      let entries = shape.keys.entries(head: head, count: count, limit: Self.entryLimit),
      entries.count > 0
    else { return nil }
    return entries
  }

  /// The number of a key among those that instances of a class share.
  func position(of name: String, inKeys keys: RemoteAddress) -> Int? {
    guard let shape = shape(ofKeys: keys) else { return nil }
    let keys = pointers(
      (0..<shape.count).map { keys + shape.start + $0 * shape.size + shape.key })
    let texts = strings(keys.compactMap { $0 })
    return keys.firstIndex { $0.map { texts[$0] == name } ?? false }
  }

  /// `values` is where the values of a table begin that shares its keys with others.
  private func entries(ofKeys keys: RemoteAddress, values: RemoteAddress?) -> [Entry] {
    guard let shape = shape(ofKeys: keys) else { return [] }
    let wordSize = PythonObjectShape.wordSize
    let start = keys + shape.start
    var ranges = [MemoryRange(start: start, count: shape.count * shape.size)]
    if let values { ranges.append(MemoryRange(start: values, count: shape.count * wordSize)) }
    let copies = copies(ranges)
    return (0..<shape.count).compactMap { index in
      let entry = start + index * shape.size + shape.key
      let place = values.map { $0 + index * wordSize } ?? entry + wordSize
      guard let key = copies.pointer(at: entry), !key.isNull,
        let value = copies.pointer(at: place), !value.isNull
      else { return nil }
      return Entry(key: key, value: value)
    }
  }

  /// The values of some keys of a `dict` whose keys are strings.
  func values(
    of names: Set<String>, inDictionary address: RemoteAddress
  ) -> [String: RemoteAddress] {
    named(entries(ofDictionary: address), names)
  }

  private func named(_ entries: [Entry], _ names: Set<String>) -> [String: RemoteAddress] {
    let texts = strings(entries.map(\.key))
    var result: [String: RemoteAddress] = [:]
    for entry in entries {
      if let name = texts[entry.key], names.contains(name) { result[name] = entry.value }
    }
    return result
  }

  /// The dictionaries of some modules that an interpreter has loaded (`sys.modules`).
  func contents(
    of modules: Set<String>, in interpreter: PythonInterpreter
  ) -> [String: RemoteAddress] {
    guard let field = runtime.layout[.interpreterModules],
      let table = pointer(interpreter.address + field)
    else { return [:] }
    return values(of: modules, inDictionary: table).compactMapValues {
      pointer($0 + shape.moduleDictionary)
    }
  }

  // MARK: - Attributes

  /// Some attributes of an instance of a class written in Python.
  func attributes(_ names: Set<String>, of object: RemoteAddress) -> [String: RemoteAddress] {
    guard let type = type(of: object), let flags = word(type + shape.typeFlags) else { return [:] }
    let isManaged = flags & PythonInstanceShape.managedDictionaryFlag != 0
    guard let before = shape.instances.dictionaryBefore, isManaged else {
      guard let offset = word(type + shape.typeDictionaryOffset), offset > 0, offset < 1 << 20,
        let dictionary = reference(object + Int(offset))
      else { return [:] }
      return values(of: names, inDictionary: dictionary)
    }
    if let values = values(of: object, type: type, flags: flags) {
      guard let field = runtime.layout[.typeCachedKeys], let keys = pointer(type + field)
      else { return [:] }
      return named(entries(ofKeys: keys, values: values), names)
    }
    guard let dictionary = reference(object - before) else { return [:] }
    return values(of: names, inDictionary: dictionary)
  }

  /// Where the values are of an object that has no dictionary yet.
  private func values(
    of object: RemoteAddress, type: RemoteAddress, flags: UInt64
  ) -> RemoteAddress? {
    switch shape.instances.values {
    case .none: return nil
    case .pointer(let before): return reference(object - before)
    case .taggedPointer(let before):
      return pointer(object - before).flatMap { $0.rawValue & 1 == 1 ? $0 + 1 : nil }
    case .inline:
      guard flags & PythonInstanceShape.inlineValuesFlag != 0,
        let size = word(type + shape.typeBasicSize), size < 1 << 20,
        let head = value(object + Int(size), as: UInt32.self), head >> 24 != 0
      else { return nil }
      return object + Int(size) + shape.instances.items
    }
  }
}
