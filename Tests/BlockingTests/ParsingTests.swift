import BlockingAnalysis
import LinuxProcess
import ProfileModel
import Testing

@Suite struct `Texts of the kernel` {
  @Test func `about epoll name the descriptors that it watches`() {
    let info = DescriptorInfo(
      parsing: """
        pos:\t0
        flags:\t02000002
        mnt_id:\t15
        tfd:        5 events:       19 data:                5  pos:0 ino:9a1b sdev:9
        tfd:       77 events: 8000001d data: 7f0000000000 pos:0 ino:3 sdev:d
        tfd: x events: y

        """)
    #expect(info.flags == 0o2000002)
    #expect(info.watched.map(\.descriptor) == [5, 77])
    #expect(info.watched.map(\.events) == [0x19, 0x8000_001d])
    #expect(info.watched.map(\.inode) == [0x9a1b, 3])
  }

  @Test func `about timers, processes and watches are read`() {
    let timer = DescriptorInfo(
      parsing: "clockid: 1\nticks: 0\nit_value: (3, 5)\nit_interval: (9, 9)")
    #expect(timer.timer == 3_000_000_005)
    #expect(DescriptorInfo(parsing: "it_value: (99999999999999, 5)").timer?.rawValue == .max)
    #expect(DescriptorInfo(parsing: "Pid:\t-1\nNSpid:\t0").process == -1)
    #expect(DescriptorInfo(parsing: "inotify wd:1 ino:2\ninotify wd:2 ino:3").watches == 2)
    #expect(DescriptorInfo(parsing: "") == DescriptorInfo(parsing: "nonsense\n:\n"))
  }

  @Test func `of links tell pipes, sockets and nameless objects`() {
    #expect(DescriptorTarget(parsing: "pipe:[12]") == .pipe(inode: 12))
    #expect(DescriptorTarget(parsing: "socket:[12]") == .socket(inode: 12))
    #expect(DescriptorTarget(parsing: "anon_inode:[eventpoll]") == .anonymous("eventpoll"))
    #expect(DescriptorTarget(parsing: "anon_inode:inotify") == .anonymous("inotify"))
    #expect(DescriptorTarget(parsing: "pidfd:[7]") == .anonymous("pidfd"))
    #expect(DescriptorTarget(parsing: "/tmp/pipe:[1]") == .path("/tmp/pipe:[1]"))
    #expect(DescriptorTarget(parsing: "pipe:[x]") == .path("pipe:[x]"))
  }

  @Test func `about TCP sockets give addresses as people write them`() {
    let table = InternetSocket.table(
      parsing: """
          sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid
           0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 87 1
           1: 0100007F:C350 0100007F:1538 01 00000000:00000000 00:00000000 00000000     0        0 99 1
           2: 0000000000000000FFFF00000100007F:0050 00000000000000000000000001000000:0051 02 0:0 0:0 0 0 0 5
           3: zz
        """)
    #expect(table.map(\.local) == ["127.0.0.1:5432", "127.0.0.1:50000", "127.0.0.1:80"])
    #expect(table.map(\.remote) == ["0.0.0.0:0", "127.0.0.1:5432", "[::1]:81"])
    #expect(table.map(\.stateName) == ["listening", "connected", "connecting"])
    #expect(table.map(\.inode) == [87, 99, 5])
    #expect(table.map(\.hasRemote) == [false, true, true])
  }

  @Test func `about unix sockets give their names`() {
    let table = UnixSocket.table(
      parsing: """
        Num       RefCount Protocol Flags    Type St Inode Path
        ffff8: 00000002 00000000 00010000 0001 01 310 /run/a b
        ffff8: 00000003 00000000 00000000 0001 03 311
        ffff8: 3 0 0
        """)
    #expect(table.map(\.inode) == [310, 311])
    #expect(table.map(\.path) == ["/run/a b", nil])
    #expect(table.map(\.stateName) == ["listening", "connected"])
  }

  @Test func `of sock_diag that are cut off or lie give no peer`() {
    // A netlink header, a unix_diag_msg, an attribute of type 2 with the peer.
    var answer = [UInt8](repeating: 0, count: 40)
    answer[0] = 40
    answer[4] = 20
    answer[32] = 8
    answer[34] = 2
    answer[36] = 0x39
    answer[37] = 0x05
    #expect(UnixSocketPeers.peer(parsing: answer) == 0x539)
    for count in 0..<40 {
      #expect(UnixSocketPeers.peer(parsing: Array(answer.prefix(count))) == nil)
    }
    answer[32] = 0
    #expect(UnixSocketPeers.peer(parsing: answer) == nil)
    answer[32] = 255
    answer[33] = 255
    answer[34] = 1
    #expect(UnixSocketPeers.peer(parsing: answer) == nil)
    answer[4] = 2
    #expect(UnixSocketPeers.peer(parsing: answer) == nil)
  }

