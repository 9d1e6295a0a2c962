package import ProfileModel

/// One line of `/proc/PID/maps`.
package struct MemoryMapping: Hashable, Sendable {
  package let start: RemoteAddress
  /// The first address behind the mapping.
  package let end: RemoteAddress
  package let isReadable: Bool
  package let isWritable: Bool
  package let isExecutable: Bool
  package let fileOffset: UInt64
  /// `major:minor` as the kernel prints it, joined into one number; 0 for no file.
  package let device: UInt64
  package let inode: UInt64
  /// The path, `[stack]`, `[vdso]` and the like, or empty.
  ///
  /// A deleted file keeps ` (deleted)`.
  package let path: String

  package init(
    start: RemoteAddress, end: RemoteAddress, isReadable: Bool, isWritable: Bool,
    isExecutable: Bool, fileOffset: UInt64, device: UInt64, inode: UInt64, path: String
  ) {
    self.start = start
    self.end = end
    self.isReadable = isReadable
    self.isWritable = isWritable
    self.isExecutable = isExecutable
    self.fileOffset = fileOffset
    self.device = device
    self.inode = inode
    self.path = path
  }

  /// Whether the kernel backs it by a file.
  package var isFile: Bool { inode != 0 }

  package func contains(_ address: RemoteAddress) -> Bool { address >= start && address < end }
}

/// The address space of a process, in ascending order.
package struct MemoryMaps: Equatable, Sendable {
  package enum Problem: Error, Equatable {
    case badLine(Int)
  }

  package let mappings: [MemoryMapping]

  /// No mapping.
  package init() { mappings = [] }

  /// Reads the text of `/proc/PID/maps`.
  package init(parsing text: some StringProtocol) throws(Problem) {
    var text = String(text)
    let result: (mappings: [MemoryMapping], bad: Int?) = text.withUTF8 { text in
      let text = UnsafeRawBufferPointer(text)
      var mappings: [MemoryMapping] = []
      var number = 0
      var start = 0
      while start < text.count {
        let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) ?? text.count
        defer { start = end + 1 }
        guard end > start else { continue }
        number += 1
        guard let mapping = MemoryMapping(line: UnsafeRawBufferPointer(rebasing: text[start..<end]))
        else { return (mappings, number) }
        mappings.append(mapping)
      }
      return (mappings, nil)
    }
    if let bad = result.bad { throw .badLine(bad) }
    mappings = result.mappings
  }

  /// The mapping that holds `address`, by binary search.
  package func mapping(containing address: RemoteAddress) -> MemoryMapping? {
    var low = 0
    var high = mappings.count
    while low < high {
      let middle = (low + high) / 2
      if mappings[middle].end <= address { low = middle + 1 } else { high = middle }
    }
    guard low < mappings.count, mappings[low].contains(address) else { return nil }
    return mappings[low]
  }
}

extension MemoryMapping {
  /// Parses `start-end perms offset major:minor inode   path`; nil when it is not of that form.
  init?(line: UnsafeRawBufferPointer) {
    var fields = LineFields(line)
    guard let start = fields.hexadecimal(before: UInt8(ascii: "-")),
      let end = fields.hexadecimal(before: UInt8(ascii: " ")), start < end,
      let flags = fields.word(), flags.count >= 4,
      let offset = fields.hexadecimal(before: UInt8(ascii: " ")),
      let major = fields.hexadecimal(before: UInt8(ascii: ":")),
      let minor = fields.hexadecimal(before: UInt8(ascii: " ")),
      let inode = fields.word().flatMap({ number($0, radix: 10) })
    else { return nil }
    let first = flags.startIndex
    self.init(
      start: RemoteAddress(start), end: RemoteAddress(end),
      isReadable: flags[first] == UInt8(ascii: "r"),
      isWritable: flags[first + 1] == UInt8(ascii: "w"),
      isExecutable: flags[first + 2] == UInt8(ascii: "x"),
      fileOffset: offset, device: major << 32 | minor, inode: inode,
      path: String(decoding: fields.rest(), as: UTF8.self))
  }
}

/// The fields of a line of `/proc`, one after the other.
private struct LineFields {
  private let line: UnsafeRawBufferPointer
  private var place = 0

  init(_ line: UnsafeRawBufferPointer) { self.line = line }

  private mutating func skipSpaces() {
    while place < line.count, line[place] == UInt8(ascii: " ") { place += 1 }
  }

  /// Up to `separator`, which is passed over; nil without it or with nothing before.
  private mutating func part(before separator: UInt8) -> Slice<UnsafeRawBufferPointer>? {
    skipSpaces()
    guard let end = line[place...].firstIndex(of: separator), end > place else { return nil }
    defer { place = end + 1 }
    return line[place..<end]
  }

  mutating func hexadecimal(before separator: UInt8) -> UInt64? {
    part(before: separator).flatMap { number($0, radix: 16) }
  }

  /// Up to a space or the end.
  mutating func word() -> Slice<UnsafeRawBufferPointer>? {
    skipSpaces()
    let end = line[place...].firstIndex(of: UInt8(ascii: " ")) ?? line.count
    guard end > place else { return nil }
    defer { place = min(end + 1, line.count) }
    return line[place..<end]
  }

  mutating func rest() -> Slice<UnsafeRawBufferPointer> {
    skipSpaces()
    return line[min(place, line.count)...]
  }
}

/// The unsigned number that the digits write; nil for no digit, a foreign character or overflow.
func number(_ digits: some Collection<UInt8>, radix: UInt64) -> UInt64? {
  var result: UInt64 = 0
  guard !digits.isEmpty else { return nil }
  for byte in digits {
    let digit: UInt64
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = UInt64(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = UInt64(byte - UInt8(ascii: "a")) + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = UInt64(byte - UInt8(ascii: "A")) + 10
    default: return nil
    }
    guard digit < radix else { return nil }
    let (product, overflow) = result.multipliedReportingOverflow(by: radix)
    let (sum, carry) = product.addingReportingOverflow(digit)
    guard !overflow, !carry else { return nil }
    result = sum
  }
  return result
}
