internal import ProfileModel

/// Where the fields of a class's objects are, as the VM lists them.
struct JavaFields {
  /// By name: the offset in an object, and whether the field holds a pointer.
  private(set) var fields: [String: (offset: Int, isReference: Bool)] = [:]
  /// The same of static ones, in the object that stands for the class.
  private(set) var statics: [String: Int] = [:]

  private static let limit = 1 << 10
  /// JVM_ACC_STATIC (JVM Specification, table 4.5-A).
  private static let isStatic: UInt32 = 0x8
  /// The VM has added the field, and its name is one of the VM's own.
  private static let isInjected: UInt32 = 1 << 1
  private static let offsetLimit = 1 << 16

  /// The fields that a class declares itself; nil where they cannot be read.
  init?(
    of holder: RemoteAddress, _ layout: HotSpotLayout, methods: JavaMethods, memory: JavaMemory
  ) {
    guard let pool = memory.address(at: holder + layout.objects.classConstants) else { return nil }
    let names = { (index: Int) in
      methods.symbol(in: pool, index, memory)
    }
    let isRead =
      layout.objects.fieldStream == nil
      ? readTable(holder, layout.objects, names, memory)
      : readStream(holder, layout, names, methods, memory)
    guard isRead, !fields.isEmpty || !statics.isEmpty else { return nil }
  }

  /// Six words of 16 bits for each field: flags, name, signature, value, and the offset in the upper 30
  /// bits of the last two (src/hotspot/share/oops/fieldInfo.hpp of JDK 17).
  private mutating func readTable(
    _ holder: RemoteAddress, _ layout: ObjectLayout, _ name: (Int) -> String?,
    _ memory: JavaMemory
  ) -> Bool {
    guard let table = layout.fieldTable.flatMap({ memory.address(at: holder + $0) }),
      let count = layout.fieldCount.flatMap({ memory.value(at: holder + $0, as: UInt16.self) }),
      count <= Self.limit, count > 0,
      let words = memory.bytes(at: table + layout.wordArrayData, count: Int(count) * 12)
    else { return false }
    for number in 0..<Int(count) {
      let values = (0..<6).compactMap { words.value(at: number * 12 + $0 * 2, as: UInt16.self) }
      guard values.count == 6, UInt32(values[0]) & Self.isStatic == 0 else { continue }
      let packed = UInt32(values[4]) | UInt32(values[5]) << 16
      add(name(Int(values[1])), signature: name(Int(values[2])), offset: packed >> 2)
    }
    return true
  }

  /// Compressed numbers: how many fields, how many more of the VM's own, and of each name, signature,
  /// offset, flags, and flags of what else follows (src/hotspot/share/oops/fieldInfo.hpp since JDK 21).
  private mutating func readStream(
    _ holder: RemoteAddress, _ layout: HotSpotLayout, _ name: (Int) -> String?,
    _ methods: JavaMethods, _ memory: JavaMemory
  ) -> Bool {
    let objects = layout.objects
    guard let array = objects.fieldStream.flatMap({ memory.address(at: holder + $0) }),
      let length = memory.int(at: array + objects.arrayLength), (1...(1 << 16)).contains(length),
      let bytes = memory.bytes(at: array + objects.byteArrayData, count: length)
    else { return false }
    var stream = Unsigned5(bytes.bytes, version: layout.version)
    guard let count = stream.next(), let injected = stream.next(), count <= UInt32(Self.limit),
      injected <= UInt32(Self.limit)
    else { return false }
    for _ in 0..<Int(count + injected) {
      guard let nameIndex = stream.next(), let signature = stream.next(),
        let offset = stream.next(), let access = stream.next(), let more = stream.next()
      else { return false }
      // An initial value, a generic signature, a group of contended fields.
      for bit in [UInt32(0), 2, 4] where more & 1 << bit != 0 { _ = stream.next() }
      if more & Self.isInjected != 0 {
        // The signature is not needed: none of those that are read is a reference.
        add(ownName(Int(nameIndex), layout, methods, memory), signature: "J", offset: offset)
      } else if access & Self.isStatic == 0 {
        add(name(Int(nameIndex)), signature: name(Int(signature)), offset: offset)
      } else if offset < Self.offsetLimit, let name = name(Int(nameIndex)) {
        statics[name] = Int(offset)
      }
    }
    return true
  }

  /// A name by its number among those that the VM itself knows.
  private func ownName(
    _ number: Int, _ layout: HotSpotLayout, _ methods: JavaMethods, _ memory: JavaMemory
  ) -> String? {
    guard let all = layout.objects.vmSymbols, (1..<Self.offsetLimit).contains(number) else {
      return nil
    }
    return memory.address(at: all + number * 8).flatMap { methods.symbol($0, memory) }
  }

  private mutating func add(_ name: String?, signature: String?, offset: UInt32) {
    guard let name, let kind = signature?.utf8.first, offset < Self.offsetLimit else { return }
    let isReference = kind == UInt8(ascii: "L") || kind == UInt8(ascii: "[")
    fields[name] = (Int(offset), isReference)
  }

  func offset(_ name: String) -> Int? { fields[name]?.offset }

  /// Whether pointers to objects take four bytes: then some are at no multiple of eight.
  var areReferencesNarrow: Bool {
    fields.values.contains { $0.isReference && $0.offset & 7 == 4 }
  }

  /// Whether objects begin with a pointer to their class that takes four bytes: then fields follow it.
  var areClassPointersNarrow: Bool {
    haveCompactHeaders || fields.values.contains { $0.offset == 12 }
  }

  /// Whether that pointer is a part of the one word that objects begin with (`UseCompactObjectHeaders`, since
  /// JDK 24): then fields follow that.
  var haveCompactHeaders: Bool { fields.values.contains { $0.offset == 8 } }
}
