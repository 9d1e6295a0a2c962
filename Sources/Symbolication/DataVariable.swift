/// A variable of the program, and a place in it.
package struct DataVariable: Hashable, Sendable {
  /// Demangled.
  package let name: String
  /// The field at the place: `.lock`, `[3].lock`, or `+0x28` where its name is not known; nil for the
  /// variable as a whole.
  package let field: String?
  /// The source file that declares it, as the debug data gives it; nil without debug data.
  package let file: String?

  /// Sizes of glibc's and musl's locks on 64-bit machines, from 32 for a barrier to 56 for a
  /// read-write lock: a place within a variable of such a size is a word of the lock itself.
  private static let lockSizes: Set<UInt64> = [32, 40, 48, 56]

  init(name: String, size: UInt64, offset: UInt64) {
    self.name = name
    field = offset == 0 || Self.lockSizes.contains(size) ? nil : "+0x" + String(offset, radix: 16)
    file = nil
  }

  init(name: String, size: UInt64, offset: UInt64, path: String?, file: String?) {
    self.name = name
    self.file = file
    field = path.map { $0.isEmpty ? nil : $0 } ?? Self(name: name, size: size, offset: offset).field
  }
}
