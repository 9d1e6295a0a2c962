internal import ByteReading
package import ProfileModel

/// The functions of a Go program, as the linker describes them to Go's own runtime (`.gopclntab`).
///
/// The table is loaded with the code, so that a stripped program has it too. Written for Go 1.18 and
/// later (runtime/symtab.go, internal/abi/symtab.go); 1.20 changed two records, 1.26 where the code's start
/// is. Only the header is read when it is made. Nothing in it is trusted: what leads out of the bytes, or
/// takes too many steps, is not there.
package struct GoFunctionTable: Sendable {
  /// One function, as the table has it.
  package struct Function: Hashable, Sendable {
    package let code: Range<FileAddress>
    /// Where its record is, from the start of the table of functions.
    let record: Int

    package var start: FileAddress { code.lowerBound }
  }

  /// The form of the records.
  enum Form: Sendable {
    /// Go 1.18 and 1.19.
    case go118
    /// Go 1.20 and later.
    case go120

    /// The first byte of `_func` that is not a number of 4 bytes: `funcID`.
    var kindOffset: Int { self == .go118 ? 36 : 40 }
  }

  let form: Form
  /// Where Go's code starts; offsets of functions count from it.
  package let codeStart: FileAddress
  package let count: Int
  /// Of the whole table, in the file.
  let table: Range<Int>
  /// Offsets in the table.
  let names: Int
  let units: Int
  let files: Int
  let values: Int
  let functions: Int
  /// What `FUNCDATA` counts from, in the file; nil where it was not found.
  var functionData: Range<Int>?
  /// Where the runtime's record of the module (`moduledata`) is; nil where it was not found.
  package private(set) var moduleData: FileAddress?

  /// No program has more functions.
  private static let functionLimit = 1 << 24
  static let headerSize = 72

  /// Finds the table of an ELF file, whose content is `bytes`; nil for a program that is not Go's, or of
  /// a version before 1.18.
  package init?(_ file: ELFFile, bytes: RawSpan) {
    guard
      let section = file.section(named: ".gopclntab")
        ?? file.section(named: ".data.rel.ro.gopclntab"),
      !section.isCompressed, let range = file.bytes(of: section, fileSize: bytes.byteCount)
    else { return nil }
    let reader = ByteReader(bytes.extracting(range))
    guard let magic = reader.value(at: 0, as: UInt32.self) else { return nil }
    switch magic {
    case 0xffff_fff0: form = .go118
    case 0xffff_fff1: form = .go120
    default: return nil
    }
    // Instructions of one byte, and pointers of eight.
    guard reader.value(at: 6, as: UInt16.self) == 0x0801,
      let count = Self.offset(reader, 8), count > 0, count < Self.functionLimit,
      let names = Self.offset(reader, 32), let units = Self.offset(reader, 40),
      let files = Self.offset(reader, 48), let values = Self.offset(reader, 56),
      let functions = Self.offset(reader, 64)
    else { return nil }
    table = range
    self.count = count
    (self.names, self.units, self.files) = (names, units, files)
    (self.values, self.functions) = (values, functions)
    let module = GoModuleData(file, bytes: bytes, table: section.address, form: form)
    moduleData = module?.address
    let stated = module?.codeStart ?? reader.value(at: 24, as: UInt64.self) ?? 0
    guard stated != 0 else { return nil }
    codeStart = FileAddress(stated)
    functionData = module?.functionData
  }

  /// An offset within the table.
  private static func offset(_ reader: borrowing ByteReader, _ place: Int) -> Int? {
    reader.value(at: place, as: UInt64.self).flatMap { $0 < UInt64(reader.count) ? Int($0) : nil }
  }

  // MARK: - Functions

  /// The function that `address` is in; `bytes` are those that the table was made from.
  package func function(containing address: FileAddress, in bytes: RawSpan) -> Function? {
    guard address >= codeStart else { return nil }
    let offset = address.rawValue - codeStart.rawValue
    let reader = ByteReader(bytes.extracting(table))
    // A start that cannot be read counts as behind the address: what is found must contain it.
    let next = (0..<count).partitioningIndex { index in
      start(of: index, reader).map { $0 > offset } ?? true
    }
    guard next > 0, let function = function(next - 1, reader), function.code.contains(address)
    else { return nil }
    return isLast(address, of: function) ? callee(at: next, reader) ?? function : function
  }

  private func isLast(_ address: FileAddress, of function: Function) -> Bool {
    address.rawValue &+ 1 == function.code.upperBound.rawValue
  }

  /// The function at `index` if it is one that is said to have been called at its first instruction: then
  /// the byte before it stands for the call.
  ///
  /// Code that leaves a goroutine's stack saves the start of this function as the place to go on from.
  private func callee(at index: Int, _ reader: borrowing ByteReader) -> Function? {
    guard let next = function(index, reader),
      let offset = reader.value(at: next.record + 4, as: Int32.self),
      name(at: offset, reader) == Self.switchName
    else { return nil }
    return next
  }

  /// A function that does nothing.
  package static let switchName = "runtime.systemstack_switch"

  /// The function of that number, in the order of their addresses.
  package func function(at index: Int, in bytes: RawSpan) -> Function? {
    guard (0..<count).contains(index) else { return nil }
    return function(index, ByteReader(bytes.extracting(table)))
  }

  /// More functions are not looked through for names.
  private static let searchLimit = 1 << 21

  /// The first functions with these names, by name, in one pass that makes no texts.
  package func functions(named wanted: [String], in bytes: RawSpan) -> [String: Function] {
    let reader = ByteReader(bytes.extracting(table))
    var open = wanted.map { (name: $0, bytes: Array($0.utf8) + [0]) }
    var result: [String: Function] = [:]
    for index in 0..<min(count, Self.searchLimit) {
      guard !open.isEmpty else { break }
      guard let record = reader.value(at: functions + index * 8 + 4, as: UInt32.self),
        let name = reader.value(at: functions + Int(record) + 4, as: Int32.self), name >= 0
      else { continue }
      let place = names + Int(name)
      let found = open.firstIndex { name in
        name.bytes.indices.allSatisfy {
          reader.value(at: place + $0, as: UInt8.self) == name.bytes[$0]
        }
      }
      guard let found, let function = function(index, reader) else { continue }
      result[open.remove(at: found).name] = function
    }
    return result
  }

  private func start(of index: Int, _ reader: borrowing ByteReader) -> UInt64? {
    reader.value(at: functions + index * 8, as: UInt32.self).map(UInt64.init)
  }

  private func function(_ index: Int, _ reader: borrowing ByteReader) -> Function? {
    guard let start = self.start(of: index, reader), let end = self.start(of: index + 1, reader),
      start < end,
      let record = reader.value(at: functions + index * 8 + 4, as: UInt32.self)
    else { return nil }
    let first = FileAddress(codeStart.rawValue &+ start)
    let last = FileAddress(codeStart.rawValue &+ end)
    guard first < last, reader.value(at: functions + Int(record), as: UInt32.self) != nil else {
      return nil
    }
    return Function(code: first..<last, record: functions + Int(record))
  }

  /// The name, such as `main.(*server).serve.func1`; nil for a table that is broken there.
  package func name(of function: Function, in bytes: RawSpan) -> String? {
    let reader = ByteReader(bytes.extracting(table))
    return reader.value(at: function.record + 4, as: Int32.self).flatMap { name(at: $0, reader) }
  }

  func name(at offset: Int32, _ reader: borrowing ByteReader) -> String? {
    guard offset >= 0 else { return nil }
    let name = reader.string(at: names + Int(offset), limit: Self.nameLimit)
    return name.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// Generic functions may have long ones.
  static let nameLimit = 4096

  // MARK: - Frames

  /// What a function does that the sizes of its frames do not show (`FuncFlag`).
  package struct Traits: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    /// Nothing called it: it is where a stack begins.
    package static let isOutermost = Traits(rawValue: 1)
    /// It sets the stack pointer, as those do that go from one stack to another.
    package static let switchesStack = Traits(rawValue: 2)
  }

  package func traits(of function: Function, in bytes: RawSpan) -> Traits {
    let reader = ByteReader(bytes.extracting(table))
    return Traits(
      rawValue: reader.value(at: function.record + form.kindOffset + 1, as: UInt8.self) ?? 0)
  }

  /// How many bytes of the stack the function has in use at `address`, without its return address,
  /// which is just above them; nil for a table that is broken there.
  package func frameSize(
    at address: FileAddress, of function: Function, in bytes: RawSpan
  ) -> Int? {
    let reader = ByteReader(bytes.extracting(table))
    guard let start = reader.value(at: function.record + 16, as: UInt32.self) else { return nil }
    return value(at: address, of: function, from: start, reader).flatMap { $0 >= 0 ? Int($0) : nil }
  }

  /// Hands over the sizes of a function's frame, each with the first address that has it, until `body`
  /// returns false.
  package func forEachFrameSize(
    of function: Function, in bytes: RawSpan, _ body: (_ size: Int, _ from: FileAddress) -> Bool
  ) {
    let reader = ByteReader(bytes.extracting(table))
    guard let start = reader.value(at: function.record + 16, as: UInt32.self), start > 0 else {
      return
    }
    var steps = GoValueSteps(at: values + Int(start), start: function.start)
    while let step = steps.next(reader) {
      guard step.value >= 0, body(Int(step.value), step.code.lowerBound),
        step.code.upperBound < function.code.upperBound
      else { return }
    }
  }

  /// The value that a table gives to `address` (`pcvalue`).
  func value(
    at address: FileAddress, of function: Function, from start: UInt32,
    _ reader: borrowing ByteReader
  ) -> Int32? {
    guard start > 0 else { return nil }
    var steps = GoValueSteps(at: values + Int(start), start: function.start)
    while let step = steps.next(reader) {
      if address < step.code.upperBound { return step.value }
    }
    return nil
  }
}

