import Glibc
import LinuxProcess

// MARK: - Why a process cannot be profiled

extension Diagnostic {
  /// Why a process cannot be profiled, and what helps.
  struct Refusal {
    /// A sentence without its full stop.
    let cause: String
    /// What the command is for: `Run`, `List processes with`.
    let lead: String
    /// Nil where no command helps.
    let command: String?

    var message: String {
      command.map { "\(cause). \(lead): \($0)" }
        ?? (lead.isEmpty ? "\(cause)." : "\(cause). \(lead)")
    }
  }

  /// Why `sprof command` may not profile the process.
  static func refusal(_ problem: AccessProblem, pid: Int32, command: String) -> Refusal {
    let notAllowed = "Not allowed to trace \(pid): "
    func needsRoot(_ cause: String) -> Refusal {
      isRoot
        ? Refusal(cause: cause, lead: rootLead, command: containerCommand)
        : Refusal(cause: cause, lead: "Run", command: asRoot("sprof \(command) \(pid)"))
    }
    switch problem {
    case .hidden:
      return needsRoot(
        "Not allowed to see process \(pid): /proc hides other users' processes (hidepid)")
    case .missingReadCapability:
      return Refusal(
        cause: "Not allowed to read /proc/\(pid)/syscall: sprof has the capability cap_sys_ptrace, "
          + "but not cap_dac_read_search",
        lead: "Give it both with",
        command: asRoot(
          "setcap cap_sys_ptrace,cap_dac_read_search=ep \"$(command -v sprof)\""))
    case .otherUser(let owner, let me):
      return needsRoot(
        notAllowed + "it belongs to user \(userName(owner)), and you are \(userName(me))")
    case .yama(3):
      return Refusal(
        cause: notAllowed
          + "kernel.yama.ptrace_scope is 3, so nobody may trace until the next boot, not even root",
        lead: yamaLead, command: yamaCommand)
    case .yama(let scope):
      let who = scope == 1 ? "users may trace only their own descendants" : "only root may trace"
      return needsRoot(notAllowed + "kernel.yama.ptrace_scope is \(scope), so \(who)")
    case .seccomp:
      return Refusal(
        cause: notAllowed + "a seccomp filter forbids ptrace, as in a container",
        lead: "Start the container with", command: containerCommand)
    case .undumpable:
      return needsRoot(
        notAllowed + "it is not dumpable (it changed its user, or called prctl(PR_SET_DUMPABLE))")
    case .missingCapability:
      return needsRoot(
        notAllowed + "it has capabilities that you lack, or is in another user namespace")
    case .other(let error):
      let cause = "Cannot trace \(pid): \(error.call): \(error.reason)"
      return isRoot ? Refusal(cause: cause, lead: "", command: nil) : needsRoot(cause)
    case .noSuchProcess, .isItself, .isKernelThread, .hasEnded, .is32Bit:
      return unsuitable(problem, pid: pid)
    }
  }

  /// What no right would change.
  private static func unsuitable(_ problem: AccessProblem, pid: Int32) -> Refusal {
    switch problem {
    case .isItself:
      Refusal(
        cause: "\(pid) is sprof itself", lead: "Give the PID of another process.", command: nil)
    case .isKernelThread:
      Refusal(
        cause: "\(pid) is a kernel thread, which runs no program",
        lead: "See what it waits for with",
        command: asRoot("cat /proc/\(pid)/stack"))
    case .hasEnded:
      Refusal(
        cause: "Process \(pid) has ended and waits for its parent to reap it",
        lead: "Find the parent with", command: "ps -o ppid= -p \(pid)")
    case .is32Bit:
      Refusal(
        cause: "\(pid) is a 32-bit program; sprof supports only 64-bit ones",
        lead: "Sample it with", command: "perf record -g -p \(pid)")
    default:
      Refusal(
        cause: "There is no process \(pid)", lead: "List processes with", command: "ps -e")
    }
  }

  /// The message of a refusal; where rights are missing, doctor has more to say.
  static func words(for problem: AccessProblem, pid: Int32, command: String) -> String {
    let message = refusal(problem, pid: pid, command: command).message
    guard command != "doctor", problem.isOfRights else { return message }
    return message + "\nMore: sprof doctor \(pid)"
  }

  static var isRoot: Bool { RootAccess.here == .isRoot }

  /// The line for a shell that runs the command as root.
  static func asRoot(_ command: String) -> String { RootAccess.here.line(command) }

  /// What root lacks who is refused: sudo would change nothing.
  private static let rootLead =
    "You are root, but without the capability CAP_SYS_PTRACE or outside its user namespace, as in a "
    + "container. Run sprof on the host, or start the container with"
  private static let containerCommand = "docker run --cap-add SYS_PTRACE …"
  static let rootWithoutRight = "\(rootLead): \(containerCommand)"

  private static let yamaLead = "Change the setting, and boot again; find it with"
  private static let yamaCommand =
    "grep -rs ptrace_scope /etc/sysctl.conf /etc/sysctl.d /run/sysctl.d /usr/lib/sysctl.d"
  static let yamaSetting = "\(yamaLead): \(yamaCommand)"

  private static func userName(_ id: UInt32) -> String {
    guard let entry = getpwuid(id), let name = entry.pointee.pw_name else { return "\(id)" }
    return "\(String(cString: name)) (\(id))"
  }
}

extension AccessProblem {
  /// Whether other rights would let sprof profile the process.
  fileprivate var isOfRights: Bool {
    switch self {
    case .otherUser, .yama, .seccomp, .undumpable, .missingCapability, .hidden,
      .missingReadCapability, .other:
      true
    case .noSuchProcess, .isItself, .isKernelThread, .hasEnded, .is32Bit: false
    }
  }
}
