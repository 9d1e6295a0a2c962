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
    var mappings: [MemoryMapping] = []
    var number = 0
    for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
      number += 1
      guard let mapping = MemoryMapping(line: line) else { throw .badLine(number) }
      mappings.append(mapping)
    }
    self.mappings = mappings
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
  init?(line: some Collection<UInt8>) {
    let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
    guard fields.count >= 5 else { return nil }
    let range = fields[0].split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    let device = fields[3].split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    let flags = Array(fields[1])
    guard range.count == 2, device.count == 2, flags.count >= 4,
      let start = number(range[0], radix: 16), let end = number(range[1], radix: 16), start < end,
      let offset = number(fields[2], radix: 16), let major = number(device[0], radix: 16),
      let minor = number(device[1], radix: 16), let inode = number(fields[4], radix: 10)
    else { return nil }
    let path = fields.count > 5 ? Array(fields[5].drop { $0 == UInt8(ascii: " ") }) : []
    self.init(
      start: RemoteAddress(start), end: RemoteAddress(end),
      isReadable: flags[0] == UInt8(ascii: "r"),
      isWritable: flags[1] == UInt8(ascii: "w"), isExecutable: flags[2] == UInt8(ascii: "x"),
      fileOffset: offset, device: major << 32 | minor, inode: inode,
      path: String(decoding: path, as: UTF8.self))
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
