internal import ProfileModel

/// Where the fields are that stacks, names and locks are read from, as the build itself says.
///
/// Fields that moved between versions have several names; those that only some versions have are
/// optional.
struct HotSpotLayout: Sendable {
  /// The feature version of the JDK: 17.
  let version: Int
  let threads: ThreadLayout
  let code: CodeLayout
  let methods: MethodLayout
  let objects: ObjectLayout
  let locks: LockLayout
  /// Nil for a version without virtual threads.
  let virtualThreads: VirtualThreadLayout?

  /// Why a build is not read.
  struct Missing: Error {
    let field: String
  }

  init(_ tables: HotSpotTables, memory: JavaMemory) throws(Missing) {
    let fields = FieldLookup(tables)
    let number = try fields.variable("Abstract_VM_Version::_vm_major_version")
    guard let version = memory.int(at: number), (10...99).contains(version) else {
      throw Missing(field: "_vm_major_version")
    }
    self.version = version
    threads = try ThreadLayout(fields)
    code = try CodeLayout(fields)
    methods = try MethodLayout(fields)
    objects = try ObjectLayout(fields)
    locks = LockLayout(fields)
    virtualThreads = VirtualThreadLayout(fields)
  }
}

/// Finds fields by any of their names.
struct FieldLookup {
  let tables: HotSpotTables

  init(_ tables: HotSpotTables) { self.tables = tables }

  func optional(_ names: String...) -> Int? {
    names.lazy.compactMap { tables.fields[$0] }.first { $0.address.isNull }?.offset
  }

  func offset(_ names: String...) throws(HotSpotLayout.Missing) -> Int {
    for name in names {
      if let field = tables.fields[name], field.address.isNull { return field.offset }
    }
    throw HotSpotLayout.Missing(field: names.first ?? "")
  }

  func optionalVariable(_ names: String...) -> RemoteAddress? {
    names.lazy.compactMap { tables.fields[$0]?.address }.first { !$0.isNull }
  }

  func variable(_ names: String...) throws(HotSpotLayout.Missing) -> RemoteAddress {
    for name in names {
      if let place = tables.fields[name]?.address, !place.isNull { return place }
    }
    throw HotSpotLayout.Missing(field: names.first ?? "")
  }

  func size(_ type: String) throws(HotSpotLayout.Missing) -> Int {
    guard let size = tables.sizes[type], size > 0 else {
      throw HotSpotLayout.Missing(field: type)
    }
    return size
  }

  func type(of name: String) -> String? { tables.fields[name]?.type }
}

/// Threads: `JavaThread`, `OSThread` and the list of them.
struct ThreadLayout: Sendable {
  let list: RemoteAddress
  let listLength: Int
  let listThreads: Int
  let osThread: Int
  let threadID: Int
  let state: Int
  let anchor: Int
  let anchorStackPointer: Int
  let anchorPC: Int
  let anchorFramePointer: Int
  let stackBase: Int
  let stackSize: Int
  let threadObject: Int
  /// Whether `threadObject` leads to a handle, and not to the object itself (since JDK 17).
  let isThreadObjectHandle: Bool

  init(_ fields: FieldLookup) throws(HotSpotLayout.Missing) {
    list = try fields.variable("ThreadsSMRSupport::_java_thread_list")
    listLength = try fields.offset("ThreadsList::_length")
    listThreads = try fields.offset("ThreadsList::_threads")
    osThread = try fields.offset("JavaThread::_osthread", "Thread::_osthread")
    threadID = try fields.offset("OSThread::_thread_id")
    state = try fields.offset("JavaThread::_thread_state")
    anchor = try fields.offset("JavaThread::_anchor")
    anchorStackPointer = try fields.offset("JavaFrameAnchor::_last_Java_sp")
    anchorPC = try fields.offset("JavaFrameAnchor::_last_Java_pc")
    anchorFramePointer = try fields.offset("JavaFrameAnchor::_last_Java_fp")
    stackBase = try fields.offset("JavaThread::_stack_base", "Thread::_stack_base")
    stackSize = try fields.offset("JavaThread::_stack_size", "Thread::_stack_size")
    threadObject = try fields.offset("JavaThread::_threadObj")
    isThreadObjectHandle = fields.type(of: "JavaThread::_threadObj") == "OopHandle"
  }
}
