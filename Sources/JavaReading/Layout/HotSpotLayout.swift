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

/// The code cache: `CodeHeap`, `CodeBlob`, `nmethod` and `PcDesc`.
struct CodeLayout: Sendable {
  let heaps: RemoteAddress
  let arrayLength: Int
  let arrayData: Int
  let memory: Int
  let segmentMap: Int
  let low: Int
  let high: Int
  let lowBoundary: Int
  let highBoundary: Int
  let segmentSizeLog: Int
  /// sizeof(HeapBlock), which precedes each blob.
  let blockHeader: Int
  let name: Int
  let size: Int
  let frameSize: Int
  let frameComplete: Int
  /// Whether `frameComplete` has 16 bits (since JDK 23).
  let isFrameCompleteShort: Bool
  /// The address of the code (up to JDK 22), else how far behind the blob's start it is.
  let codeBegin: Int?
  let codeOffset: Int?
  let method: Int
  let compileID: Int?
  let originalPC: Int
  /// An address up to JDK 22, an offset later.
  let verifiedEntry: Int?
  let verifiedEntryOffset: Int?
  let deoptHandler: Int?
  let deoptHandlerOffset: Int?
  let scopes: ScopeLayout
  /// The one address that calls of Java by the VM return to; a variable.
  let callStubReturn: RemoteAddress
  let wrapperAnchor: Int
  let wrapperOffset: Int

  init(_ fields: FieldLookup) throws(HotSpotLayout.Missing) {
    heaps = try fields.variable("CodeCache::_heaps")
    arrayLength = try fields.offset("GrowableArrayBase::_len", "GenericGrowableArray::_len")
    arrayData = try fields.offset("GrowableArray<int>::_data")
    memory = try fields.offset("CodeHeap::_memory")
    segmentMap = try fields.offset("CodeHeap::_segmap")
    low = try fields.offset("VirtualSpace::_low")
    high = try fields.offset("VirtualSpace::_high")
    lowBoundary = try fields.offset("VirtualSpace::_low_boundary")
    highBoundary = try fields.offset("VirtualSpace::_high_boundary")
    segmentSizeLog = try fields.offset("CodeHeap::_log2_segment_size")
    blockHeader = try fields.size("HeapBlock")
    name = try fields.offset("CodeBlob::_name")
    size = try fields.offset("CodeBlob::_size")
    frameSize = try fields.offset("CodeBlob::_frame_size")
    frameComplete = try fields.offset("CodeBlob::_frame_complete_offset")
    isFrameCompleteShort = fields.type(of: "CodeBlob::_frame_complete_offset") == "int16_t"
    codeBegin = fields.optional("CodeBlob::_code_begin")
    codeOffset = fields.optional("CodeBlob::_code_offset")
    guard codeBegin != nil || codeOffset != nil else {
      throw HotSpotLayout.Missing(field: "CodeBlob::_code_begin")
    }
    method = try fields.offset("nmethod::_method", "CompiledMethod::_method")
    compileID = fields.optional("nmethod::_compile_id")
    originalPC = try fields.offset("nmethod::_orig_pc_offset")
    verifiedEntry = fields.optional("nmethod::_verified_entry_point")
    verifiedEntryOffset = fields.optional("nmethod::_verified_entry_offset")
    deoptHandler = fields.optional(
      "CompiledMethod::_deopt_handler_begin", "nmethod::_deopt_handler_begin")
    deoptHandlerOffset = fields.optional("nmethod::_deopt_handler_offset")
    scopes = try ScopeLayout(fields)
    callStubReturn = try fields.variable("StubRoutines::_call_stub_return_address")
    wrapperAnchor = try fields.offset("JavaCallWrapper::_anchor")
    wrapperOffset =
      Int(fields.tables.constants["frame::entry_frame_call_wrapper_offset"] ?? -6) &* 8
  }
}

