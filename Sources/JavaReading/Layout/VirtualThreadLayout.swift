internal import ProfileModel

/// What it takes to find the classes of virtual threads, and which of them a thread runs.
struct VirtualThreadLayout: Sendable {
  /// The structure of the loader that has loaded a class, its first class, and the next of each class.
  let loaderOfClass: Int
  let firstClass: Int
  let nextClass: Int
  /// A handle of the object that stands for a class, in which its static fields are.
  let mirror: Int
  /// How large the objects of a class are, with some flags in the lowest bits.
  let objectSize: Int
  /// A handle of the virtual thread that a thread runs, or else of its own object.
  let currentThread: Int?

  /// Nil where any of it is missing.
  init?(_ fields: FieldLookup) {
    guard let loader = fields.optional("Klass::_class_loader_data"),
      let first = fields.optional("ClassLoaderData::_klasses"),
      let next = fields.optional("Klass::_next_link"),
      let mirror = fields.optional("Klass::_java_mirror"),
      let size = fields.optional("Klass::_layout_helper")
    else { return nil }
    loaderOfClass = loader
    firstClass = first
    nextClass = next
    self.mirror = mirror
    objectSize = size
    currentThread = fields.optional("JavaThread::_vthread")
  }
}
