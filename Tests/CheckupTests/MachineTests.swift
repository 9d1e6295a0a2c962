import Checkup
import LinuxProcess
import ProfileModel
import Sampling
import Testing

@Suite struct `Checkup of a machine` {
  private func facts(_ change: (inout MachineFacts) -> Void = { _ in }) -> MachineFacts {
    var facts = MachineFacts()
    facts.kernel = "6.8.0-31-generic"
    facts.userID = 1000
    facts.root = .sudo
    facts.yamaScope = 0
    facts.openFiles = 1 << 20
    facts.perfMaps = 0
    facts.debugFiles = 12
    facts.system = OperatingSystem(parsing: "ID=debian\nPRETTY_NAME=\"Debian 12\"\n")
    facts.libraries = ["libdw-0.188.so"]
    change(&facts)
    return facts
  }

  private func finding(_ topic: String, _ change: (inout MachineFacts) -> Void) -> Finding? {
    MachineCheckup.findings(facts(change)).first { $0.topic == topic }
  }

  @Test func `of a user without restrictions is all well`() {
    let findings = MachineCheckup.findings(facts())
    #expect(findings.areAllWell)
    #expect(findings.allSatisfy { $0.grade == .ok })
    #expect(findings.lines(width: 100).last == "All is well.")
  }

  @Test(arguments: [
    (1, "sudo sprof attach PID"), (2, "sudo sprof attach PID"),
    (3, "grep -rs ptrace_scope /etc/sysctl.conf /etc/sysctl.d /run/sysctl.d /usr/lib/sysctl.d"),
  ])
  func `names what helps against Yama`(scope: Int, command: String) throws {
    let found = try #require(finding("access") { $0.yamaScope = scope })
    #expect(found.grade == .problem)
    #expect(found.text.contains("kernel.yama.ptrace_scope is \(scope)"))
    #expect(found.fix == command)
  }

  @Test func `lets nobody be stopped by Yama who has the capabilities`() throws {
    let all: UInt64 = 1 << 19 | 1 << 2
    for scope in [0, 1, 2] {
      let found = try #require(
        finding("access") {
          $0.yamaScope = scope
          $0.capabilities = all
        })
      #expect(found.grade == .ok)
    }
    let strictest = finding("access") {
      $0.yamaScope = 3
      $0.capabilities = all
    }
    #expect(strictest?.grade == .problem)
  }

  @Test func `tells root without the capability to start the container with it`() {
    let found = finding("access") {
      $0.userID = 0
      $0.container = "Docker"
    }
    #expect(found?.grade == .problem)
    #expect(found?.fix == "docker run --cap-add SYS_PTRACE …")
  }

  @Test func `names sudo only where it is installed and the user is not root`() {
    for (root, lead) in [(RootAccess.su, "su -c 'sprof"), (.doas, "doas sprof")] {
      let found = finding("access") {
        $0.yamaScope = 1
        $0.root = root
      }
      #expect(found?.fix?.hasPrefix(lead) == true)
      #expect(found?.text.contains("sudo") == false)
    }
    let hidden = finding("proc") {
      $0.userID = 0
      $0.root = .isRoot
      $0.hidesProcesses = true
    }
    #expect(hidden?.grade == .hint)
    #expect(hidden?.fix == nil)
  }

  @Test func `names the second capability that is missing`() {
    let found = finding("access") { $0.capabilities = 1 << 19 }
    #expect(found?.grade == .hint)
    #expect(found?.fix?.contains("cap_dac_read_search") == true)
  }

  @Test func `finds a seccomp filter that forbids ptrace before all rights`() {
    let found = finding("access") {
      $0.isPtraceAllowed = false
      $0.capabilities = .max
    }
    #expect(found?.text.contains("seccomp") == true)
  }

  @Test func `says what a kernel does not tell`() {
    let findings = MachineCheckup.findings(
      facts {
        $0.hasSchedstat = false
        $0.showsSystemCalls = false
        $0.listsChildren = false
        $0.hasSysctl = false
        $0.yamaScope = nil
      })
    #expect(findings.first { $0.topic == "schedstat" }?.grade == .problem)
    #expect(findings.first { $0.topic == "syscall" }?.grade == .problem)
    #expect(findings.first { $0.topic == "children" }?.grade == .hint)
    #expect(findings.first { $0.topic == "yama" }?.grade == .hint)
    #expect(!findings.areAllWell)
  }

  @Test(arguments: [("3.10.0-1160.el7", Finding.Grade.problem), ("3.11.0", .ok), ("?", .ok)])
  func `knows the oldest kernel`(release: String, grade: Finding.Grade) {
    #expect(finding("kernel") { $0.kernel = release }?.grade == grade)
  }

  @Test func `keeps its lines within the width`() {
    let findings = MachineCheckup.findings(
      facts {
        $0.yamaScope = 1
        $0.hasSchedstat = false
        $0.debugFiles = nil
      })
    for line in findings.lines(width: 72) where !line.contains("→") { #expect(line.count <= 72) }
  }
}

