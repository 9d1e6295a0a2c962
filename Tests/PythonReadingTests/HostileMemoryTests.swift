internal import LinuxProcess
internal import ProfileModel
internal import PythonReading
internal import RuntimeReading
internal import TestSupport
internal import Testing

/// Pages of a process as they were once, of which some words may have been changed since.
final class RecordedMemory: TargetMemory {
  private let live: ProcessMemory?
  private(set) var pages: [UInt64: [UInt8]] = [:]
  private(set) var reads = 0
  private(set) var pieces = 0
  /// The bytes of the largest read.
  private(set) var largest = 0
  /// Small pieces that were asked for: records of threads, frames, code objects.
  private var records: [MemoryRange] = []
  private static let size: UInt64 = 4096

  /// Records what is read of a live process.
  init(recording live: ProcessMemory) { self.live = live }

  /// Gives what was recorded, and nothing else.
  init(_ pages: [UInt64: [UInt8]], records: [MemoryRange]) {
    self.pages = pages
    self.records = records
    live = nil
  }

  /// Writes a number; the rest of a page that was not there is zero.
  func put(_ value: some FixedWidthInteger & BitwiseCopyable, at address: UInt64) {
    withUnsafeBytes(of: value.littleEndian) { put(Array($0), at: address) }
  }

  func put(_ bytes: [UInt8], at address: UInt64) {
    for (offset, byte) in bytes.enumerated() {
      let place = address + UInt64(offset)
      pages[place / Self.size, default: Array(repeating: 0, count: Int(Self.size))][
        Int(place % Self.size)] = byte
    }
  }

  /// The same memory with another text of the same length in all places.
  func replacing(_ text: String, by other: String) -> RecordedMemory {
    var changed = pages
    let (old, new) = (Array(text.utf8), Array(other.utf8))
    for (number, page) in pages {
      let bytes = page + (pages[number + 1]?.prefix(old.count) ?? [])
      for start in page.indices where bytes[start...].starts(with: old) {
        for (offset, byte) in new.enumerated() {
          let place = start + offset
          changed[number + UInt64(place / page.count)]?[place % page.count] = byte
        }
      }
    }
    return RecordedMemory(changed, records: [])
  }

  func read(_ ranges: ArraySlice<MemoryRange>, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    reads += 1
    pieces += ranges.count
    largest = max(largest, buffer.count)
    if live != nil { records += ranges.filter { $0.count >= 8 && $0.count <= 1024 } }
    var filled = 0
    for range in ranges {
      var address = range.start.rawValue
      var left = min(range.count, buffer.count - filled)
      while left > 0 {
        guard let page = page(address / Self.size) else { return filled }
        let offset = Int(address % Self.size)
        let count = min(left, Int(Self.size) - offset)
        page.withUnsafeBytes {
          UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<(filled + count)])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<(offset + count)]))
        }
        filled += count
        left -= count
        address &+= UInt64(count)
      }
    }
    return filled
  }

  private func page(_ number: UInt64) -> [UInt8]? {
    if let page = pages[number] { return page }
    let address = RemoteAddress(number &* Self.size)
    guard let live, let page = live.read(at: address, count: Int(Self.size)),
      page.count == Int(Self.size)
    else { return nil }
    pages[number] = page
    return page
  }

  /// A word that lies in one page.
  func word(at address: UInt64) -> UInt64 {
    page(address / Self.size)?.withUnsafeBytes {
      $0.loadUnaligned(fromByteOffset: Int(address % Self.size), as: UInt64.self)
    } ?? 0
  }

  /// The same with these bytes all of this value.
  func filling(_ places: Range<UInt64>, with byte: UInt8) -> RecordedMemory {
    var changed = pages
    for place in places { changed[place / Self.size]?[Int(place % Self.size)] = byte }
    return RecordedMemory(changed, records: [])
  }

  /// The same with every pointer to `old` turned to `new`, whatever tags it has.
  func replacing(_ old: UInt64, with new: UInt64) -> RecordedMemory {
    let changed = pages.mapValues { page in
      var page = page
      for place in stride(from: 0, to: page.count, by: 8) {
        let word = page.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: place, as: UInt64.self) }
        guard word & ~3 == old else { continue }
        page.withUnsafeMutableBytes {
          $0.storeBytes(of: new | word & 3, toByteOffset: place, as: UInt64.self)
        }
      }
      return page
    }
    return RecordedMemory(changed, records: records)
  }

  /// The same with some words replaced: by other addresses of it, small numbers, or anything.
  func mutated(using random: inout SeededGenerator) -> RecordedMemory {
    var changed = pages
    let numbers = pages.keys.sorted()
    for _ in 0..<Int.random(in: 1...120, using: &random) {
      guard let record = records.randomElement(using: &random) else { break }
      let offset = Int64.random(in: 0..<Int64(record.count / 8), using: &random) * 8
      let address = record.start.advanced(by: offset).rawValue / 8 * 8
      let number = address / Self.size
      let place = Int(address % Self.size)
      let target = numbers.randomElement(using: &random) ?? 0
      let inside = target * Self.size + UInt64.random(in: 0..<512, using: &random) * 8
      let values: [UInt64] = [
        inside, inside, inside, 0, .max, UInt64.random(in: 0...100, using: &random),
        1 << 63 - 1, random.next(),
      ]
      let value = values.randomElement(using: &random) ?? 0
      withUnsafeBytes(of: value) { bytes in
        for (index, byte) in bytes.enumerated() { changed[number]?[place + index] = byte }
      }
    }
    if Bool.random(using: &random), let lost = numbers.randomElement(using: &random) {
      changed[lost] = nil
    }
    return RecordedMemory(changed, records: records)
  }
}

