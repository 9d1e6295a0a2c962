import Foundation
import LinuxProcess
import ProfileModel
import TestSupport
import Testing

@testable import BlockingAnalysis

@Suite struct `A wait for a lock on a file` {
  /// flock and fcntl by their numbers on x86-64, with F_SETLKW and F_SETLK.
  @Test(arguments: [(Int32(73), UInt64(2), "FLOCK"), (72, 7, "POSIX")])
  func `names who holds it by the kernel's table`(
    call: Int32, argument: UInt64, kind: String
  ) throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/lock"
    _ = FileManager.default.createFile(atPath: path, contents: nil)
    let file = try #require(FileHandle(forReadingAtPath: path))
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    let inode = try #require(attributes[.systemFileNumber] as? UInt64)
    var arguments = InlineArray<6, UInt64>(repeating: 0)
    arguments[0] = UInt64(file.fileDescriptor)
    arguments[1] = argument
    let wait = try #require(FileLockWait(call, arguments, thread: getpid()))
    let holder = getppid()
    let table = FileLock.table(
      parsing: """
        1: \(kind) ADVISORY WRITE \(holder) 08:01:\(inode) 0 EOF
        1: -> \(kind) ADVISORY WRITE 4242 08:01:\(inode) 0 EOF
        2: \(kind) ADVISORY WRITE 1 08:01:\(inode + 1) 0 EOF
        """)
    let found = wait.wait(4242, table)
    #expect(found.kind == .fileLock)
    #expect(found.descriptors.map(\.number) == [file.fileDescriptor])
    guard case .process(holder, nil, _)? = found.owners.first, found.owners.count == 1 else {
      Issue.record("\(found.owners)")
      return
    }
    #expect(wait.wait(4243, table).owners.isEmpty)
    arguments[1] = 6
    #expect(call == 73 || FileLockWait(call, arguments, thread: getpid()) == nil)
    try file.close()
  }
}