@Suite struct `Operating system` {
  @Test(arguments: [
    ("ID=debian", "apt install libfoo1-dbgsym"),
    ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"", "apt install libfoo1-dbgsym"),
    (
      "ID=fedora",
      "dnf --enablerepo='*debug*' install /usr/lib/debug/.build-id/ab/cdef01.debug"
    ),
    (
      "ID=\"opensuse-tumbleweed\"",
      "zypper --plus-content debug install -C 'debuginfo(build-id)=abcdef01'"
    ),
    (
      "ID=arch",
      "DEBUGINFOD_URLS=https://debuginfod.archlinux.org sprof symbols CAPTURE -o NAMED --debuginfod"
    ),
    ("ID=alpine", "apk add libfoo1-dbg"),
  ])
  func `names the command that installs a debug file`(release: String, command: String) throws {
    let system = OperatingSystem(parsing: release, root: .isRoot)
    let named = try #require(system.installDebugFile(buildID: "abcdef01", owner: "libfoo1:amd64"))
    #expect(named == command)
  }

  /// A program whose file has no names, and belongs to a package.
  private func checkup(of path: String) throws -> ProcessCheckup {
    var profile = Profile(
      capture: CaptureInfo(kind: .dump, pid: 4242, processName: "app", rate: 0))
    profile.threads = []
    var module = ModuleFacts(path: path, buildID: "abcdef01", problem: nil)
    module.frames = 3
    module.contents = ModuleFacts.Contents()
    return ProcessCheckup(profile: profile, modules: [module])
  }

  private static let debian = "ID=debian\nVERSION_CODENAME=bookworm\n"

  @Test(arguments: [
    "deb http://mirror.example/debian/ bookworm main",
    "Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm\n",
  ])
  func `says which line apt needs first, where it does not know the archive of a debug package`(
    sources: String
  ) throws {
    let system = OperatingSystem(parsing: Self.debian, sources: sources)
    let findings = try checkup(of: "/usr/bin/ls").findings(
      system, owners: ["/usr/bin/ls": "coreutils"])
    let archive = try #require(findings.firstIndex { $0.topic == "archive" })
    let names = try #require(findings.firstIndex { $0.topic == "names" })
    #expect(archive < names)
    #expect(findings[archive].text.contains("Debian's debug archive (debian-debug)"))
    #expect(findings[archive].text.contains("DEBUGINFOD_URLS"))
    let line = "echo 'deb http://mirror.example/debian-debug bookworm-debug main' | "
    #expect(findings[archive].fix?.hasPrefix(line) == true, "\(findings[archive])")
    #expect(findings[archive].fix?.hasSuffix("apt update") == true)
    #expect(
      findings[names].fix?.hasSuffix(
        "apt install coreutils-dbgsym  # after the archive above is added") == true)
  }

  @Test func `names the archive alone where no line for it is known`() throws {
    for release in [Self.debian, "ID=ubuntu\nVERSION_CODENAME=noble\n"] {
      for sources in ["", "deb cdrom:[x]/debian bookworm main", "deb http://a'b/debian x main"] {
        let system = OperatingSystem(parsing: release, sources: sources)
        let findings = try checkup(of: "/usr/bin/ls").findings(
          system, owners: ["/usr/bin/ls": "coreutils"])
        let archive = findings.first { $0.topic == "archive" }
        #expect(archive != nil && archive?.fix == nil)
      }
    }
  }

  @Test func `needs no archive that apt knows, or in which the package is not`() throws {
    let with = OperatingSystem(
      parsing: Self.debian, sources: "deb http://x/debian-debug bookworm-debug main")
    let without = OperatingSystem(parsing: Self.debian)
    for (system, owner) in [(with, "coreutils"), (without, "libc6:amd64")] {
      let findings = try checkup(of: "/usr/bin/ls").findings(system, owners: ["/usr/bin/ls": owner])
      #expect(!findings.contains { $0.topic == "archive" })
      let fix = findings.first { $0.topic == "names" }?.fix
      #expect(fix?.contains("apt install") == true && fix?.contains("#") == false)
    }
  }

  @Test func `has an easier way than an archive where a debuginfod server is known`() throws {
    let findings = try checkup(of: "/usr/bin/ls").findings(
      OperatingSystem(parsing: Self.debian), owners: ["/usr/bin/ls": "coreutils"],
      hasServers: true)
    #expect(!findings.contains { $0.topic == "archive" })
    #expect(
      findings.first { $0.topic == "names" }?.fix == "sprof symbols CAPTURE -o NAMED --debuginfod")
  }

  /// The lines of the file that matter, as distributions ship them.
  private static let releases: [(release: String, packager: OperatingSystem.Packager)] = [
    ("PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n", .apt),
    ("PRETTY_NAME=\"Ubuntu 24.04.1 LTS\"\nID=ubuntu\nID_LIKE=debian\n", .apt),
    ("NAME=\"Linux Mint\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", .apt),
    ("ID=raspbian\nID_LIKE=debian\n", .apt), ("ID=kali\nID_LIKE=debian\n", .apt),
    ("ID=pop\nID_LIKE=\"ubuntu debian\"\n", .apt),
    ("NAME=\"Fedora Linux\"\nVERSION=\"41 (Server Edition)\"\nID=fedora\n", .dnf),
    ("NAME=\"Red Hat Enterprise Linux\"\nID=\"rhel\"\nID_LIKE=\"fedora\"\n", .dnf),
    ("NAME=\"CentOS Stream\"\nID=\"centos\"\nID_LIKE=\"rhel fedora\"\n", .dnf),
    ("NAME=\"Rocky Linux\"\nID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", .dnf),
    ("NAME=\"AlmaLinux\"\nID=\"almalinux\"\nID_LIKE=\"rhel centos fedora\"\n", .dnf),
    ("NAME=\"Oracle Linux Server\"\nID=\"ol\"\nID_LIKE=\"fedora\"\n", .dnf),
    ("NAME=\"Amazon Linux\"\nVERSION=\"2023\"\nID=\"amzn\"\nID_LIKE=\"fedora\"\n", .dnf),
    ("NAME=\"openSUSE Leap\"\nID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n", .zypper),
    ("ID=\"opensuse-tumbleweed\"\nID_LIKE=\"opensuse suse\"\nVERSION_ID=1\n", .zypper),
    ("NAME=\"SLES\"\nVERSION=\"15-SP6\"\nID=\"sles\"\nID_LIKE=\"suse\"\n", .zypper),
    ("NAME=\"SLED\"\nID=\"sled\"\nID_LIKE=\"suse\"\n", .zypper),
    ("NAME=\"Arch Linux\"\nID=arch\nBUILD_ID=rolling\n", .pacman),
    ("NAME=\"Manjaro Linux\"\nID=manjaro\nID_LIKE=arch\n", .pacman),
    ("NAME=\"EndeavourOS\"\nID=endeavouros\nID_LIKE=\"arch\"\n", .pacman),
    ("NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.20.3\n", .apk),
  ]

  @Test(arguments: releases)
  func `is known by its release file`(
    release: String, packager: OperatingSystem.Packager
  ) throws {
    let system = OperatingSystem(parsing: release)
    #expect(system.packager == packager)
    let command = try #require(system.installDebugFile(buildID: "abcdef01", owner: "libfoo1"))
    let word = packager == .pacman ? "sprof symbols" : packager.rawValue + " "
    #expect(command.contains(word), "\(command)")
    let library = system.installLibraryDebugFile()
    #expect((library == nil) == (packager == .pacman))
    #expect(library?.contains(word) ?? true, "\(library ?? "")")
  }

  @Test(arguments: ["", "ID", "=\n==", "ID=void", "ID=nixos", "\u{0}"])
  func `names none where none is known`(release: String) {
    #expect(
      OperatingSystem(parsing: release).installDebugFile(buildID: "abcdef", owner: "x") == nil)
  }

  @Test func `takes nothing for a path that is no build ID`() {
    for release in ["ID=fedora", "ID=suse", "ID=arch"] {
      let system = OperatingSystem(parsing: release)
      for id in ["", "ab", "../../etc/x", "ab;reboot", "ab'cd"] {
        #expect(system.installDebugFile(buildID: id, owner: nil) == nil)
      }
    }
  }
}

