internal import ProfileModel

/// Objects on the heap of a VM.
///
/// The collector moves them: nothing that is read here is kept from one look to the next, and a pointer
/// may lead to another object by the time that it is followed.
final class JavaObjects {
  let code: JavaCode
  let layout: HotSpotLayout
  private let narrowBase: UInt64
  private let narrowShift: UInt64
  let areReferencesNarrow: Bool
  let narrowClassBase: UInt64?
  let narrowClassShift: UInt64
  private let haveCompactHeaders: Bool
  /// A class does not move, but another may be loaded into its place: the two have other constants.
  private struct ClassKey: Hashable {
    let holder: RemoteAddress
    let constants: RemoteAddress
  }
  /// The fields of classes.
  private var known: [ClassKey: JavaFields?] = [:]
  let threadClass: RemoteAddress
  private let stringFields: JavaFields?
  let threadFields: JavaFields

  private static let classLimit = 1 << 12
  private static let textLimit = 1 << 10
  private static let superclassLimit = 64
  /// The fields that the VM itself adds to the object of a class are within these bytes.
  private static let mirrorLimit = 1 << 10

  /// Nil where the classes of threads and texts cannot be read; a little later they may be.
  init?(_ code: JavaCode, memory: JavaMemory) {
    let layout = code.layout
    guard let thread = layout.objects.threadClass.flatMap({ memory.address(at: $0) }),
      !thread.isNull,
      let fields = JavaFields(of: thread, layout, methods: code.methods, memory: memory),
      let shift = layout.objects.narrowShift.flatMap({ memory.int(at: $0) }),
      (0...8).contains(shift)
    else { return nil }
    self.code = code
    self.layout = layout
    threadClass = thread
    threadFields = fields
    areReferencesNarrow = fields.areReferencesNarrow
    narrowShift = UInt64(shift)
    narrowBase =
      layout.objects.narrowBase.flatMap { memory.value(at: $0, as: UInt64.self) } ?? 0
    let base = layout.objects.narrowClassBase.flatMap { memory.value(at: $0, as: UInt64.self) }
    let classShift = layout.objects.narrowClassShift.flatMap { memory.int(at: $0) } ?? 0
    narrowClassBase = fields.areClassPointersNarrow ? base : nil
    haveCompactHeaders = fields.haveCompactHeaders
    narrowClassShift = UInt64(max(0, min(16, classShift)))
    let string = layout.objects.stringClass.flatMap { memory.address(at: $0) }
    stringFields = string.flatMap {
      JavaFields(of: $0, layout, methods: code.methods, memory: memory)
    }
  }

  /// The object that a field of another leads to; nil for none.
  func reference(at place: RemoteAddress, _ memory: JavaMemory) -> RemoteAddress? {
    areReferencesNarrow
      ? memory.value(at: place, as: UInt32.self).flatMap { object(narrow: $0) }
      : memory.value(at: place, as: UInt64.self).flatMap(Self.object)
  }

  /// The object that a pointer of four bytes leads to; nil for none.
  func object(narrow: UInt32) -> RemoteAddress? {
    narrow == 0 ? nil : Self.object(narrowBase &+ UInt64(narrow) << narrowShift)
  }

  /// The object that a pointer of eight bytes leads to; nil for none.
  func object(at handle: RemoteAddress, _ memory: JavaMemory) -> RemoteAddress? {
    memory.value(at: handle, as: UInt64.self).flatMap(Self.object)
  }

  /// The address in a pointer: generational ZGC (JDK 21 and later) shifts it, by what one of four bits
  /// above the lowest twelve says (src/hotspot/share/gc/z/zAddress.inline.hpp).
  static func object(_ pointer: UInt64) -> RemoteAddress? {
    var address = pointer
    if pointer >> 48 != 0 {
      let mark = pointer >> 12 & 15
      guard mark.nonzeroBitCount == 1 else { return nil }
      address = pointer >> UInt64(13 + mark.trailingZeroBitCount)
    }
    // Of a pointer to nothing, too, ZGC sets some of the lowest sixteen bits.
    guard address > 0xffff, address & 7 == 0, address >> 48 == 0 else { return nil }
    return RemoteAddress(address)
  }

  /// The class of an object; nil where that is not to be read.
  func classOf(_ object: RemoteAddress, _ memory: JavaMemory) -> RemoteAddress? {
    memory.bytes(at: object, count: classEnd).flatMap { header in
      classOf { header.value(at: $0, as: UInt64.self) }
    }
  }

  /// How much of an object is needed to know its class.
  var classEnd: Int { haveCompactHeaders ? 8 : 16 }

  /// The class of an object with these words in its header.
  func classOf(_ word: (_ offset: Int) -> UInt64?) -> RemoteAddress? {
    let pointer = word(haveCompactHeaders ? 0 : layout.objects.classOfObject)
    guard let pointer, let base = narrowClassBase else {
      return pointer.flatMap { $0 == 0 ? nil : RemoteAddress($0) }
    }
    // The upper 22 bits of a compact header (src/hotspot/share/oops/markWord.hpp).
    let narrow = haveCompactHeaders ? pointer >> 42 : pointer & 0xffff_ffff
    return narrow == 0 ? nil : RemoteAddress(base &+ narrow << narrowClassShift)
  }

