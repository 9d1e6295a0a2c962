internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// A method of a class, as the VM has it.
struct JavaMethod {
  let address: RemoteAddress
  let constMethod: RemoteAddress
  /// Where its bytecodes are; empty for a native or abstract one.
  let bytecodes: Range<RemoteAddress>
  let function: RuntimeFunction

  /// The bytecode that a pointer is at; nil for one that is at none of this method's.
  func bytecode(at pointer: RemoteAddress) -> Int32? {
    bytecodes.contains(pointer)
      ? Int32(truncatingIfNeeded: pointer.distance(from: bytecodes.lowerBound)) : nil
  }
}

/// The methods that were met, each read once.
final class JavaMethods {
  private let layout: MethodLayout
  private let version: Int
  private var known: [RemoteAddress: JavaMethod] = [:]
  /// With the address of the name: another class may be loaded into the place of one that was unloaded.
  private var classes: [RemoteAddress: (symbol: RemoteAddress, name: String, folder: String)] = [:]

  private static let limit = 1 << 16
  /// JVM_ACC_NATIVE (JVM Specification, table 4.6-A).
  private static let native: UInt32 = 0x100

  init(_ layout: MethodLayout, version: Int) {
    self.layout = layout
    self.version = version
  }

  /// The method at an address; nil where none is.
  ///
  /// About ten reads for a new one.
  func method(at address: RemoteAddress, memory: JavaMemory) -> JavaMethod? {
    if let known = known[address] { return known }
    guard address.rawValue & 7 == 0, address.rawValue > 0xffff else { return nil }
    guard let method = read(address, memory) else { return nil }
    if known.count >= Self.limit { known.removeAll() }
    known[address] = method
    return method
  }

  /// Forgets a method that is not there any more.
  func forget(_ address: RemoteAddress) { known[address] = nil }

  /// Where a method's mark is: its bytes are `JavaMethod.constMethod` while it is the same.
  func mark(of address: RemoteAddress) -> MemoryRange {
    MemoryRange(start: address + layout.constMethod, count: 8)
  }

  private func read(_ address: RemoteAddress, _ memory: JavaMemory) -> JavaMethod? {
    guard let constMethod = memory.address(at: address + layout.constMethod),
      let flags = memory.value(at: address + layout.accessFlags, as: UInt32.self),
      let header = memory.bytes(at: constMethod, count: layout.constMethodHeader),
      let pool = header.address(at: layout.constants),
      let codeSize = header.value(at: layout.codeSize, as: UInt16.self),
      let nameIndex = header.value(at: layout.nameIndex, as: UInt16.self),
      let name = symbol(in: pool, Int(nameIndex), memory),
      let holder = memory.address(at: pool + layout.poolHolder),
      let owner = classOf(holder, memory)
    else { return nil }
    let code = constMethod + layout.constMethodHeader
    let isNative = flags & Self.native != 0
    let lines = lines(header, behind: code + Int(codeSize), memory)
    let file = sourceFile(pool, holder, memory).map { owner.folder + $0 } ?? ""
    return JavaMethod(
      address: address, constMethod: constMethod,
      bytecodes: code..<(isNative ? code : code + Int(codeSize)),
      function: RuntimeFunction(
        name: owner.name + "." + name, file: file, firstLine: lines.line(at: 0) ?? 0, lines: lines,
        language: .java))
  }

  private func lines(
    _ header: RemoteBytes, behind code: RemoteAddress, _ memory: JavaMemory
  ) -> RuntimeLineTable {
    guard let flags = header.value(at: layout.flags, as: UInt16.self),
      UInt32(flags) & layout.hasLines != 0,
      let words = header.int(at: layout.constMethodSize), words > 0, words < 1 << 20
    else { return RuntimeLineTable() }
    // It is followed by other tables, and ends with a zero.
    let end = header.start + words * 8
    guard code < end,
      let bytes = memory.beginning(at: code, count: Int(clamping: end.distance(from: code)))
    else { return RuntimeLineTable() }
    return JavaLineTable.read(bytes.bytes, version: version)
  }