/// What says which methods are inlined at an address, and at which bytecode each is.
struct ScopeLayout: Sendable {
  let pcs: Int
  /// Up to JDK 22 behind the code; later in memory of its own.
  let immutableData: Int?
  let scopesDataBegin: Int?
  let scopesDataOffset: Int?
  let dependencies: Int?
  let metadata: Int?
  let mutableData: Int?
  let mutableDataSize: Int?
  let relocationSize: Int?
  let dataOffset: Int
  let pcDescSize: Int

  init(_ fields: FieldLookup) throws(HotSpotLayout.Missing) {
    pcs = try fields.offset("nmethod::_scopes_pcs_offset")
    immutableData = fields.optional("nmethod::_immutable_data")
    scopesDataBegin = fields.optional(
      "CompiledMethod::_scopes_data_begin", "nmethod::_scopes_data_begin")
    scopesDataOffset = fields.optional("nmethod::_scopes_data_offset")
    dependencies = fields.optional("nmethod::_dependencies_offset")
    metadata = fields.optional("nmethod::_metadata_offset")
    mutableData = fields.optional("CodeBlob::_mutable_data")
    mutableDataSize = fields.optional("CodeBlob::_mutable_data_size")
    relocationSize = fields.optional("CodeBlob::_relocation_size")
    dataOffset = try fields.offset("CodeBlob::_data_offset")
    pcDescSize = try fields.size("PcDesc")
    guard scopesDataBegin != nil || scopesDataOffset != nil else {
      throw HotSpotLayout.Missing(field: "nmethod::_scopes_data_offset")
    }
  }
}

/// Methods and classes: `Method`, `ConstMethod`, `ConstantPool`, `Klass` and `Symbol`.
struct MethodLayout: Sendable {
  let constMethod: Int
  let accessFlags: Int
  let constants: Int
  let codeSize: Int
  let flags: Int
  let nameIndex: Int
  let constMethodSize: Int
  /// sizeof(ConstMethod), behind which the bytecodes are.
  let constMethodHeader: Int
  let poolHolder: Int
  /// sizeof(ConstantPool), behind which the entries are.
  let poolHeader: Int
  /// Of the constant pool since JDK 15, before of the class.
  let sourceFileOfPool: Int?
  let sourceFileOfClass: Int?
  let className: Int
  let superclass: Int
  let symbolLength: Int?
  let symbolLengthAndCount: Int?
  let symbolBody: Int
  let hasLines: UInt32

  init(_ fields: FieldLookup) throws(HotSpotLayout.Missing) {
    constMethod = try fields.offset("Method::_constMethod")
    accessFlags = try fields.offset("Method::_access_flags")
    constants = try fields.offset("ConstMethod::_constants")
    codeSize = try fields.offset("ConstMethod::_code_size")
    flags = try fields.offset("ConstMethod::_flags", "ConstMethod::_flags._flags")
    nameIndex = try fields.offset("ConstMethod::_name_index")
    constMethodSize = try fields.offset("ConstMethod::_constMethod_size")
    constMethodHeader = try fields.size("ConstMethod")
    poolHolder = try fields.offset("ConstantPool::_pool_holder")
    poolHeader = try fields.size("ConstantPool")
    sourceFileOfPool = fields.optional("ConstantPool::_source_file_name_index")
    sourceFileOfClass = fields.optional("InstanceKlass::_source_file_name_index")
    className = try fields.offset("Klass::_name")
    superclass = try fields.offset("Klass::_super")
    symbolLength = fields.optional("Symbol::_length")
    symbolLengthAndCount = fields.optional("Symbol::_length_and_refcount")
    symbolBody = try fields.offset("Symbol::_body", "Symbol::_body[0]")
    guard symbolLength != nil || symbolLengthAndCount != nil else {
      throw HotSpotLayout.Missing(field: "Symbol::_length")
    }
    let constants = fields.tables.constants
    hasLines = UInt32(
      truncatingIfNeeded: constants["ConstMethodFlags::_misc_has_linenumber_table"]
        ?? constants["ConstMethod::_has_linenumber_table"] ?? 1)
  }
}

