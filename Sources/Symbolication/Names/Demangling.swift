internal import CElfutils
internal import Glibc

/// What a mangled name says in its language, nil for a name that is not mangled.
///
/// C++ (with the types of the parameters, without the marks of clones), Rust without hashes, and
/// Swift. Names over 8 KiB stay as they are: the demanglers need stack for each character.
package func demangle(_ name: String) -> String? {
  guard name.utf8.count <= 8192 else { return nil }
  if name.hasPrefix("_Z") || name.hasPrefix("___Z") {
    guard var plain = demangledCxx(name) ?? demangledCxx(withoutSuffixes(name)) else { return nil }
    // What the compiler split off a function belongs to the function: "f(int) [clone .cold]".
    if name.utf8.contains(UInt8(ascii: ".")), let suffix = plain.utf8.firstIndex(of: " [clone ") {
      plain = String(plain[..<suffix])
    }
    return isRust(name) ? rustName(plain) : plain
  }
  if name.hasPrefix("_R") { return RustDemangler.demangle(name) }
  // The prefixes of Swift 5, 4 and of embedded Swift.
  guard ["$s", "$S", "_$s", "_$S", "_T0", "$e", "@__swiftmacro_"].contains(where: name.hasPrefix)
  else { return nil }
  return demangledSwift(name)
}

private func demangledCxx(_ name: String) -> String? {
  var status: CInt = 0
  guard let text = __cxa_demangle(name, nil, nil, &status) else { return nil }
  defer { free(text) }
  return status == 0 ? String(cString: text) : nil
}

/// Without `.llvm.123` and the like, which the C++ demangler only takes after parameters.
private func withoutSuffixes(_ name: String) -> String {
  guard let end = name.utf8.lastIndex(of: UInt8(ascii: "E")),
    name.utf8[end...].contains(UInt8(ascii: "."))
  else { return name }
  return String(name[...end])
}

private func demangledSwift(_ name: String) -> String? {
  guard let text = swift_demangle(name, name.utf8.count, nil, nil, 0) else { return nil }
  defer { free(text) }
  let plain = String(cString: text)
  return plain == name ? nil : plain
}

/// Whether a name ends like Rust's older scheme does: `17h`, 16 hexadecimal digits, `E`.
///
/// A suffix of the compiler, such as `.llvm.123`, may follow.
private func isRust(_ name: String) -> Bool {
  let tail = withoutSuffixes(name).utf8.suffix(20)
  return tail.count == 20 && tail.starts(with: "17h".utf8) && tail.last == UInt8(ascii: "E")
    && tail.dropFirst(3).dropLast().allSatisfy(isHexDigit)
}

private func isHexDigit(_ byte: UInt8) -> Bool {
  (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
}

/// The Rust path behind what the C++ demangler made of it.
private func rustName(_ plain: String) -> String {
  var path = Substring(plain)
  if path.utf8.suffix(19).starts(with: "::h".utf8) { path = path.dropLast(19) }
  var result = ""
  while let first = path.first {
    if first != ".", first != "$", first != "_" {
      result.append(first)
      path = path.dropFirst()
    } else if let (escape, character) = rustEscapes.first(where: { path.hasPrefix($0.0) }) {
      result += character
      path = path.dropFirst(escape.count)
    } else if let (character, length) = rustCodePoint(path) {
      result.append(character)
      path = path.dropFirst(length)
    } else if first == "_", path.hasPrefix("_$"), result.isEmpty || result.hasSuffix("::") {
      // An identifier may not begin with an escape, so the compiler put `_` before it.
      path = path.dropFirst()
    } else {
      result.append(first)
      path = path.dropFirst()
    }
  }
  return result
}

/// rustc's `legacy` symbol mangling (compiler/rustc_symbol_mangling/src/legacy.rs).
private let rustEscapes: [(String, String)] = [
  ("..", "::"), ("$SP$", "@"), ("$BP$", "*"), ("$RF$", "&"), ("$LT$", "<"), ("$GT$", ">"),
  ("$LP$", "("), ("$RP$", ")"), ("$C$", ","),
]

/// `$u7b$` and the like: a character by its hexadecimal number.
private func rustCodePoint(_ path: Substring) -> (Character, length: Int)? {
  guard path.hasPrefix("$u") else { return nil }
  let digits = path.dropFirst(2).prefix { $0 != "$" }
  guard (1...6).contains(digits.utf8.count), digits.utf8.allSatisfy(isHexDigit),
    path.dropFirst(2 + digits.count).first == "$",
    let scalar = UInt32(digits, radix: 16).flatMap(Unicode.Scalar.init)
  else { return nil }
  return (Character(scalar), digits.count + 3)
}

extension String.UTF8View {
  /// The first place of `part`.
  fileprivate func firstIndex(of part: String) -> Index? {
    indices.first { self[$0...].starts(with: part.utf8) }
  }
}