  private func sourceFile(
    _ pool: RemoteAddress, _ holder: RemoteAddress, _ memory: JavaMemory
  ) -> String? {
    let place =
      layout.sourceFileOfPool.map { pool + $0 } ?? layout.sourceFileOfClass.map { holder + $0 }
    guard let index = place.flatMap({ memory.value(at: $0, as: UInt16.self) }), index > 0 else {
      return nil
    }
    return symbol(in: pool, Int(index), memory)
  }

  // MARK: - Names

  /// The text of an entry of a constant pool that is one.
  func symbol(
    in pool: RemoteAddress, _ index: Int, _ memory: JavaMemory
  ) -> String? {
    guard index > 0 else { return nil }
    return memory.address(at: pool + layout.poolHeader + index * 8).flatMap { symbol($0, memory) }
  }

  /// The text of a symbol.
  func symbol(_ address: RemoteAddress, _ memory: JavaMemory) -> String? {
    var length: Int?
    if let field = layout.symbolLength {
      length = memory.value(at: address + field, as: UInt16.self).map { Int($0) }
    } else if let field = layout.symbolLengthAndCount {
      length = memory.value(at: address + field, as: UInt32.self).map { Int($0 >> 16) }
    }
    guard let length, length > 0, length < 1 << 12,
      let text = memory.bytes(at: address + layout.symbolBody, count: length),
      !text.bytes.contains(where: { $0 < 0x20 })
    else { return nil }
    return String(decoding: text.bytes, as: UTF8.self)
  }

  /// The name of a class as users write it, and the folder of its source.
  ///
  /// One read for a class that was met, and two more for a new one.
  func classOf(
    _ address: RemoteAddress, _ memory: JavaMemory
  ) -> (name: String, folder: String)? {
    guard let symbol = memory.address(at: address + layout.className) else { return nil }
    if let known = classes[address], known.symbol == symbol { return (known.name, known.folder) }
    guard let text = self.symbol(symbol, memory) else { return nil }
    let (name, folder) = JavaClassName.split(text)
    if classes.count >= Self.limit { classes.removeAll() }
    classes[address] = (symbol, name, folder)
    return (name, folder)
  }

  /// The class that a class extends; nil for `Object`.
  func superclass(of address: RemoteAddress, _ memory: JavaMemory) -> RemoteAddress? {
    memory.address(at: address + layout.superclass).flatMap { $0.isNull ? nil : $0 }
  }
}

/// Names of classes.
enum JavaClassName {
  /// The name as users write it, `java.util.Map`, and the folder of its source, `java/util/`.
  ///
  /// The VM puts an address behind the names of hidden classes, and javac's numbers those of lambdas:
  /// both differ between runs.
  static func split(_ internalName: String) -> (name: String, folder: String) {
    var name = Substring(internalName)
    if let mark = name.lastIndex(of: "+"), name[mark...].hasPrefix("+0x") {
      name = name[..<mark]
    }
    // Before JDK 17 as one more part.
    if let mark = name.lastIndex(of: "/"), name[mark...].hasPrefix("/0x") { name = name[..<mark] }
    if let lambda = name.range(ofBytes: "$$Lambda") { name = name[..<lambda] }
    let folder = name.lastIndex(of: "/").map { String(name[...$0]) } ?? ""
    return (String(name.map { $0 == "/" ? "." : $0 }), folder)
  }
}

extension Substring {
  /// The end of the first place where `text` occurs.
  fileprivate func range(ofBytes text: String) -> Index? {
    let pattern = Array(text.utf8)
    let bytes = Array(utf8)
    guard bytes.count >= pattern.count else { return nil }
    for start in 0...(bytes.count - pattern.count)
    where Array(bytes[start..<(start + pattern.count)]) == pattern {
      return utf8.index(startIndex, offsetBy: start + pattern.count)
    }
    return nil
  }
}
