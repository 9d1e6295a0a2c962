package import ProfileModel

/// The kernel's names of system calls, and how many arguments each takes.
package enum SystemCallNames {
  private static let entries: [Int32: (name: String, count: Int)] = {
    var entries: [Int32: (name: String, count: Int)] = [:]
    for row in table.split(separator: " ") {
      let fields = row.split(separator: ":")
      guard fields.count == 3, let number = Int32(fields[0]), let count = Int(fields[2]) else {
        continue
      }
      entries[number] = (String(fields[1]), count)
    }
    return entries
  }()

  /// The name of a call; `syscall_1234` for a number that is not known, nil for -1 (no call).
  package static func name(of number: Int32) -> String? {
    guard number >= 0 else { return nil }
    return entries[number]?.name ?? "syscall_\(number)"
  }

  /// The call with the arguments that it takes; nil for -1 (no call).
  package static func call(_ number: Int32, arguments: InlineArray<6, UInt64>) -> SystemCall? {
    guard let name = name(of: number) else { return nil }
    let count = entries[number]?.count ?? 6
    return SystemCall(name: name, arguments: (0..<count).map { arguments[$0] })
  }
}
