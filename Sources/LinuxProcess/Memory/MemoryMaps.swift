package import ProfileModel

/// One line of `/proc/PID/maps`.
package struct MemoryMapping: Hashable, Sendable {
  package let start: RemoteAddress
  /// The first address behind the mapping.
  package let end: RemoteAddress
  package let isReadable: Bool
  package let isWritable: Bool
  package let isExecutable: Bool
  /// The offset in the file of the first byte.
  package let fileOffset: UInt64
  /// `major:minor` as the kernel prints it, joined into one number; 0 for no file.
  package let device: UInt64
  /// 0 for no file.
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

  /// Whether the file has no place in a file system: memfd_create(2), or shared memory.
  package var isMemoryFile: Bool {
    path.hasPrefix("/memfd:") || path.hasPrefix("/dev/zero") || path.hasPrefix("/SYSV")
  }

  package func contains(_ address: RemoteAddress) -> Bool { address >= start && address < end }

  /// The same memory as a part of another mapping's file, from `fileOffset` on.
  package func asPart(of other: MemoryMapping, fileOffset: UInt64) -> MemoryMapping {
    MemoryMapping(
      start: start, end: end, isReadable: isReadable, isWritable: isWritable,
      isExecutable: isExecutable, fileOffset: fileOffset, device: other.device, inode: other.inode,
      path: other.path)
  }

  /// The same memory, as if it were no file's.
  package var withoutFile: MemoryMapping {
    MemoryMapping(
      start: start, end: end, isReadable: isReadable, isWritable: isWritable,
      isExecutable: isExecutable, fileOffset: 0, device: 0, inode: 0, path: "")
  }
}

/// The address space of a process, in ascending order.
package struct MemoryMaps: Equatable, Sendable {
  /// Why the text could not be read.
  package enum Problem: Error, Equatable {
    /// The line of that number, from 1 on, is not of the file's form.
    case badLine(Int)
  }

  /// By address.
  package let mappings: [MemoryMapping]

  /// No mapping.
  package init() { mappings = [] }

  /// These, which are in ascending order.
  package init(_ mappings: [MemoryMapping]) { self.mappings = mappings }

  /// Reads the text of `/proc/PID/maps`.
  package init(parsing text: some StringProtocol) throws(Problem) {
    var text = String(text)
    let result: (mappings: [MemoryMapping], bad: Int?) = text.withUTF8 { text in
      var mappings: [MemoryMapping] = []
      var number = 0
      var fields = LineFields(text)
      while fields.nextLine() {
        number += 1
        guard let mapping = MemoryMapping(&fields) else { return (mappings, number) }
        mappings.append(mapping)
      }
      return (mappings, nil)
    }
    if let bad = result.bad { throw .badLine(bad) }
    mappings = result.mappings
  }

  /// The mapping that holds `address`, by binary search.
  package func mapping(containing address: RemoteAddress) -> MemoryMapping? {
    let index = mappings.partitioningIndex { $0.end > address }
    guard index < mappings.count, mappings[index].contains(address) else { return nil }
    return mappings[index]
  }
}

extension MemoryMapping {
  /// Parses `start-end perms offset major:minor inode   path`; nil when it is not of that form.
  fileprivate init?(_ fields: inout LineFields) {
    guard let start = fields.number(radix: 16, before: UInt8(ascii: "-")),
      let end = fields.number(radix: 16), start < end,
      let flags = fields.word(), flags.count >= 4,
      let offset = fields.number(radix: 16),
      let major = fields.number(radix: 16, before: UInt8(ascii: ":")),
      let minor = fields.number(radix: 16), let inode = fields.number(radix: 10)
    else { return nil }
    self.init(
      start: RemoteAddress(start), end: RemoteAddress(end),
      isReadable: flags[0] == UInt8(ascii: "r"), isWritable: flags[1] == UInt8(ascii: "w"),
      isExecutable: flags[2] == UInt8(ascii: "x"), fileOffset: offset,
      device: major << 32 | minor, inode: inode,
      path: String(decoding: fields.rest(), as: UTF8.self))
  }
}

/// The lines of a file of `/proc`, field after field.
///
/// Plain loops: a program may have tens of thousands of mappings, read every second.
private struct LineFields {
  private let text: UnsafeBufferPointer<UInt8>
  private var place = 0
  private var end = 0
  private var next = 0

  init(_ text: UnsafeBufferPointer<UInt8>) { self.text = text }

  /// Goes on to the next line that is not empty; false at the end.
  mutating func nextLine() -> Bool {
    while next < text.count, text[next] == UInt8(ascii: "\n") { next += 1 }
    guard next < text.count else { return false }
    place = next
    while next < text.count, text[next] != UInt8(ascii: "\n") { next += 1 }
    end = next
    return true
  }

  private mutating func skipSpaces() {
    while place < end, text[place] == UInt8(ascii: " ") { place += 1 }
  }

  /// The number before `separator`, which is passed over, or before the end of the line.
  ///
  /// Nil for no digit, a foreign character or overflow, and where the separator is missing.
  mutating func number(radix: UInt64, before separator: UInt8 = UInt8(ascii: " ")) -> UInt64? {
    skipSpaces()
    let start = place
    var value: UInt64 = 0
    while place < end, text[place] != separator {
      guard let digit = hexadecimalDigit(text[place]) else { return nil }
      let (product, overflow) = value.multipliedReportingOverflow(by: radix)
      let (sum, carry) = product.addingReportingOverflow(digit)
      guard digit < radix, !overflow, !carry else { return nil }
      value = sum
      place += 1
    }
    guard place > start, place < end || separator == UInt8(ascii: " ") else { return nil }
    place = min(place + 1, end)
    return value
  }

  /// Up to a space or the end of the line; nil when there is nothing.
  mutating func word() -> UnsafeBufferPointer<UInt8>? {
    skipSpaces()
    let start = place
    while place < end, text[place] != UInt8(ascii: " ") { place += 1 }
    return place > start ? UnsafeBufferPointer(rebasing: text[start..<place]) : nil
  }

  /// The rest of the line.
  mutating func rest() -> UnsafeBufferPointer<UInt8> {
    skipSpaces()
    return UnsafeBufferPointer(rebasing: text[place..<end])
  }
}
