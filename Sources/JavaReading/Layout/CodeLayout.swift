internal import ProfileModel

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