/// Objects on the heap: how pointers to them are stored, and where their classes list their fields.
struct ObjectLayout: Sendable {
  let narrowBase: RemoteAddress?
  let narrowShift: RemoteAddress?
  let narrowClassBase: RemoteAddress?
  let narrowClassShift: RemoteAddress?
  let classOfObject: Int
  let threadClass: RemoteAddress?
  let stringClass: RemoteAddress?
  let classConstants: Int
  /// A table of 16-bit words up to JDK 20, a stream of compressed numbers since.
  let fieldTable: Int?
  let fieldCount: Int?
  let fieldStream: Int?
  let arrayLength: Int
  let byteArrayData: Int
  let wordArrayData: Int
  /// The names of fields that the VM itself added are not in the class's own pool.
  let vmSymbols: RemoteAddress?

  init(_ fields: FieldLookup) throws(HotSpotLayout.Missing) {
    narrowBase = fields.optionalVariable(
      "CompressedOops::_base", "CompressedOops::_narrow_oop._base", "Universe::_narrow_oop._base")
    narrowShift = fields.optionalVariable(
      "CompressedOops::_shift", "CompressedOops::_narrow_oop._shift",
      "Universe::_narrow_oop._shift")
    narrowClassBase = fields.optionalVariable(
      "CompressedKlassPointers::_base", "CompressedKlassPointers::_narrow_klass._base",
      "Universe::_narrow_klass._base")
    narrowClassShift = fields.optionalVariable(
      "CompressedKlassPointers::_shift", "CompressedKlassPointers::_narrow_klass._shift",
      "Universe::_narrow_klass._shift")
    classOfObject = try fields.offset("oopDesc::_metadata._klass")
    func known(_ name: String) -> RemoteAddress? {
      fields.optionalVariable(
        "vmClasses::_klasses[static_cast<int>(vmClassID::\(name)_klass_knum)]",
        "SystemDictionary::_well_known_klasses[SystemDictionary::\(name)_klass_knum]")
    }
    threadClass = known("Thread")
    stringClass = known("String")
    classConstants = try fields.offset("InstanceKlass::_constants")
    fieldTable = fields.optional("InstanceKlass::_fields")
    fieldCount = fields.optional("InstanceKlass::_java_fields_count")
    fieldStream = fields.optional("InstanceKlass::_fieldinfo_stream")
    arrayLength = try fields.offset("Array<int>::_length")
    byteArrayData = fields.optional("Array<u1>::_data") ?? 4
    wordArrayData = fields.optional("Array<u2>::_data") ?? 4
    vmSymbols = fields.optionalVariable("Symbol::_vm_symbols[0]", "vmSymbols::_symbols[0]")
  }
}

/// Monitors, and what a thread has to do with them; a version without one has no locks read.
struct LockLayout: Sendable {
  let pendingMonitor: Int?
  let waitingMonitor: Int?
  let owner: Int?
  let object: Int?
  /// Whether the owner is a number of a thread (since JDK 24), and not an address.
  let isOwnerNumber: Bool
  let ownerNumber: Int?
  let lockStack: Int?
  let lockStackTop: Int?
  let lockStackBase: Int?

  init(_ fields: FieldLookup) {
    pendingMonitor = fields.optional("JavaThread::_current_pending_monitor")
    waitingMonitor = fields.optional("JavaThread::_current_waiting_monitor")
    owner = fields.optional("ObjectMonitor::_owner")
    object = fields.optional("ObjectMonitor::_object")
    isOwnerNumber = fields.type(of: "ObjectMonitor::_owner") == "int64_t"
    ownerNumber = fields.optional("JavaThread::_monitor_owner_id", "JavaThread::_lock_id")
    lockStack = fields.optional("JavaThread::_lock_stack")
    lockStackTop = fields.optional("LockStack::_top")
    lockStackBase = fields.optional("LockStack::_base[0]")
  }
}