@Suite(.enabled(if: !Interpreter.all.isEmpty, "no Python on this machine"))
struct `Torn and hostile memory of Python` {
  @Test(arguments: Interpreter.onePerVersion)
  func `gives values, never a trap and never an endless walk`(_ interpreter: Interpreter) throws {
    let program = try interpreter.start("stacks.py")
    let target = try PythonTarget(pid: program.pid)
    let tids = try Truth(program).threads.map(\.tid)
    let recording = RecordedMemory(recording: target.memory)
    let sound = sampleAll(target.runtime, recording, pid: program.pid, tids: tids)
    #expect(sound.count == tids.count && sound.values.allSatisfy { $0.last == "complete" })
    try program.assertUntouched()

    var random = SeededGenerator(seed: UInt64(interpreter.minor))
    var changed = 0
    for _ in 0..<Repository.trials(short: 40, full: 5_000) {
      let memory = recording.mutated(using: &random)
      let some = (0..<3).compactMap { _ in tids.randomElement(using: &random) }
      let outcome = sampleAll(target.runtime, memory, pid: program.pid, tids: some)
      changed += outcome.filter { $0.value != sound[$0.key] }.count
      // Bounded also where pointers lead in circles.
      #expect(memory.reads < 50_000)
    }
    // The changes do reach what is read.
    #expect(changed > 10)
  }

  /// Reads everything there is to read.
  private func sampleAll(
    _ runtime: PythonRuntime, _ memory: RecordedMemory, pid: Int32, tids: [Int32]
  ) -> [Int32: [String]] {
    let reader = PythonReader(runtime, process: pid)
    _ = reader.refreshThreads(from: memory)
    _ = reader.refreshThreads(from: memory)
    var result: [Int32: [String]] = [:]
    for tid in tids {
      for _ in 0..<2 {
        guard let stack = try? reader.stack(of: tid, from: memory) else { continue }
        #expect(stack.groups.reduce(0) { $0 + $1.frameCount } == stack.frames.count)
        result[tid] = stack.frames.map { Truth.Line($0).description } + ["\(stack.end)"]
      }
    }
    _ = reader.stateNames(from: memory)
    _ = reader.lockStates(from: memory)
    return result
  }
}
