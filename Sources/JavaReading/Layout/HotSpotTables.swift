internal import ProfileModel

/// What HotSpot says of its own structures, in tables that each build exports for debuggers
/// (src/hotspot/share/runtime/vmStructs.cpp).
struct HotSpotTables {
  struct Field {
    /// From the start of the structure; 0 for a variable.
    let offset: Int
    /// Of a variable; null for a field.
    let address: RemoteAddress
    /// The type as the source spells it.
    let type: String
  }

  /// By `Type::field`.
  private(set) var fields: [String: Field] = [:]
  /// By type, in bytes.
  private(set) var sizes: [String: Int] = [:]
  private(set) var constants: [String: Int64] = [:]

  /// No version has as many entries in a table.
  private static let entryLimit = 8192
  /// No structure is larger.
  private static let offsetLimit = 1 << 20

  /// Reads the tables; `variables` are the addresses of libjvm's variables `gHotSpotVM…`.
  ///
  /// Some thousand reads, once for a process. Nil where they cannot be read.
  init?(variables: [String: RemoteAddress], memory: JavaMemory) {
    var texts: [RemoteAddress: String] = [:]
    func text(_ place: RemoteAddress?) -> String? {
      guard let place, !place.isNull else { return nil }
      if let known = texts[place] { return known }
      texts[place] = memory.text(at: place)
      return texts[place]
    }
    func number(_ name: String) -> Int? {
      variables["gHotSpotVM" + name].flatMap { memory.value(at: $0, as: UInt64.self) }
        .flatMap { Int(exactly: $0) }
    }
    guard
      let structs = Table("Structs", "StructEntry", variables, memory),
      let type = number("StructEntryTypeNameOffset"),
      let field = number("StructEntryFieldNameOffset"),
      let typeText = number("StructEntryTypeStringOffset"),
      let isStatic = number("StructEntryIsStaticOffset"),
      let offset = number("StructEntryOffsetOffset"),
      let address = number("StructEntryAddressOffset")
    else { return nil }
    for entry in structs.entries(memory, named: type, limit: Self.entryLimit) {
      guard let owner = text(entry.address(at: type)), let name = text(entry.address(at: field)),
        let place = entry.value(at: offset, as: UInt64.self), place < Self.offsetLimit,
        let variable = entry.address(at: address), let kind = entry.int(at: isStatic)
      else { continue }
      fields[owner + "::" + name] = Field(
        offset: Int(place), address: kind == 0 ? .null : variable,
        type: text(entry.address(at: typeText)) ?? "")
    }
    readSizes(variables, memory, number, text)
    readConstants(variables, memory, number, text)
    guard !fields.isEmpty, !sizes.isEmpty else { return nil }
  }

  private mutating func readSizes(
    _ variables: [String: RemoteAddress], _ memory: JavaMemory, _ number: (String) -> Int?,
    _ text: (RemoteAddress?) -> String?
  ) {
    guard let types = Table("Types", "TypeEntry", variables, memory),
      let name = number("TypeEntryTypeNameOffset"), let size = number("TypeEntrySizeOffset")
    else { return }
    for entry in types.entries(memory, named: name, limit: Self.entryLimit) {
      guard let type = text(entry.address(at: name)),
        let bytes = entry.value(at: size, as: UInt64.self), bytes < Self.offsetLimit
      else { continue }
      sizes[type] = Int(bytes)
    }
  }

  private mutating func readConstants(
    _ variables: [String: RemoteAddress], _ memory: JavaMemory, _ number: (String) -> Int?,
    _ text: (RemoteAddress?) -> String?
  ) {
    for kind in ["Int", "Long"] {
      guard let table = Table(kind + "Constants", kind + "ConstantEntry", variables, memory),
        let name = number(kind + "ConstantEntryNameOffset"),
        let value = number(kind + "ConstantEntryValueOffset")
      else { continue }
      for entry in table.entries(memory, named: name, limit: Self.entryLimit) {
        guard let constant = text(entry.address(at: name)) else { continue }
        constants[constant] =
          kind == "Int"
          ? entry.int(at: value).map { Int64($0) } : entry.value(at: value, as: Int64.self)
      }
    }
  }
}

/// One table: entries of the same size, up to one without a name.
private struct Table {
  private let start: RemoteAddress
  private let stride: Int

  init?(
    _ name: String, _ entry: String, _ variables: [String: RemoteAddress], _ memory: JavaMemory
  ) {
    guard let table = variables["gHotSpotVM" + name],
      let size = variables["gHotSpotVM" + entry + "ArrayStride"],
      let start = memory.address(at: table), !start.isNull,
      let stride = memory.value(at: size, as: UInt64.self), (16...256).contains(stride)
    else { return nil }
    self.start = start
    self.stride = Int(stride)
  }

  /// The entries; `name` is where each has the pointer that the last one lacks.
  func entries(_ memory: JavaMemory, named name: Int, limit: Int) -> [RemoteBytes] {
    var result: [RemoteBytes] = []
    while result.count < limit {
      let place = start + result.count * stride
      guard let piece = memory.beginning(at: place, count: 64 * stride) else { return result }
      for offset in Swift.stride(from: 0, through: piece.bytes.count - stride, by: stride) {
        let entry = RemoteBytes(
          start: place + offset, bytes: Array(piece.bytes[offset..<(offset + stride)]))
        guard let text = entry.address(at: name), !text.isNull else { return result }
        result.append(entry)
      }
      guard piece.bytes.count == 64 * stride else { return result }
    }
    return result
  }
}
