extension FunctionName {
  /// The name by which programs call a function of the C library: `strcmp` for `__strcmp_evex`, `read` for
  /// `__GI___libc_read`, `malloc` for `_int_malloc`.
  package static func published(_ name: String) -> String {
    let bare = bare(name)
    // What starts a program is called by none.
    guard !bare.hasPrefix("__libc_start") else { return bare }
    var text = Substring(bare)
    let hasUnderscore = text.hasPrefix("_")
    // An alias for calls within the library begins with `__GI_`, before underscores of its own.
    var isAlias = true
    while isAlias {
      text = text.drop { $0 == "_" }
      isAlias = false
      for mark in marks where hasUnderscore && text.hasPrefix(mark) {
        text = text.dropFirst(mark.count)
        isAlias = true
      }
    }
    text = withoutVariant(text)
    if text.hasSuffix("_nocancel") { text = text.dropLast("_nocancel".count) }
    return text.isEmpty ? bare : parts[text] ?? String(text)
  }

  private static let marks = ["GI_", "libc_", "vdso_", "IO_", "new_"]

  /// Functions within the allocator, and what they work for.
  private static let parts: [Substring: String] = [
    "int_malloc": "malloc", "int_free": "free", "int_free_chunk": "free", "int_realloc": "realloc",
    "int_memalign": "memalign", "sysmalloc": "malloc", "malloc_consolidate": "malloc",
    "systrim": "free", "unlink_chunk": "malloc",
  ]

  /// Sets of instructions; a function that is made for one has that, and more, behind its name.
  private static let instructions: Set<Substring> = [
    "sse2", "sse3", "ssse3", "sse4", "avx", "avx2", "avx512", "evex", "evex256", "evex512", "erms",
    "fma", "fma4", "generic",
  ]

  private static func withoutVariant(_ name: Substring) -> Substring {
    let parts = name.split(separator: "_", omittingEmptySubsequences: false)
    guard let first = parts.firstIndex(where: instructions.contains), first > 0 else { return name }
    return name[..<name.index(before: parts[first].startIndex)]
  }
}