  /// Where an array has its length.
  var arrayLength: Int { haveCompactHeaders ? 8 : narrowClassBase == nil ? 16 : 12 }

  /// The name of an object's class: `java.lang.Object`.
  func className(of object: RemoteAddress, _ memory: JavaMemory) -> String? {
    classOf(object, memory).flatMap { code.methods.classOf($0, memory)?.name }
  }

  /// The name of a class by the VM's structure of it.
  func nameOfClass(_ holder: RemoteAddress, _ memory: JavaMemory) -> String? {
    code.methods.classOf(holder, memory)?.name
  }

  /// The name of the class of an object that threads wait for; of a class, which one it is, as jstack says:
  /// `java.lang.Class for Parser`.
  func lockName(of object: RemoteAddress, _ memory: JavaMemory) -> String? {
    guard let name = className(of: object, memory) else { return nil }
    guard name == "java.lang.Class",
      let field = layout.objects.classOfMirror.flatMap({ memory.int(at: $0) }),
      (1...Self.mirrorLimit).contains(field),
      let mirrored = memory.address(at: object + field),
      let own = code.methods.classOf(mirrored, memory)?.name
    else { return name }
    return "\(name) for \(own)"
  }

  /// Whether an object is of the class of that name, or of one that extends it; with that class.
  func ancestor(
    named name: String, of object: RemoteAddress, _ memory: JavaMemory
  ) -> RemoteAddress? {
    var next = classOf(object, memory)
    for _ in 0..<Self.superclassLimit {
      guard let current = next else { return nil }
      if code.methods.classOf(current, memory)?.name == name { return current }
      next = code.methods.superclass(of: current, memory)
    }
    return nil
  }

  /// Where a field is in the objects of a class that declares it itself.
  func offset(of field: String, in holder: RemoteAddress, _ memory: JavaMemory) -> Int? {
    fields(of: holder, memory)?.offset(field)
  }

  /// Where the fields are that a class declares itself; nil where they cannot be read.
  func fields(of holder: RemoteAddress, _ memory: JavaMemory) -> JavaFields? {
    guard let constants = memory.address(at: holder + layout.objects.classConstants) else {
      return nil
    }
    let key = ClassKey(holder: holder, constants: constants)
    if known[key] == nil {
      if known.count >= Self.classLimit { known.removeAll() }
      known[key] = .some(JavaFields(of: holder, layout, methods: code.methods, memory: memory))
    }
    return known[key] ?? nil
  }

  // MARK: - Threads

  /// The object of a thread: of class `Thread`, or of one that extends it.
  func threadObject(of thread: RemoteAddress, _ memory: JavaMemory) -> RemoteAddress? {
    let field = thread + layout.threads.threadObject
    guard let first = memory.address(at: field), !first.isNull else { return nil }
    guard layout.threads.isThreadObjectHandle else { return first }
    return object(at: first, memory)
  }

  /// The name that the program has given a thread.
  func threadName(of thread: RemoteAddress, _ memory: JavaMemory) -> String? {
    guard let object = threadObject(of: thread, memory), let field = threadFields.offset("name"),
      let name = reference(at: object + field, memory)
    else { return nil }
    return text(name, memory)
  }

  /// What a thread that is parked waits for; nil where it did not say.
  ///
  /// A virtual thread says so itself, where the thread that runs it is parked.
  func parkBlocker(of thread: RemoteAddress, _ memory: JavaMemory) -> RemoteAddress? {
    let current = layout.virtualThreads?.currentThread.flatMap { field in
      memory.address(at: thread + field).flatMap { $0.isNull ? nil : object(at: $0, memory) }
    }
    guard let object = current ?? threadObject(of: thread, memory),
      let field = threadFields.offset("parkBlocker")
    else { return nil }
    return reference(at: object + field, memory)
  }

  /// The VM's structure of a thread, by its object.
  func thread(ofObject object: RemoteAddress, _ memory: JavaMemory) -> RemoteAddress? {
    threadFields.offset("eetop").flatMap { memory.address(at: object + $0) }
  }

  /// The text of a `String`: bytes of Latin-1 or UTF-16 behind the header of an array.
  func text(_ string: RemoteAddress, _ memory: JavaMemory) -> String? {
    guard let fields = stringFields, let value = fields.offset("value"),
      let array = reference(at: string + value, memory)
    else { return nil }
    let coder = fields.offset("coder").flatMap { memory.value(at: string + $0, as: UInt8.self) }
    guard let length = memory.int(at: array + arrayLength), length >= 0,
      length <= Self.textLimit
    else { return nil }
    guard length > 0 else { return "" }
    guard let piece = memory.bytes(at: array + arrayLength + 4, count: length) else { return nil }
    if coder == 0 {
      return String(String.UnicodeScalarView(piece.bytes.map { Unicode.Scalar($0) }))
    }
    let units = stride(from: 0, to: length, by: 2).compactMap {
      piece.value(at: $0, as: UInt16.self)
    }
    return String(decoding: units, as: UTF16.self)
  }
}
