internal import LinuxProcess

/// A process's threads by the numbers that they know themselves by.
///
/// A thread in a PID namespace below ours, as in a container, has another number there (`gettid`), and
/// that is the one which its runtime keeps.
package final class NamespaceThreads {
  /// Stays that of the process, whoever gets its number; nil when it was gone already.
  private let folder: TaskFolder?
  private let process: Int32
  /// The process's threads when they were last listed, and by their numbers in its innermost PID namespace.
  private var tids: Set<Int32> = []
  private var byOwnNumber: [Int32: Int32] = [:]
  /// Whether the process lives in a PID namespace below ours; nil before that was looked up.
  private var isNested: Bool?
  /// Numbers in the namespace of threads that were met.
  private var ownNumbers: [Int32: Int32] = [:]

  package init(process: Int32) {
    self.process = process
    folder = try? TaskFolder(process: process)
  }

  /// Lists the process's threads; call it once before a round of questions.
  ///
  /// A system call or two, and in a namespace three for each new thread.
  package func begin() {
    tids = Set(folder?.threads() ?? [])
    findNamespace()
    guard isNested == true else { return }
    note(tids.reduce(into: [:]) { $0[$1] = ownNumbers[$1] ?? namespaceChain(of: $1)?.last })
  }

  /// The same where numbers have to be translated; else nothing is listed.
  package func beginIfNested() {
    findNamespace()
    if isNested == true { begin() }
  }

  /// Notes which numbers threads have where they live, by ours: of a process in a namespace below ours.
  func note(_ numbers: [Int32: Int32]) {
    isNested = true
    ownNumbers = numbers
    byOwnNumber = Dictionary(
      numbers.map { ($0.value, $0.key) }, uniquingKeysWith: { first, _ in first })
  }

  private func findNamespace() {
    if isNested == nil { isNested = (namespaceChain(of: process)?.count ?? 1) > 1 }
  }

  /// Whether the process had a thread of that number of ours when they were last listed.
  package func isAlive(_ tid: Int32) -> Bool { tids.contains(tid) }

  /// The numbers of a thread from our namespace to its innermost one (`NSpid` in proc_pid_status(5)).
  private func namespaceChain(of tid: Int32) -> [Int32]? {
    let numbers = folder?.status(of: tid)?.namespaceNumbers ?? []
    return numbers.isEmpty ? nil : numbers
  }

  /// Our number for the one that a thread knows itself by; nil for one that was not met in a namespace.
  package func translated(_ number: Int32) -> Int32? {
    isNested == true ? byOwnNumber[number] : number
  }

  /// The same for threads alone that the process had when they were last listed.
  package func ours(_ number: Int32) -> Int32? {
    translated(number).flatMap { tids.contains($0) ? $0 : nil }
  }
}