  @Test func `about file locks tell who holds and who waits`() {
    let table = FileLock.table(
      parsing: """
        1: POSIX  ADVISORY  WRITE 100 fe:00:16 0 EOF
        1: -> POSIX  ADVISORY  WRITE 200 fe:00:16 0 EOF
        2: FLOCK  ADVISORY  WRITE 300 fe:00:16 0 EOF
        2: -> FLOCK  ADVISORY  WRITE 200 fe:00:16 0 EOF
        3: OFDLCK ADVISORY  READ -1 fe:00:17 0 9
        4: LEASE  ACTIVE    READ 5 fe:00:18 0 EOF
        5: POSIX
        """)
    #expect(table.count == 5)
    let posix = FileLock.blocking(200, on: 16, as: .posix, in: table)
    #expect(posix.map(\.process) == [100])
    #expect(FileLock.blocking(200, on: 16, as: .flock, in: table).map(\.process) == [300])
    #expect(FileLock.blocking(200, on: 17, as: .flock, in: table).isEmpty)
    #expect(FileLock.blocking(100, on: 16, as: .posix, in: table).isEmpty)
    #expect(FileLock.blocking(100, on: 16, as: .openFile, in: table).isEmpty)
    let open = FileLock.table(
      parsing: """
        1: POSIX ADVISORY WRITE 100 fe:00:16 0 9
        1: -> OFDLCK ADVISORY WRITE -1 fe:00:16 0 9
        2: OFDLCK ADVISORY WRITE -1 fe:00:17 0 9
        2: -> OFDLCK ADVISORY WRITE -1 fe:00:17 0 9
        3: POSIX ADVISORY WRITE 300 fe:00:17 20 29
        3: -> OFDLCK ADVISORY WRITE -1 fe:00:17 20 29
        """)
    #expect(FileLock.blocking(7, on: 16, as: .openFile, in: open).map(\.process) == [100])
    // Nobody can tell which of the two a process waits for.
    #expect(FileLock.blocking(7, on: 17, as: .openFile, in: open).isEmpty)
  }

