import Glibc
import LinuxProcess
import ProfileModel
import TestSupport
import Testing

@testable import BlockingAnalysis

extension Waits {
  /// Calls that no test can make wait on every kernel, as if this process slept in them.
  @Suite struct `System calls by their arguments` {
    private func decode(_ call: Int32, _ arguments: [UInt64]) throws -> CallDecoder {
      let process = try ProcessIdentity(of: getpid())
      let folder = try TaskFolder(process)
      let processes = PeerProcesses()
      var decoder = CallDecoder(
        tid: process.pid,
        place: SleepPlace(number: call, arguments: arguments, stackPointer: .null, pc: .null),
        survey: DescriptorSurvey(folder, liveThread: process.pid, processes: processes),
        numbers: ThreadNumbers(folder, processes: processes), processes: processes)
      decoder.decode()
      return decoder
    }

    @Test func `name both files of a copy, and none of random bytes`() throws {
      var ends: [Int32] = [0, 0]
      #expect(pipe(&ends) == 0)
      defer { for end in ends { close(end) } }
      let files = ends.map { UInt64($0) }
      let copy = try decode(326, [files[0], 0, files[1], 0, 1, 0])
      #expect(copy.wait.systemCall == "copy_file_range" && copy.wait.kind == .otherCall)
      #expect(copy.wait.descriptors.map(\.number) == ends)
      #expect(copy.wait.descriptors.map(\.events) == ["readable", "writable"])
      let random = try decode(318, [4096, 8, 0, 0, 0, 0])
      #expect(random.wait == Wait(kind: .otherCall, systemCall: "getrandom"))
      // vmsplice writes to a pipe's writing end, and reads from the other.
      for (file, kind) in zip(files, [WaitKind.read, .write]) {
        #expect(try decode(278, [file, 0, 0, 0, 0, 0]).wait.kind == kind)
      }
    }

    @Test func `read the word and the time limit of the newer futex calls`() throws {
      let time: UnsafeMutablePointer<timespec> = .allocate(capacity: 1)
      defer { time.deallocate() }
      time.initialize(to: timespec(tv_sec: 1 << 30, tv_nsec: 0))
      let limit = UInt64(UInt(bitPattern: time))
      let clock = UInt64(CLOCK_REALTIME)
      let expected = TimeLimit.absolute(clock: CLOCK_REALTIME, .seconds(1 << 30))
      let timed = try decode(455, [0x1000, 7, 1, 2, limit, clock])
      #expect(timed.wait.kind == .futex && timed.wait.isTimed && timed.limit == expected)
      #expect(timed.wait.object == WaitObject(address: RemoteAddress(0x1000)))
      #expect(try !decode(455, [0x1000, 7, 1, 2, 0, clock]).wait.isTimed)
      let many = try decode(449, [0x1000, 1, 0, limit, clock, 0])
      #expect(many.wait.kind == .futex && many.wait.isTimed && many.limit == expected)
      #expect(try !decode(449, [0x1000, 1, 0, 0, clock, 0]).wait.isTimed)
    }
  }
}
