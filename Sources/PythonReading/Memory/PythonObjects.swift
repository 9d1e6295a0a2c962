internal import LinuxProcess
internal import ProfileModel

/// Reads objects of the interpreter out of live memory: dictionaries, attributes, numbers, strings.
///
/// For what changes seldom, such as the names of threads. Nothing is stopped, so all of it may be
/// torn; what does not fit together reads as missing.
struct PythonObjects<Memory: TargetMemory> {
  let runtime: PythonRuntime
  let memory: Memory

  var shape: PythonObjectShape { runtime.objects }

  func pointer(_ address: RemoteAddress) -> RemoteAddress? {
    word(address).map { RemoteAddress($0) }
  }

  /// A pointer that is not null.
  func reference(_ address: RemoteAddress) -> RemoteAddress? {
    pointer(address).flatMap { $0.isNull ? nil : $0 }
  }

  func word(_ address: RemoteAddress) -> UInt64? { value(address, as: UInt64.self) }

  func value<T: FixedWidthInteger & BitwiseCopyable>(
    _ address: RemoteAddress, as type: T.Type
  ) -> T? {
    let copies = copies([MemoryRange(start: address, count: MemoryLayout<T>.size)])
    return copies.value(at: address, as: type)
  }

  /// Many words, with one read.
  func words(_ addresses: [RemoteAddress]) -> [UInt64?] {
    let copies = copies(
      addresses.map { MemoryRange(start: $0, count: PythonObjectShape.wordSize) })
    return addresses.map { copies.word(at: $0) }
  }

  /// Many pointers, with one read; some may be null.
  func pointers(_ addresses: [RemoteAddress]) -> [RemoteAddress?] {
    words(addresses).map { $0.map { RemoteAddress($0) } }
  }

  func copies(_ ranges: [MemoryRange]) -> MemoryCopies {
    var copies = MemoryCopies()
    copies.copy(ranges, from: memory)
    return copies
  }

  // MARK: - Strings and numbers

  /// The text of a `str`.
  func string(_ address: RemoteAddress) -> String? { strings([address])[address] }

  /// The texts of many strings, with two reads; what is no string is left out.
  func strings(_ addresses: [RemoteAddress]) -> [RemoteAddress: String] {
    var copies = copies(
      addresses.map { MemoryRange(start: $0, count: runtime.strings.headerSize) })
    let headers = addresses.compactMap { address in
      runtime.strings.header(copies, at: address).map { (address, $0) }
    }
    copies.copy(
      headers.map { address, header in
        MemoryRange(start: address, count: header.dataOffset + header.byteCount)
      }, from: memory)
    var result: [RemoteAddress: String] = [:]
    for (address, header) in headers {
      result[address] = runtime.strings.text(copies, at: address, header)
    }
    return result
  }

  /// A non-negative `int` below 2 to the 64th.
  func integer(_ address: RemoteAddress) -> UInt64? { integers([address])[address] }

  /// Many of them, with two reads.
  func integers(_ addresses: [RemoteAddress]) -> [RemoteAddress: UInt64] {
    let shape = shape.integers
    let heads = words(addresses.map { $0 + shape.head })
    let numbers = zip(addresses, heads).compactMap { address, head in
      head.map { $0 >> shape.countShift }.flatMap { $0 <= 3 ? (address, Int($0)) : nil }
    }
    let copies = copies(
      numbers.map { address, count in
        MemoryRange(start: address + shape.digits, count: count * PythonIntegerShape.digitSize)
      })
    var result: [RemoteAddress: UInt64] = [:]
    for (address, count) in numbers {
      result[address] = integer(copies, digits: address + shape.digits, count: count)
    }
    return result
  }

  private func integer(_ copies: MemoryCopies, digits: RemoteAddress, count: Int) -> UInt64? {
    var result: UInt64 = 0
    for index in 0..<count {
      let place = digits + index * PythonIntegerShape.digitSize
      guard let digit = copies.value(at: place, as: UInt32.self),
        digit < 1 << PythonIntegerShape.digitBits, index < 2 || digit < 16
      else { return nil }
      result |= UInt64(digit) << (index * PythonIntegerShape.digitBits)
    }
    return result
  }

  // MARK: - Types

  func type(of object: RemoteAddress) -> RemoteAddress? { pointer(object + shape.type) }

  /// Whether an object is one of a type of the interpreter's own, and not of one derived from it.
  func isInstance(_ object: RemoteAddress, ofTypeNamed name: String) -> Bool {
    guard !object.isNull, let type = type(of: object) else { return false }
    return typeName(type) == name
  }

  /// `tp_name`, when it is no longer than names of the interpreter's own types are.
  func typeName(_ type: RemoteAddress) -> String? {
    guard let name = reference(type + shape.typeName) else { return nil }
    let copies = copies([MemoryRange(start: name, count: 32)])
    guard let bytes = copies.bytes(at: name, count: 32), let end = bytes.firstIndex(of: 0) else {
      return nil
    }
    return String(decoding: bytes[..<end], as: UTF8.self)
  }

  /// Whether a type is `base` or derived from it, by the chain of its first bases.
  func isType(_ type: RemoteAddress, derivedFrom base: RemoteAddress) -> Bool {
    var current = type
    for _ in 0..<32 {
      if current == base { return true }
      guard !current.isNull, let next = pointer(current + shape.typeBase) else { return false }
      current = next
    }
    return false
  }
}
