import LinuxProcess
import Testing

@Suite struct `Commands for root` {
  @Test(arguments: [
    (0, ["/usr/bin/sudo"], "apt update"),
    (1000, ["/usr/bin/sudo", "/usr/bin/doas"], "sudo apt update"),
    (1000, ["/opt/tools/doas"], "doas apt update"),
    (1000, [], "su -c 'apt update'"),
  ])
  func `are run by what is installed`(user: UInt32, installed: [String], line: String) {
    let access = RootAccess(
      userID: user, path: "/bin:/opt/tools", isExecutable: installed.contains)
    #expect(access.line("apt update") == line)
  }

  @Test func `stay one argument of su`() {
    #expect(RootAccess.su.line("dnf --x='*debug*'") == #"su -c 'dnf --x='\''*debug*'\'''"#)
  }
}
