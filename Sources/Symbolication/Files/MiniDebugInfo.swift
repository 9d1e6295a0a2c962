internal import CLzma
internal import ELFReading
internal import LinuxProcess

/// The symbols that distributions put into stripped programs: an ELF file in `.gnu_debugdata`, compressed
/// with xz (GDB manual, "Debugging information in a special section").
enum MiniDebugInfo {
  /// Far above real ones: 5 MB for a browser's.
  private static let sizeLimit = 64 << 20
  /// Bytes that the decoder may use: the highest level of xz(1) needs 65 MiB.
  private static let memoryLimit: UInt64 = 80 << 20

  /// The file, in memory; nil where there is none, or it cannot be read.
  static func read(_ elf: ELFFile, in file: MappedFile) -> MappedFile? {
    guard let section = elf.section(named: ".gnu_debugdata"),
      let range = elf.bytes(of: section, fileSize: file.count), !range.isEmpty
    else { return nil }
    return inflate(UnsafeRawBufferPointer(rebasing: file.pointer[range]))
      .map { MappedFile(copying: $0) }
  }

  /// What an xz file holds.
  static func inflate(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
    var capacity = min(sizeLimit, max(1 << 16, bytes.count &* 8))
    while true {
      var memory = memoryLimit
      var read = 0
      var written = 0
      var status = LZMA_OK
      let result = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
        status = lzma_stream_buffer_decode(
          &memory, 0, nil, bytes.bindMemory(to: UInt8.self).baseAddress, &read, bytes.count,
          buffer.baseAddress, &written, buffer.count)
        count = written
      }
      if status == LZMA_OK { return result }
      // The result did not fit, or the file is cut off.
      guard status == LZMA_BUF_ERROR, capacity < sizeLimit else { return nil }
      capacity = min(sizeLimit, capacity * 4)
    }
  }
}