@Suite struct `Code that a program compiles while it runs` {
  private func finding(
    _ runtime: MadeCode.Runtime?, frames: Int = 0, named: Int = 0, hasNames: Bool = false
  ) -> Finding? {
    var code = MadeCode()
    code.runtime = runtime
    code.frames = frames
    code.named = named
    code.hasNames = hasNames
    return code.finding
  }

  @Test(arguments: [
    (MadeCode.Runtime.node, "node --perf-basic-prof PROGRAM"),
    (.dotNet, "DOTNET_PerfMapEnabled=1 dotnet PROGRAM"), (.python, "python3 -X perf PROGRAM"),
  ])
  func `has names with the flag of its runtime`(runtime: MadeCode.Runtime, command: String) {
    let found = finding(runtime, frames: 3)
    #expect(found?.grade == .hint && found?.fix == command)
    #expect(found?.text.contains("0 of 3 functions named") == true)
    #expect(finding(runtime, frames: 3, named: 3, hasNames: true)?.grade == .ok)
  }

  @Test func `has none of node and .NET without a file, also where none is in a stack`() {
    for runtime in [MadeCode.Runtime.node, .dotNet] {
      #expect(finding(runtime)?.grade == .hint)
      #expect(finding(runtime, hasNames: true) == nil)
    }
    for runtime in [MadeCode.Runtime.python, .php, .luaJIT, nil] {
      #expect(finding(runtime) == nil)
    }
  }

