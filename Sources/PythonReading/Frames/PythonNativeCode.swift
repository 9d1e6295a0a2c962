internal import ProfileModel
internal import RuntimeReading

/// CPython's own native functions, by the names of its sources, 3.7 to 3.15.
struct PythonNativeCode: RuntimeNativeCode {
  let path: String

  var lockFunctions: Set<String> { ["take_gil"] }

  /// `python3` itself, where the interpreter is in a library.
  func isLauncher(_ file: String) -> Bool { file.hasPrefix("python") }

  func role(ofFunction name: String) -> NativeRole {
    // GCC and clang split functions: `.cold`, `.part.0`, `.isra.0`, `.constprop.0`, `.lto_priv.0`.
    // Behind an @ is a version, or `plt` of the stub that leads to the function.
    let end = name.utf8.firstIndex { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "@") }
    let name = end.map { String(name[..<$0]) } ?? name
    if Self.loopNames.contains(name) || name.hasPrefix("_TAIL_CALL_") { return .loop }
    if name == "_start" || name == "main" { return .machinery }
    if Self.visibleNames.contains(name) { return .builtin }
    if Self.machineryNames.contains(name) { return .machinery }
    if Self.machineryPrefixes.contains(where: { name.hasPrefix($0) }) { return .machinery }
    let isCall = name.contains(bytesOf: "vectorcall") || name.contains(bytesOf: "Vectorcall")
    return isCall ? .machinery : .builtin
  }

  private static let loopNames: Set<String> = [
    "_PyEval_EvalFrameDefault", "PyEval_EvalFrameEx", "_PyEval_EvalFrame",
  ]

  /// Within the prefixes below, but of interest: waiting for the lock, and what it is waited for.
  private static let visibleNames: Set<String> = [
    "take_gil", "drop_gil", "_PyEval_Vector_gil", "PyEval_RestoreThread", "PyEval_AcquireThread",
  ]

  private static let machineryNames: Set<String> = [
    "call_function", "fast_function", "function_code_fastcall", "do_call_core", "call_trampoline",
    "run_mod", "run_eval_code_obj", "run_file", "pythread_wrapper", "thread_run", "t_bootstrap",
    "type_call", "call_method", "vgetargskeywords", "vectorcall_method", "vectorcall_maybe",
    "vectorcall_unbound", "call_unbound", "call_unbound_noarg", "method_call", "partial_call",
    "builtin_exec", "builtin_exec_impl", "builtin_eval", "builtin_eval_impl", "object_vacall",
    "gen_send_ex", "gen_send_ex2", "gen_iternext", "gen_send", "coro_wrapper_send", "wrap_call",
    "thread_PyThread_start_new_thread", "tp_new_wrapper", "interpreter_update_config",
    "new_threadstate", "py_main", "import_name", "import_find_and_load", "exec_code_in_module",
    "cfunction_call", "cfunction_call_varargs", "objectcall", "trampoline_call",
    "initialize_locals", "function_call", "instancemethod_call", "classmethoddescr_call",
    "wrapperdescr_call", "wrapper_call", "wrap_init", "call_maybe", "sm_call", "PyGen_am_send",
    "coro_wrapper_iternext", "async_gen_asend_send", "async_gen_asend_iternext", "import_from",
    "call_trace", "call_trace_protected", "call_exc_trace", "trace_call_function",
    "call_profile_func", "make_pending_calls", "handle_signals", "_PyCode_Quicken",
    "_Py_EnterRecursiveCall", "_Py_MakeCoro", "thread_PyThread_start_joinable_thread",
    "do_start_new_thread", "do_start_joinable_thread",
  ]

  private static let machineryPrefixes = [
    "_PyEval", "PyEval_", "_PyObject_Call", "PyObject_Call", "_PyObject_Fast", "_PyObject_Make",
    "_PyFunction_", "PyFunction_", "_PyMethodDef_", "_PyMethodDescr_", "_PyCFunction_",
    "PyCFunction_", "cfunction_vectorcall", "method_vectorcall", "slot_tp_", "slot_nb_", "slot_sq_",
    "slot_mp_", "slot_am_", "_PyRun_", "PyRun_", "pymain_", "Py_RunMain", "Py_Main",
    "Py_BytesMain", "_Py_UnixMain", "_PyThreadState_", "PyGILState_", "_PyGen_", "gen_send_",
    "_PyStack_", "_PyArg_", "PyArg_", "_PyVectorcall", "PyVectorcall", "_PyObject_Vector",
    "PyObject_Vector", "_PyObject_GenericTry", "PyImport_", "_PyImport_", "_PyErr_", "lookup_maybe",
    "_PyPegen_", "_Py_HandlePending", "_PyFrame_", "_Py_tracer", "sys_trace_", "call_tracefunc",
    // Calls with arguments on the loop's own stack (3.15), specialisation, events, compiled traces.
    "_PyCallMethodDescriptor", "_Py_BuiltinCall", "_Py_CallBuiltin", "_Py_VectorCall",
    "_PyObject_MaybeCall", "_Py_CheckFunctionResult", "_Py_CheckSlotResult", "_Py_CheckRecursive",
    "_PyInterpreterFrame_", "_Py_Specialize_", "_Py_slot_tp_", "_Py_call_instrumentation",
    "call_instrumentation_", "_PyMonitoring_Fire", "sys_profile_", "_Py_Instrument", "_PyJIT_",
    "_PyJit_", "_PyOptimizer_",
  ]
}
