internal import ProfileModel
internal import RuntimeReading

/// HotSpot's own native functions, and the memory that its compilers put code into.
struct JavaNativeCode: RuntimeNativeCode {
  let path: String
  let codeRanges: [Range<RemoteAddress>]

  var lockFunctions: Set<String> { [] }

  /// `java`, and the library that starts its main thread.
  func isLauncher(_ file: String) -> Bool { file == "java" || file.hasPrefix("libjli.so") }

  /// What a program's own code calls is shown; how the VM calls Java, and how it starts threads, is not.
  func role(ofFunction name: String) -> NativeRole {
    Self.machinery.contains { name.hasPrefix($0) } ? .machinery : .builtin
  }

  /// Of JDK 8 to 23 some threads of those that wait for a monitor look again after up to a second
  /// (src/hotspot/share/runtime/objectMonitor.cpp, `_Responsible`).
  func renewsWaits(inFunction name: String) -> Bool {
    Self.monitorEntries.contains { name.hasPrefix($0) }
  }

  private static let monitorEntries = [
    "ObjectMonitor::enter", "ObjectMonitor::EnterI", "ObjectMonitor::ReenterI",
    "ObjectMonitor::reenter",
  ]

  private static let machinery = [
    "JavaCalls::", "JavaThread::run", "JavaThread::thread_main_inner", "Thread::call_run",
    "thread_native_entry", "thread_entry", "jni_Call", "jni_invoke", "os::java_start",
    "os::os_exception_wrapper", "attach_current_thread", "JNI_CreateJavaVM",
  ]
}