  @Test(arguments: [MadeCode.Runtime.php, .luaJIT, nil])
  func `is named by a runtime without a known flag only with that one's help`(
    runtime: MadeCode.Runtime?
  ) {
    let found = finding(runtime, frames: 1)
    #expect(found?.grade == .hint && found?.fix == nil)
    #expect(found?.text.contains("Only the runtime can name them") == true)
  }

  @Test(arguments: [
    ("/usr/bin/node", MadeCode.Runtime.node), ("/usr/lib/libnode.so.109", .node),
    ("/usr/share/dotnet/shared/libcoreclr.so", .dotNet), ("/usr/bin/python3.12", .python),
    ("/usr/lib/libpython3.13.so.1.0", .python), ("/usr/bin/python3.11", nil),
    ("/usr/bin/php8.2", .php), ("/usr/sbin/php-fpm8.2", .php), ("/usr/bin/phpmetrics", nil),
    ("/usr/bin/luajit", .luaJIT), ("/usr/lib/libluajit-5.1.so.2", .luaJIT),
    ("/usr/bin/nodeset", nil),
  ])
  func `belongs to the runtime whose files are there`(path: String, runtime: MadeCode.Runtime?) {
    #expect(MadeCode.runtime(files: ["/usr/lib/libc.so.6", path]) == runtime)
  }
}