/// The runs of code that have one value, as the linker packs them: differences, in variable length.
struct GoValueSteps {
  private var place: Int
  private var address: FileAddress
  private var value: Int32 = -1
  private var isFirst = true

  init(at place: Int, start: FileAddress) {
    self.place = place
    address = start
  }

  /// The next run; nil at the end.
  ///
  /// Ends: each step takes bytes of the table.
  mutating func next(
    _ reader: borrowing ByteReader
  ) -> (value: Int32, code: Range<FileAddress>)? {
    guard let change = number(reader), change != 0 || isFirst, let length = number(reader) else {
      return nil
    }
    isFirst = false
    // Zigzag: the lowest bit is the sign.
    value &+= Int32(bitPattern: change >> 1) ^ -Int32(change & 1)
    let start = address
    let (end, overflow) = start.rawValue.addingReportingOverflow(UInt64(length))
    guard !overflow, length > 0 else { return nil }
    address = FileAddress(end)
    return (value, start..<address)
  }

  /// An unsigned number in groups of seven bits, of at most five bytes.
  private mutating func number(_ reader: borrowing ByteReader) -> UInt32? {
    var result: UInt32 = 0
    for shift in stride(from: UInt32(0), to: 35, by: 7) {
      guard let byte = reader.value(at: place, as: UInt8.self) else { return nil }
      place += 1
      result |= UInt32(byte & 0x7f) << shift
      if byte & 0x80 == 0 { return result }
    }
    return nil
  }
}
