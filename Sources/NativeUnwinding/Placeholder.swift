package import LinuxProcess
package import ProfileModel
package final class ModuleMap {
  package init(memory: ProcessMemory) {}
  package func refresh() throws(SystemError) -> Bool { false }
  package private(set) var modules: [Module] = []
  package func file(of module: ModuleID) -> MappedFile? { nil }
}
package final class NativeUnwinder {
  package init(modules: ModuleMap) {}
  package func unwind(_ snapshot: StackSnapshot, thread: Int, into stacks: inout StackTable) -> UnwoundStack { .none }
  package func forget(thread: Int) {}
  package func invalidate() {}
}
package struct UnwoundStack { package let stack: StackID; package let end: StackEnd; package let outermost: RemoteAddress; package let needsRegisters: Bool; package let depth: Int
  package static let none = UnwoundStack(stack: .empty, end: .truncated(.noStack), outermost: RemoteAddress(0), needsRegisters: false, depth: 0)
}
