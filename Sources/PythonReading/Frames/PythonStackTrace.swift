internal import LinuxProcess
internal import ProfileModel

/// A copy of a thread's C stack, in which the pointers to the frames that it runs are looked for.
///
/// Up to 3.9 frames are objects, and nothing of a thread state points to the stack. But each activation of
/// the interpreter's loop has the address of its frame in a variable, so that the addresses lie on the
/// stack in the order of the calls.
struct PythonStackTrace {
  private var copies = MemoryCopies()
  private var range = RemoteAddress(0)..<RemoteAddress(0)

  /// So many innermost frames are looked for; one alone may be left over from an earlier call.
  private static let frameLimit = 8
  private static let sizeLimit = 256 << 10

  init() { copies.reserve(Self.sizeLimit) }

  mutating func copy(_ stack: Range<RemoteAddress>, from memory: some TargetMemory) {
    copies.removeAll()
    let size = min(Self.sizeLimit, Int(clamping: stack.upperBound.distance(from: stack.lowerBound)))
    range = stack.lowerBound..<(stack.lowerBound + size)
    copies.copy([MemoryRange(start: stack.lowerBound, count: size)], from: memory)
  }

  /// Where the innermost of these frames was found; nil unless most of the innermost ones were, in their
  /// order.
  ///
  /// The frame that runs may be in a register alone.
  func start(of frames: [PythonRawFrame], _ registers: Registers) -> RemoteAddress? {
    let wanted = frames.prefix(Self.frameLimit).map(\.address.rawValue)
    let positions = positions(of: Set(wanted))
    var start: RemoteAddress?
    var count = 0
    var last = range.lowerBound
    for (index, frame) in wanted.enumerated() {
      if let next = positions[frame]?.first(where: { $0 >= last }) {
        start = start ?? next
        last = next
        count += 1
      } else if index == 0, holds(frame, registers) {
        start = last
        count += 1
      }
    }
    return count * 2 > wanted.count ? start : nil
  }

  private func holds(_ word: UInt64, _ registers: Registers) -> Bool {
    (0..<Registers.count).contains { registers.isKnown($0) && registers.values[$0] == word }
  }

  /// Where these words are, each place in ascending order.
  private func positions(of words: Set<UInt64>) -> [UInt64: [RemoteAddress]] {
    var result: [UInt64: [RemoteAddress]] = [:]
    guard let least = words.min(), let most = words.max() else { return result }
    let size = Int(clamping: range.upperBound.distance(from: range.lowerBound))
    let first = Int((8 - range.lowerBound.rawValue % 8) % 8)
    // Every offset leaves room for a word.
    unsafe copies.withBytes(at: range.lowerBound, count: size) { bytes in
      for offset in stride(from: first, through: bytes.count - 8, by: 8) {
        let word = unsafe UInt64(
          littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        if least...most ~= word, words.contains(word) {
          result[word, default: []].append(range.lowerBound + offset)
        }
      }
    }
    return result
  }
}
