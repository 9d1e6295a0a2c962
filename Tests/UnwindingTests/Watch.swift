internal import LinuxProcess
internal import NativeUnwinding
internal import ProfileModel
internal import TestSupport
internal import Testing

/// One row of the matrix: a program, and how it is built.
struct Build: CustomTestStringConvertible, Sendable {
  let name: String
  let source: String
  var compiler = ["gcc", "-O2"]
  var libraries: [String: String] = [:]
  var strip = false
  /// The least number of frames of any snapshot.
  var depth = 4

  var testDescription: String { name }

  static let all: [Build] = [
    Build(name: "gcc -O2", source: Source.calls),
    Build(name: "gcc -O0", source: Source.calls, compiler: ["gcc", "-O0"]),
    Build(name: "clang", source: Source.calls, compiler: [Tool.clang, "-O2"]),
    Build(
      name: "clang and lld", source: Source.calls, compiler: [Tool.clang, "-O2", "-fuse-ld=lld"]),
    Build(name: "stripped", source: Source.calls, strip: true),
    Build(name: "static-pie", source: Source.calls, compiler: ["gcc", "-O2", "-static-pie"]),
    Build(name: "static", source: Source.calls, compiler: ["gcc", "-O2", "-static", "-no-pie"]),
    Build(
      name: "no eh_frame_hdr", source: Source.calls,
      compiler: ["gcc", "-O2", "-Wl,--no-eh-frame-hdr"]),
    Build(name: "signal by raise", source: Source.raisedSignal, depth: 6),
    Build(name: "signal by timer", source: Source.timerSignal, depth: 4),
    Build(name: "call of a null pointer", source: Source.nullCall, depth: 6),
    Build(name: "qsort callback", source: Source.callback),
    Build(name: "vdso", source: Source.clock),
    Build(
      name: "PLT, lazy", source: Source.linkage,
      compiler: ["gcc", "-O2", "-fplt", "-Wl,-z,lazy"], libraries: ["one": Source.sharedLibrary]),
    Build(
      name: "PLT, no-plt", source: Source.linkage, compiler: ["gcc", "-O2", "-fno-plt"],
      libraries: ["one": Source.sharedLibrary]),
    Build(
      name: "C++ with exceptions", source: Source.exceptions,
      compiler: ["g++", "-x", "c++", "-O2"], depth: 4),
    Build(name: "gold", source: Source.calls, compiler: ["gcc", "-O2", "-fuse-ld=gold"]),
    Build(
      name: "clang and lld, no PIE, signal", source: Source.timerSignal,
      compiler: [Tool.clang, "-O2", "-fuse-ld=lld", "-no-pie"]),
    Build(
      name: "static, signal", source: Source.timerSignal,
      compiler: ["gcc", "-O2", "-static", "-no-pie"]),
    Build(
      name: "debug_frame only", source: Source.callback,
      compiler: [
        "gcc", "-O2", "-g", "-fno-asynchronous-unwind-tables", "-fno-unwind-tables",
      ]),
    Build(name: "JIT with frame pointers", source: Source.generatedCode, depth: 5),
  ]
}

/// What a stack looks like to a test.
struct SeenStack {
  let frames: [CodeAddress?]
  let result: UnwoundStack

  init(_ result: UnwoundStack, in stacks: StackTable) {
    self.result = result
    frames = stacks.frames(of: result.stack).map {
      if case .code(let place) = stacks[$0] { place } else { nil }
    }
  }

  func reaches(_ function: Range<UInt64>, of module: ModuleID?) -> Bool {
    frames.contains {
      $0.map { $0.module == module && function.contains($0.address.rawValue) } ?? false
    }
  }
}

/// Everything that unwinds one process.
final class Watch {
  let modules: ModuleMap
  let unwinder: NativeUnwinder
  var stacks = StackTable()

  init(_ child: Child) throws {
    modules = ModuleMap(memory: ProcessMemory(tid: child.pid))
    _ = try modules.refresh()
    unwinder = NativeUnwinder(modules: modules)
  }

  func unwind(_ snapshot: StackSnapshot) -> SeenStack {
    SeenStack(unwinder.unwind(snapshot, thread: 0, into: &stacks), in: stacks)
  }

  func module(of program: Program) -> ModuleID? {
    modules.modules.firstIndex { $0.path == program.path }.map { ModuleID(Int32($0)) }
  }
}

/// The same numbers at each run (Knuth's linear congruence).
struct Generator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ state >> 33
  }
}
