internal import ProfileModel

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
  /// Where the offset is kept of the class within the object that stands for it.
  let classOfMirror: RemoteAddress?
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
    classOfMirror = fields.optionalVariable("java_lang_Class::_klass_offset")
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
  /// The thread that initialises a class, and how far that is.
  let initializingThread: Int?
  let classState: Int?
  let beingInitialized: Int64
  /// sizeof(JavaThread).
  let threadSize: Int?

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
    initializingThread = fields.optional("InstanceKlass::_init_thread")
    classState = fields.optional("InstanceKlass::_init_state")
    beingInitialized = fields.tables.constants["InstanceKlass::being_initialized"] ?? 3
    threadSize = fields.tables.sizes["JavaThread"]
  }
}
