/// The CPUs that the machine's owner keeps free of everything but chosen threads.
package enum IsolatedProcessors {
  static let all: Set<Int32> = ["isolated", "nohz_full"].reduce(into: []) { result, name in
    let text = (try? ProcFile.read("/sys/devices/system/cpu/\(name)")) ?? ""
    result.formUnion(numbers(parsing: text))
  }

  /// The numbers of a list such as `2-5,8`, at most 8192.
  package static func numbers(parsing text: String) -> Set<Int32> {
    var result: Set<Int32> = []
    for part in text.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
      let ends = part.split(separator: "-").map { Int32($0) }
      guard let first = ends.first ?? nil, let last = ends.last ?? nil, first >= 0, first <= last,
        last < 8192
      else { continue }
      result.formUnion(first...last)
    }
    return result
  }
}
