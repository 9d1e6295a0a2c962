package import ProfileModel

/// The virtual threads of a process: threads of a runtime's own, which the kernel does not know.
package struct VirtualThreads: Sendable {
  package var list: Goroutines
  /// What those wait for that no thread runs, by their numbers as `RuntimeWait.owner` has them, which are below
  /// 0; found twice, some milliseconds apart.
  package var waits: [Int32: RuntimeWait] = [:]
  /// Those of them that give up after a time.
  package var timed: Set<Int32> = []
  /// The names of some of these.
  package var names: [Int32: String] = [:]

  package init(_ list: Goroutines) { self.list = list }
}
