/// Reads Rust's `v0` mangled names (rust-lang RFC 2603), which begin with `_R`.
///
/// Crate hashes and the types of constants are left out. Names may refer back to their own parts, so
/// a short one may stand for an endless one: depth and length are bounded, and beyond them there is
/// no result.
struct RustDemangler {
  private enum Failure: Error { case malformed }

  private let bytes: [UInt8]
  private var position = 0
  private var depth = 0
  private var output: [UInt8] = []
  /// Off while a part is read that is not shown.
  private var isPrinting = true
  /// How many lifetimes the binders around this place bring.
  private var boundLifetimes: UInt64 = 0
  private var steps = 0

  /// The path that `name` stands for, nil when it is no such name.
  static func demangle(_ name: String) -> String? {
    guard name.hasPrefix("_R") else { return nil }
    // A suffix of the compiler begins with a dot, which is no part of the scheme.
    let bytes = Array(name.utf8.dropFirst(2).prefix { $0 != UInt8(ascii: ".") })
    var demangler = RustDemangler(bytes: bytes)
    do throws(Failure) {
      try demangler.path(isValue: true)
      // The crate that made the instance follows.
      if demangler.position < bytes.count {
        demangler.isPrinting = false
        try demangler.path(isValue: false)
      }
    } catch {
      return nil
    }
    guard demangler.position == bytes.count, !demangler.output.isEmpty else { return nil }
    return String(decoding: demangler.output, as: UTF8.self)
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  // MARK: Characters and numbers

  private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func next() throws(Failure) -> UInt8 {
    guard let byte = peek else { throw .malformed }
    position += 1
    return byte
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard peek == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func show(_ text: String) throws(Failure) {
    guard isPrinting else { return }
    guard output.count < 8192 else { throw .malformed }
    output += Array(text.utf8)
  }

  /// Digits and letters, ended by `_`; none at all is 0.
  private mutating func base62() throws(Failure) -> UInt64 {
    if take("_") { return 0 }
    var value: UInt64 = 0
    while !take("_") {
      let byte = try next()
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = byte - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = byte - UInt8(ascii: "A") + 36
      default: throw .malformed
      }
      let (product, isTooLarge) = value.multipliedReportingOverflow(by: 62)
      let (sum, isTooLargeToo) = product.addingReportingOverflow(UInt64(digit))
      guard !isTooLarge, !isTooLargeToo else { throw .malformed }
      value = sum
    }
    // Wraps for the hash of a crate, which may be any number.
    return value &+ 1
  }

  private mutating func optionalBase62(after tag: Unicode.Scalar) throws(Failure) -> UInt64 {
    guard take(tag) else { return 0 }
    return try base62() &+ 1
  }

  private mutating func identifier() throws(Failure) -> (name: String, disambiguator: UInt64) {
    let disambiguator = try optionalBase62(after: "s")
    return (try plainIdentifier(), disambiguator)
  }

  private mutating func plainIdentifier() throws(Failure) -> String {
    let isPunycode = take("u")
    var length = 0
    guard let first = peek, first >= UInt8(ascii: "0"), first <= UInt8(ascii: "9") else {
      throw .malformed
    }
    while let byte = peek, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9"), length < 10000 {
      length = length * 10 + Int(byte - UInt8(ascii: "0"))
      position += 1
      // A leading zero is the whole number.
      if length == 0 { break }
    }
    _ = take("_")
    guard length <= bytes.count - position else { throw .malformed }
    let name = String(decoding: bytes[position..<position + length], as: UTF8.self)
    position += length
    return isPunycode ? "punycode{\(name)}" : name
  }

  /// Runs `body` one level deeper, at most 100 levels and 20,000 times.
  private mutating func deeper(
    _ body: (inout RustDemangler) throws(Failure) -> Void
  ) throws(Failure) {
    steps += 1
    guard depth < 100, steps < 20_000 else { throw .malformed }
    depth += 1
    try body(&self)
    depth -= 1
  }

  /// Goes on at an earlier place of the name, and comes back.
  private mutating func backReference(
    _ body: (inout RustDemangler) throws(Failure) -> Void
  ) throws(Failure) {
    let start = position - 1
    guard let target = Int(exactly: try base62()), target < start else { throw .malformed }
    // What is not shown need not be read twice.
    guard isPrinting else { return }
    let end = position
    position = target
    try deeper(body)
    position = end
  }
}

