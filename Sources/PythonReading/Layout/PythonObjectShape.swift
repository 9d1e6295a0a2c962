/// Where a version's objects keep what is read of them, whatever they are objects of.
///
/// All of it is known of every version with a column in `PythonOffsets`.
struct PythonObjectShape: Sendable {
  // PyObject, PyVarObject
  let type: Int
  let count: Int
  // PyTypeObject
  let typeName: Int
  let typeBasicSize: Int
  let typeFlags: Int
  let typeBase: Int
  let typeDictionary: Int
  let typeDictionaryOffset: Int
  // PyBytesObject, PyTupleObject, PyListObject
  let bytesContent: Int
  let tupleItems: Int
  let listItems: Int
  // PySetObject: the mask of its table, and the table of keys and hashes
  let setMask: Int
  let setTable: Int
  // What refers to one other object
  let methodFunction: Int
  let methodReceiver: Int
  let builtinReceiver: Int
  let cellContent: Int
  let weakReferenceObject: Int
  let moduleDictionary: Int
  let wrapperInner: Int
  // _gil_runtime_state
  let lockHolder: Int
  let lockLocked: Int
  let lockSize: Int
  let integers: PythonIntegerShape
  let keys: PythonKeysShape
  let instances: PythonInstanceShape

  /// How many bytes a pointer has, and an entry of the table of a set: key and hash.
  static let wordSize = 8
  static let setEntrySize = 16

  /// Nil when the layout lacks one of them.
  init?(_ layout: PythonLayout) {
    var isWhole = true
    func offset(_ field: PythonField) -> Int {
      // An interpreter may describe its own layout; the offsets of a true one are small.
      guard let offset = layout[field], offset < 1 << 16 else {
        isWhole = false
        return 0
      }
      return offset
    }
    type = offset(.objectType)
    count = offset(.objectCount)
    typeName = offset(.typeName)
    typeBasicSize = offset(.typeBasicSize)
    typeFlags = offset(.typeFlags)
    typeBase = offset(.typeBase)
    typeDictionary = offset(.typeDictionary)
    typeDictionaryOffset = offset(.typeDictionaryOffset)
    bytesContent = offset(.bytesContent)
    tupleItems = offset(.tupleItems)
    listItems = offset(.listItems)
    setMask = offset(.setMask)
    setTable = offset(.setTable)
    methodFunction = offset(.methodFunction)
    methodReceiver = offset(.methodReceiver)
    builtinReceiver = offset(.builtinReceiver)
    cellContent = offset(.cellContent)
    weakReferenceObject = offset(.weakReferenceObject)
    moduleDictionary = offset(.moduleDictionary)
    wrapperInner = offset(.wrapperInner)
    lockHolder = offset(.lockHolder)
    lockLocked = offset(.lockLocked)
    lockSize = offset(.lockSize)
    integers = PythonIntegerShape(
      head: offset(.integerHead), digits: offset(.integerDigits),
      countShift: offset(.integerCountShift))
    keys = PythonKeysShape(
      slots: offset(.keysSlots), count: offset(.keysCount), table: offset(.keysTable),
      hasKinds: layout[.dictionaryBefore] != nil)
    instances = PythonInstanceShape(layout)
    guard isWhole else { return nil }
  }

  /// How many bytes of a set are read to find its table.
  var setHeadSize: Int { max(setMask, setTable) + Self.wordSize }
}

/// A `PyLongObject`: a count of digits of 30 bits, and the digits.
struct PythonIntegerShape: Sendable {
  let head: Int
  let digits: Int
  let countShift: Int

  static let digitSize = 4
  static let digitBits = 30
}

/// A `PyDictKeysObject`: its head, a table of slots, and the entries.
struct PythonKeysShape: Sendable {
  let slots: Int
  let count: Int
  let table: Int
  /// Whether it has, from 3.11 on, logarithms in place of the number of slots, and tables for strings
  /// alone, whose entries have no hash.
  let hasKinds: Bool

  /// How many bytes of the head are read.
  var headSize: Int { max(slots, count) + PythonObjectShape.wordSize }

  /// Entries of hash, key and value, or of key and value.
  static let entrySize = 24
  static let shortEntrySize = 16

  /// What the head says of the entries.
  struct Entries {
    /// From the start of the keys on.
    let start: Int
    let size: Int
    let count: Int
    /// Where the key is in an entry: behind its hash, or first; the value follows.
    let key: Int
  }

  /// Nil for a head that no table with at most `limit` entries has.
  func entries(head: UInt64, count: UInt64, limit: Int) -> Entries? {
    guard count <= UInt64(limit) else { return nil }
    if hasKinds {
      // dk_log2_size, dk_log2_index_bytes, dk_kind.
      let indexBytes = head >> 8 & 0xff
      guard indexBytes <= 32 else { return nil }
      let isGeneral = head >> 16 & 0xff == 0
      return Entries(
        start: table + 1 << Int(indexBytes),
        size: isGeneral ? Self.entrySize : Self.shortEntrySize, count: Int(count),
        key: isGeneral ? 8 : 0)
    }
    guard head <= 1 << 32 else { return nil }
    let width = head <= 0xff ? 1 : head <= 0xffff ? 2 : 4
    return Entries(
      start: table + Int(head) * width, size: Self.entrySize, count: Int(count), key: 8)
  }
}

/// Where an instance of a class written in Python keeps its attributes.
struct PythonInstanceShape: Sendable {
  enum Values: Sendable {
    /// None without a dictionary: up to 3.10.
    case none
    /// 3.11: a pointer to them so far before the object.
    case pointer(before: Int)
    /// 3.12: a pointer to them or to the dictionary, as the lowest bit says.
    case taggedPointer(before: Int)
    /// From 3.13 on: behind the object, with a head whose fourth byte says whether they are in use.
    case inline
  }

  let values: Values
  /// Where values begin within their block.
  let items: Int
  /// How far before an object with `managedDictionaryFlag` the pointer to its dictionary is.
  let dictionaryBefore: Int?

  /// Py_TPFLAGS_MANAGED_DICT, from 3.11 on.
  static let managedDictionaryFlag: UInt64 = 1 << 4
  /// Py_TPFLAGS_INLINE_VALUES, from 3.13 on.
  static let inlineValuesFlag: UInt64 = 1 << 2
  /// Py_TPFLAGS_LONG_SUBCLASS and Py_TPFLAGS_UNICODE_SUBCLASS.
  static let integerFlag: UInt64 = 1 << 24
  static let stringFlag: UInt64 = 1 << 28

  init(_ layout: PythonLayout) {
    dictionaryBefore = layout[.dictionaryBefore]
    items = layout[.valuesItems] ?? 0
    switch (dictionaryBefore, layout[.valuesBefore]) {
    case (nil, _): values = .none
    case (_, nil): values = .inline
    case (let dictionary?, let before?):
      values = dictionary == before ? .taggedPointer(before: before) : .pointer(before: before)
    }
  }
}
