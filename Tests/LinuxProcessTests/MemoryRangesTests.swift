import Glibc
import LinuxProcess
import ProfileModel
import Testing

@Suite struct `Pieces of memory read with a stack` {
  /// Three pages, of which the last is not there.
  private final class Pages {
    static let size = 4096
    let bytes: UnsafeMutableRawBufferPointer

    init() throws {
      let count = 3 * Self.size
      let start = try #require(
        mmap(nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
      bytes = UnsafeMutableRawBufferPointer(start: start, count: count)
      for index in 0..<(2 * Self.size) { bytes[index] = UInt8(truncatingIfNeeded: index &* 31) }
      try #require(mprotect(start + 2 * Self.size, Self.size, PROT_NONE) == 0)
    }

    deinit { munmap(bytes.baseAddress, bytes.count) }

    func address(_ offset: Int) -> RemoteAddress {
      RemoteAddress(UInt64(UInt(bitPattern: bytes.baseAddress)) + UInt64(offset))
    }
  }

  @Test func `are the same as read one by one, within the stack and beside it`() throws {
    let pages = try Pages()
    let memory = ProcessMemory(tid: getpid())
    var random = SystemRandomNumberGenerator()
    var (within, cut) = (0, 0)
    for _ in 0..<2000 {
      let stackStart = Int.random(in: 0..<4096, using: &random)
      let stackCount = Int.random(in: 1...4096, using: &random)
      let ranges = (0..<Int.random(in: 0...6, using: &random)).map { _ in
        MemoryRange(
          start: pages.address(Int.random(in: 0..<9000, using: &random)),
          count: Int.random(in: 0...700, using: &random))
      }
      let stackEnd = pages.address(stackStart + stackCount).rawValue
      let stack = pages.address(stackStart).rawValue..<stackEnd
      within += ranges.count {
        stack.contains($0.start.rawValue) && $0.end.rawValue <= stack.upperBound
      }
      let size = ranges.reduce(0) { $0 + $1.count }
      var expected = [UInt8](repeating: 0, count: size)
      let filled = expected.withUnsafeMutableBytes { memory.read(ranges[...], into: $0) }
      var native = [UInt8](repeating: 0, count: stackCount)
      var rest = [UInt8](repeating: 0, count: size)
      let read = native.withUnsafeMutableBytes { native in
        rest.withUnsafeMutableBytes {
          memory.read(at: pages.address(stackStart), into: native, and: ranges[...], into: $0)
        }
      }
      cut += filled < size ? 1 : 0
      #expect(read.first == stackCount && read.rest == filled)
      #expect(native == Array(pages.bytes[stackStart..<(stackStart + stackCount)]))
      #expect(rest.prefix(filled) == expected.prefix(filled))
    }
    // Both are met.
    #expect(within > 500 && cut > 100)
  }
}