// MARK: - Paths

extension RustDemangler {
  /// `isValue` says whether type arguments are written as in an expression, `a::<T>`.
  private mutating func path(isValue: Bool) throws(Failure) {
    try deeper { (inner) throws(Failure) in try inner.pathHere(isValue: isValue) }
  }

  private mutating func pathHere(isValue: Bool) throws(Failure) {
    switch Unicode.Scalar(try next()) {
    case "C": try show(identifier().name)
    case "N": try nested(isValue: isValue)
    case "M":
      try implementationPath()
      try show("<")
      try type()
      try show(">")
    case "X":
      try implementationPath()
      try typeAsTrait()
    case "Y": try typeAsTrait()
    case "I":
      try path(isValue: isValue)
      try show(isValue ? "::<" : "<")
      try list { (inner) throws(Failure) in try inner.genericArgument() }
      try show(">")
    case "B":
      try backReference { (inner) throws(Failure) in try inner.path(isValue: isValue) }
    default: throw .malformed
    }
  }

  private mutating func nested(isValue: Bool) throws(Failure) {
    let space = Unicode.Scalar(try next())
    try path(isValue: isValue)
    let (name, disambiguator) = try identifier()
    switch space {
    case "A"..."Z":
      let kind = space == "C" ? "closure" : space == "S" ? "shim" : String(space)
      try show("::{\(kind)\(name.isEmpty ? "" : ":" + name)#\(disambiguator)}")
    case "a"..."z": if !name.isEmpty { try show("::" + name) }
    default: throw .malformed
    }
  }

  /// Where an `impl` is: it only distinguishes names that look the same.
  private mutating func implementationPath() throws(Failure) {
    let wasPrinting = isPrinting
    isPrinting = false
    _ = try optionalBase62(after: "s")
    try path(isValue: false)
    isPrinting = wasPrinting
  }

  private mutating func typeAsTrait() throws(Failure) {
    try show("<")
    try type()
    try show(" as ")
    try path(isValue: false)
    try show(">")
  }

  /// Items up to `E`, with commas; their number.
  @discardableResult
  private mutating func list(
    _ item: (inout RustDemangler) throws(Failure) -> Void, separator: String = ", "
  ) throws(Failure) -> Int {
    var count = 0
    while !take("E") {
      if count > 0 { try show(separator) }
      try item(&self)
      count += 1
    }
    return count
  }

  private mutating func genericArgument() throws(Failure) {
    if take("L") {
      try lifetime(base62())
    } else if take("K") {
      try constant()
    } else {
      try type()
    }
  }
}

// MARK: - Types

extension RustDemangler {
  private mutating func type() throws(Failure) {
    try deeper { (inner) throws(Failure) in try inner.typeHere() }
  }

  private mutating func typeHere() throws(Failure) {
    let tag = Unicode.Scalar(try next())
    if let name = Self.basicTypes[tag] { return try show(name) }
    switch tag {
    case "R", "Q":
      try show("&")
      if take("L") { try namedLifetime(before: " ") }
      if tag == "Q" { try show("mut ") }
      try type()
    case "P", "O":
      try show(tag == "P" ? "*const " : "*mut ")
      try type()
    case "A", "S":
      try show("[")
      try type()
      if tag == "A" {
        try show("; ")
        try constant()
      }
      try show("]")
    case "T":
      try show("(")
      let count = try list { (inner) throws(Failure) in try inner.type() }
      try show(count == 1 ? ",)" : ")")
    case "F": try withBinder { (inner) throws(Failure) in try inner.functionType() }
    case "D":
      try show("dyn ")
      try withBinder { (inner) throws(Failure) in
        try inner.list({ (inner) throws(Failure) in try inner.dynamicTrait() }, separator: " + ")
      }
      guard take("L") else { throw .malformed }
      try namedLifetime(after: " + ")
    case "B": try backReference { (inner) throws(Failure) in try inner.type() }
    default:
      position -= 1
      try path(isValue: false)
    }
  }

