/// An ELF image with one debug section of one byte, in memory that libelf may write to.
final class EmptyDebugData {
  private static let names = Array("\0.debug_line\0.shstrtab\0".utf8)
  private static let headerSize = 64
  private static let sectionSize = 64
  private static let sections = 3
  static let count = headerSize + sections * sectionSize + (names.count + 7) / 8 * 8

  let bytes = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 8)

  init() {
    bytes.initializeMemory(as: UInt8.self, repeating: 0, count: Self.count)
    // ELFCLASS64, ELFDATA2LSB, EV_CURRENT; ET_EXEC.
    store([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1], at: 0)
    store(UInt16(2), at: 16)
    store(UInt16(62), at: 18)
    store(UInt32(1), at: 20)
    store(UInt64(Self.headerSize), at: 40)
    store(UInt16(Self.headerSize), at: 52)
    store(UInt16(Self.sectionSize), at: 58)
    store(UInt16(Self.sections), at: 60)
    store(UInt16(2), at: 62)
    let text = Self.headerSize + Self.sections * Self.sectionSize
    store(Self.names, at: text)
    // SHT_PROGBITS of the zero that the names begin with, and SHT_STRTAB.
    section(1, name: 1, type: 1, at: text, size: 1)
    section(2, name: 13, type: 3, at: text, size: Self.names.count)
  }

  deinit { bytes.deallocate() }

  private func section(_ index: Int, name: UInt32, type: UInt32, at offset: Int, size: Int) {
    let place = Self.headerSize + index * Self.sectionSize
    store(name, at: place)
    store(type, at: place + 4)
    store(UInt64(offset), at: place + 24)
    store(UInt64(size), at: place + 32)
    store(UInt64(1), at: place + 48)
  }

  private func store<T: FixedWidthInteger>(_ value: T, at offset: Int) {
    bytes.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
  }

  private func store(_ values: [UInt8], at offset: Int) {
    (bytes + offset).copyMemory(from: values, byteCount: values.count)
  }
}