  @Test func `of a thread tell its name, its state and its CPU`() {
    func stat(_ text: String) -> ThreadStat? {
      Array(text.utf8).withUnsafeBytes { ThreadStat(parsing: $0) }
    }
    let fields = "S " + (4...52).map { "\($0)" }.joined(separator: " ")
    let plain = stat("7 (a) b) \(fields)")
    #expect(plain?.name == "a) b" && plain?.state == .sleeping && plain?.processor == 39)
    #expect(plain?.flags == 9)
    func isWorker(_ flags: Int, isMain: Bool) -> Bool? {
      stat("7 (a) S 4 5 6 7 8 \(flags)" + String(repeating: " 1", count: 40))?
        .isKernelWorker(isMain: isMain)
    }
    // What 6.18 shows of a worker of io_uring, of an ordinary thread, and of vhost's worker.
    #expect(isWorker(4_210_768, isMain: false) == true)
    #expect(isWorker(4_194_560, isMain: false) == false)
    #expect(isWorker(4_210_752, isMain: false) == true)
    // In kernels before 6.4 that flag is of a process which loads a module.
    #expect(isWorker(4_210_752, isMain: true) == false)
    #expect(stat("7 (a\\nb) \(fields)")?.name == nil)
    let short = stat("7 (a) D 1")
    #expect(short?.name == "a" && short?.processor == nil && short?.state == .uninterruptible)
    for text in ["", ")", "7 (a", "7 (a)", ") S ("] { #expect(stat(text) == nil, "\(text)") }
  }

  private static let mounts = """
    31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
    37 31 0:34 / /cg/freezer rw,relatime shared:9 - cgroup cgroup rw,freezer
    38 31 0:35 / /cg/blkio rw,relatime - cgroup cgroup rw,blkio
    41 31 0:38 / /cg/unified rw,relatime - cgroup2 cgroup2 rw
    """

  /// What is found in control groups whose files have these texts, by their paths.
  private func frozen(
    _ membership: String, mounts: String = Self.mounts, _ files: [String: String]
  ) -> FrozenCgroup? {
    let mounts = mounts.split(separator: "\n").compactMap { CgroupMount(parsing: $0) }
    return FrozenCgroup(membership: membership, mounts: mounts) { files[$0] }
  }

  @Test func `of control groups tell which one is frozen, and what thaws it`() {
    let membership = "7:blkio:/\n6:freezer:/a/b\n0::/x/y\n"
    #expect(frozen(membership, [:]) == nil)
    #expect(frozen(membership, ["/cg/freezer/a/b/freezer.state": "THAWED\n"]) == nil)
    let old = frozen(
      membership,
      [
        "/cg/freezer/a/b/freezer.state": "FROZEN\n", "/cg/freezer/a/b/freezer.self_freezing": "0\n",
        "/cg/freezer/a/freezer.self_freezing": "1\n",
      ])
    #expect(old?.control == "/cg/freezer/a/freezer.state" && old?.isSettled == true)
    let settled = frozen(
      membership,
      [
        "/cg/unified/x/y/cgroup.events": "populated 1\nfrozen 1\n",
        "/cg/unified/x/y/cgroup.freeze": "0\n", "/cg/unified/x/cgroup.freeze": "1\n",
      ])
    #expect(settled?.control == "/cg/unified/x/cgroup.freeze" && settled?.isSettled == true)
    let unsettled = frozen(
      membership,
      [
        "/cg/unified/x/y/cgroup.events": "populated 1\nfrozen 0\n",
        "/cg/unified/x/y/cgroup.freeze": "1\n",
      ])
    #expect(unsettled?.isSettled == false)
  }

  @Test func `of control groups outside a container leave open what thaws them`() {
    let mounts = "41 31 0:38 /docker/7 /cg rw,relatime - cgroup2 cgroup2 rw"
    let files = ["/cg/cgroup.events": "frozen 1\n", "/cg/cgroup.freeze": "0\n"]
    let inside = frozen("0::/docker/7", mounts: mounts, files)
    #expect(inside?.isSettled == true && inside?.control == nil)
    for foreign in ["0::/docker/8", "0::/docker/77", "0::/docker/7/../8", "0::/", "0:", ""] {
      #expect(frozen(foreign, mounts: mounts, files) == nil, "\(foreign)")
    }
  }

  @Test func `of the kernel's functions tell page faults from other waits`() {
    let fault = KernelFunctions.names(
      parsing: """
        [<0>] handle_userfault+0x3b8/0x7e0
        [<0>] __handle_mm_fault+0xb3d/0x1140
        [<0>] handle_mm_fault.isra.0+0xda/0x310
        [<0>] exc_page_fault+0x6a/0x140

        """)
    #expect(fault.count == 4 && fault.first == "handle_userfault")
    #expect(KernelFunctions.isPageFault(fault, at: fault.first) == true)
    let freezer = ["get_signal", "arch_do_signal_or_restart", "asm_sysvec_reschedule_ipi"]
    #expect(KernelFunctions.isPageFault(freezer, at: "get_signal") == false)
    // Without the right to read the stack the innermost function may do.
    #expect(KernelFunctions.isPageFault(nil, at: "folio_wait_bit_common") == true)
    #expect(KernelFunctions.isPageFault(nil, at: "get_signal") == nil)
    #expect(KernelFunctions.isPageFault([], at: nil) == nil)
    let work = ["fifo_open", "do_dentry_open", "io_openat2", "io_issue_sqe", "io_wq_worker"]
    #expect(KernelFunctions.operation(work) == .open)
    #expect(KernelFunctions.operation(["io_wq_worker"]) == nil)
    #expect(KernelFunctions.names(parsing: "\n+\n[<0>] \n").allSatisfy { !$0.isEmpty })
  }

  @Test func `of the scheduler tell when a thread ran`() {
    let text = """
      thread (1, #threads: 2)
      -----------------------
      se.exec_start                                :       12345.678901
      se.vruntime                                  :           1.000000
      """
    func start(_ text: String) -> Nanoseconds? {
      Array(text.utf8).withUnsafeBytes { SleepClock.start(parsing: $0) }
    }
    #expect(start(text) == 12_345_678_901)
    #expect(start("se.exec_start : 1.5\n") == nil)
    #expect(start("se.exec_start : 99999999999999.000000\n") == nil)
    #expect(start("se.exec_start\nse.exec_start :\n.\n") == nil)
    #expect(start("") == nil)
  }

  @Test func `of lists of CPUs are read`() {
    #expect(IsolatedProcessors.numbers(parsing: "2-4,8\n") == [2, 3, 4, 8])
    #expect(IsolatedProcessors.numbers(parsing: "\n") == [])
    #expect(IsolatedProcessors.numbers(parsing: "-1,5-2,a,1-,0-99999999999,7") == [1, 7])
  }

  @Test func `of sockets' addresses are read from their structures`() {
    #expect(
      SocketAddress.text(ofStructure: [2, 0, 0x15, 0x38, 127, 0, 0, 1, 0, 0]) == "127.0.0.1:5432")
    #expect(SocketAddress.text(ofStructure: [1, 0] + Array("/run/x\0zz".utf8)) == "/run/x")
    #expect(SocketAddress.text(ofStructure: [1, 0, 0] + Array("abc".utf8)) == "@abc")
    #expect(SocketAddress.text(ofStructure: [2, 0, 1]) == nil)
    #expect(SocketAddress.text(ofStructure: []) == nil)
  }
}
