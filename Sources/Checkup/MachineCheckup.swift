internal import LinuxProcess

/// What is said of a machine: whether sprof can do its work on it, and what would help.
package enum MachineCheckup {
  /// The findings, in the order in which they matter.
  package static func findings(_ facts: MachineFacts) -> [Finding] {
    [kernel(facts)] + rights(facts) + kernelFiles(facts) + symbols(facts)
      + [libraries(facts.libraries)]
  }

  private static func kernel(_ facts: MachineFacts) -> Finding {
    let text = "Linux \(facts.kernel), \(facts.system.name)"
    let numbers = facts.kernel.split(whereSeparator: { !$0.isNumber }).prefix(2).compactMap {
      Int($0)
    }
    // PTRACE_GETSIGMASK is of Linux 3.11.
    guard numbers.count == 2, (numbers[0], numbers[1]) < (3, 11) else {
      return Finding("kernel", text)
    }
    return Finding("kernel", .problem, text + ": sprof needs Linux 3.11 or later")
  }

  // MARK: - Rights

  private static func rights(_ facts: MachineFacts) -> [Finding] {
    var findings: [Finding] = []
    if let container = facts.container {
      findings.append(
        Finding(
          "container",
          "sprof runs in a container (\(container)) and sees only the processes in it"))
    }
    findings.append(access(facts))
    if !facts.hasSysctl {
      findings.append(
        Finding(
          "yama", .hint, "/proc/sys cannot be read, so whether Yama restricts tracing is not known")
      )
    }
    if facts.hidesProcesses {
      findings.append(
        Finding(
          "proc", facts.userID == 0 ? .hint : .problem,
          "/proc hides the processes of other users (hidepid)",
          fix: facts.userID == 0 ? nil : facts.root.line("sprof attach PID")))
    }
    return findings
  }

  private static func access(_ facts: MachineFacts) -> Finding {
    let isRoot = facts.userID == 0
    if facts.yamaScope == 3 {
      return Finding(
        "access", .problem,
        "kernel.yama.ptrace_scope is 3: nobody may trace until the next boot, not even root. Change the "
          + "setting and boot again; the command finds where it is set",
        fix: "grep -rs ptrace_scope /etc/sysctl.conf /etc/sysctl.d /run/sysctl.d /usr/lib/sysctl.d")
    }
    guard facts.isPtraceAllowed else {
      return Finding(
        "access", .problem,
        "a seccomp filter forbids ptrace, as in a container. Start the container with the capability",
        fix: "docker run --cap-add SYS_PTRACE …")
    }
    if facts.mayTraceAll, facts.mayReadAll {
      return Finding("access", "every program may be sampled" + (isRoot ? " (root)" : ""))
    }
    if facts.mayTraceAll {
      return Finding(
        "access", .hint,
        "only your own programs may be sampled: sprof has the capability cap_sys_ptrace, but not "
          + "cap_dac_read_search",
        fix: facts.root.line(
          "setcap cap_sys_ptrace,cap_dac_read_search=ep \"$(command -v sprof)\""))
    }
    if isRoot {
      return Finding(
        "access", .problem,
        "you are root, but without the capability CAP_SYS_PTRACE, as in a container: only root's own "
          + "programs without further rights may be sampled",
        fix: "docker run --cap-add SYS_PTRACE …")
    }
    return userAccess(facts)
  }

  private static func userAccess(_ facts: MachineFacts) -> Finding {
    switch facts.yamaScope {
    case 1:
      Finding(
        "access", .problem,
        "kernel.yama.ptrace_scope is 1: you may sample only what sprof starts (sprof run), and running "
          + "programs as root. For all users until the next boot: "
          + facts.root.line("sysctl kernel.yama.ptrace_scope=0"),
        fix: facts.root.line("sprof attach PID"))
    case 2:
      Finding(
        "access", .problem, "kernel.yama.ptrace_scope is 2: only root may trace",
        fix: facts.root.line("sprof attach PID"))
    default:
      Finding("access", "your own programs may be sampled; those of others as root")
    }
  }

  // MARK: - What the kernel tells

  private static func kernelFiles(_ facts: MachineFacts) -> [Finding] {
    [
      facts.hasSchedstat
        ? Finding("schedstat", "CPU times and waits for a CPU are exact")
        : Finding(
          "schedstat", .problem,
          "this kernel has no scheduler statistics (CONFIG_SCHED_INFO): CPU times come in steps of "
            + "10 ms, and waiting for a CPU counts as running"),
      facts.showsSystemCalls
        ? Finding("syscall", "/proc/PID/syscall is there: sleeping threads need no stop")
        : Finding(
          "syscall", .problem,
          "this kernel has no /proc/PID/syscall (CONFIG_HAVE_ARCH_TRACEHOOK): sleeping threads have to "
            + "be stopped for each sample"),
      facts.listsChildren
        ? Finding("children", "the children of a process are listed by the kernel")
        : Finding(
          "children", .hint,
          "this kernel does not list the children of a process (CONFIG_PROC_CHILDREN): --children "
            + "reads all of /proc"),
      facts.openFiles >= 4096
        ? Finding("files", "sprof may have \(facts.openFiles) files open")
        : Finding(
          "files", .hint,
          "sprof may have only \(facts.openFiles) files open: programs with more than "
            + "\(max(facts.openFiles / 3, 1)) threads are read more slowly",
          fix: "ulimit -n 65536"),
    ]
  }

  // MARK: - Names

  private static func symbols(_ facts: MachineFacts) -> [Finding] {
    let debug =
      (facts.debugFiles ?? 0) > 0
      ? Finding("debug", "\(facts.debugFiles ?? 0) separate debug files in /usr/lib/debug")
      : Finding(
        "debug", .hint,
        "no separate debug files in /usr/lib/debug: stripped libraries show only the functions that they "
          + "export",
        fix: facts.system.installLibraryDebugFile())
    let maps =
      switch facts.perfMaps {
      case nil:
        Finding("perf maps", .hint, "/tmp, where compilers leave perf-PID.map, is not readable")
      case 0: Finding("perf maps", "none in /tmp")
      case let count?: Finding("perf maps", "\(count) in /tmp")
      }
    let servers =
      facts.debuginfodServers.map {
        Finding("debuginfod", "configured (\($0)); used by sprof symbols --debuginfod only")
      } ?? Finding("debuginfod", "not configured; nothing else of sprof uses the network")
    return [debug, maps, servers]
  }

  private static func libraries(_ names: [String]) -> Finding {
    names.isEmpty
      ? Finding("libraries", .hint, "the versions of elfutils and libunwind are not known")
      : Finding("libraries", names.joined(separator: ", "))
  }
}