  /// A lifetime; shows nothing when it has no name.
  private mutating func namedLifetime(
    after prefix: String = "", before suffix: String = ""
  ) throws(Failure) {
    let number = try base62()
    guard number != 0 else { return }
    try show(prefix)
    try lifetime(number)
    try show(suffix)
  }

  private mutating func functionType() throws(Failure) {
    if take("U") { try show("unsafe ") }
    if take("K") {
      let convention = take("C") ? "C" : try plainIdentifier()
      try show("extern \"\(convention.map { $0 == "_" ? "-" : String($0) }.joined())\" ")
    }
    try show("fn(")
    try list { (inner) throws(Failure) in try inner.type() }
    try show(")")
    if !take("u") {
      try show(" -> ")
      try type()
    }
  }

  private mutating func dynamicTrait() throws(Failure) {
    let isOpen = try openPath()
    var count = 0
    while take("p") {
      try show(count == 0 && !isOpen ? "<" : ", ")
      try show(plainIdentifier() + " = ")
      try type()
      count += 1
    }
    if isOpen || count > 0 { try show(">") }
  }

  /// A path whose arguments may go on: true when `>` is still to be written.
  private mutating func openPath() throws(Failure) -> Bool {
    if take("B") {
      var isOpen = false
      try backReference { (inner) throws(Failure) in isOpen = try inner.openPath() }
      return isOpen
    }
    guard take("I") else {
      try path(isValue: false)
      return false
    }
    try path(isValue: false)
    try show("<")
    try list { (inner) throws(Failure) in try inner.genericArgument() }
    return true
  }

  private mutating func withBinder(
    _ body: (inout RustDemangler) throws(Failure) -> Void
  ) throws(Failure) {
    let count = try optionalBase62(after: "G")
    guard count < 64 else { throw .malformed }
    if count > 0 {
      try show("for<")
      for index in 0..<count {
        boundLifetimes += 1
        if index > 0 { try show(", ") }
        try lifetime(1)
      }
      try show("> ")
    }
    try body(&self)
    boundLifetimes -= count
  }

  /// `number` counts outwards from the innermost binder; 0 is one that was erased.
  private mutating func lifetime(_ number: UInt64) throws(Failure) {
    guard number > 0 else { return try show("'_") }
    // What is not shown is not read twice either, so its binders may be missing.
    guard isPrinting else { return }
    guard number <= boundLifetimes else { throw .malformed }
    let index = boundLifetimes - number
    let letter = index < 26 ? UInt8(ascii: "a") + UInt8(index) : nil
    try show("'" + (letter.map { String(Unicode.Scalar($0)) } ?? "_\(index)"))
  }

  private mutating func constant() throws(Failure) {
    try deeper { (inner) throws(Failure) in try inner.constantHere() }
  }

  private mutating func constantHere() throws(Failure) {
    if take("B") {
      return try backReference { (inner) throws(Failure) in try inner.constant() }
    }
    let tag = Unicode.Scalar(try next())
    switch tag {
    case "p": try show("_")
    case "a", "s", "l", "x", "n", "i", "h", "t", "m", "y", "o", "j", "b", "c":
      if take("n") { try show("-") }
      let start = position
      while !take("_") { _ = try next() }
      let digits = String(decoding: bytes[start..<position - 1], as: UTF8.self)
      let value = digits.isEmpty ? 0 : UInt64(digits, radix: 16)
      try show(Self.text(of: value, digits: digits, type: tag))
    default: throw .malformed
    }
  }

  private static func text(of value: UInt64?, digits: String, type: Unicode.Scalar) -> String {
    guard let value else { return "0x" + digits }
    if type == "b" { return value == 0 ? "false" : "true" }
    if type == "c", let scalar = UInt32(exactly: value).flatMap(Unicode.Scalar.init) {
      return "'\(scalar)'"
    }
    return String(value)
  }

  private static let basicTypes: [Unicode.Scalar: String] = [
    "a": "i8", "b": "bool", "c": "char", "d": "f64", "e": "str", "f": "f32", "h": "u8",
    "i": "isize", "j": "usize", "l": "i32", "m": "u32", "n": "i128", "o": "u128", "s": "i16",
    "t": "u16", "u": "()", "v": "...", "x": "i64", "y": "u64", "z": "!", "p": "_",
  ]
}
