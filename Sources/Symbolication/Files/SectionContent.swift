internal import ByteReading
internal import CDeflate
internal import CZstd
internal import ELFReading

/// What a section has in its file: its bytes, or a stream that is to be inflated.
struct SectionContent {
  private enum Form {
    case plain, zlib, zstd
  }

  private let form: Form
  /// As they are in the file, without the header of a compressed section; good as long as that.
  private let bytes: UnsafeRawBufferPointer
  /// In bytes, inflated.
  let size: UInt64

  var isCompressed: Bool { form != .plain }

  private init(_ form: Form, _ bytes: UnsafeRawBufferPointer, size: UInt64) {
    (self.form, self.bytes, self.size) = (form, bytes, size)
  }

  init(_ bytes: UnsafeRawBufferPointer) {
    self.init(.plain, bytes, size: UInt64(bytes.count))
  }

  /// Of a section by its header, where it is marked as compressed, or by its name (ELF gABI, "Section
  /// Compression"; GNU's older `.zdebug_`).
  init(
    of name: String, isCompressed: Bool, _ bytes: UnsafeRawBufferPointer
  ) throws(DebugData.Problem) {
    if name.hasPrefix(".zdebug_") {
      // "ZLIB" and the size, which is big-endian.
      guard bytes.count >= 12 else { throw .unreadable("\(name) is cut off") }
      self.init(
        .zlib, UnsafeRawBufferPointer(rebasing: bytes[12...]),
        size: bytes.loadUnaligned(fromByteOffset: 4, as: UInt64.self).byteSwapped)
    } else if isCompressed {
      // Elf64_Chdr: type, reserved, size, alignment.
      guard bytes.count >= 24 else { throw .unreadable("\(name) is cut off") }
      let forms: [UInt32: Form] = [1: .zlib, 2: .zstd]
      guard let form = forms[bytes.loadUnaligned(as: UInt32.self)] else {
        throw .unsupportedCompression(section: name)
      }
      self.init(
        form, UnsafeRawBufferPointer(rebasing: bytes[24...]),
        size: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    } else {
      self.init(bytes)
    }
  }

  /// Writes the content to `target`, which has room for `size` bytes; false for a damaged stream.
  func write(to target: UnsafeMutableRawBufferPointer) -> Bool {
    switch form {
    case .plain:
      target.copyMemory(from: bytes)
      return true
    case .zlib: return inflateZlib(to: target)
    case .zstd:
      return ZSTD_decompress(target.baseAddress, target.count, bytes.baseAddress, bytes.count)
        == target.count
    }
  }

  private func inflateZlib(to target: UnsafeMutableRawBufferPointer) -> Bool {
    guard let decompressor = libdeflate_alloc_decompressor() else { return false }
    defer { libdeflate_free_decompressor(decompressor) }
    // Without a place for the number of bytes written, fewer than there is room for are an error.
    return libdeflate_zlib_decompress(
      decompressor, bytes.baseAddress, bytes.count, target.baseAddress, target.count, nil)
      == LIBDEFLATE_SUCCESS
  }
}

extension ELFFile {
  /// The content of a section whose file is `bytes`; nil where it has none.
  func content(
    of section: Section, in bytes: UnsafeRawBufferPointer
  ) throws(DebugData.Problem) -> SectionContent? {
    guard let range = self.bytes(of: section, fileSize: bytes.count) else { return nil }
    return try SectionContent(
      of: section.name, isCompressed: section.isCompressed,
      UnsafeRawBufferPointer(rebasing: bytes[range]))
  }
}
