internal import LinuxProcess
internal import ProfileModel

// MARK: - What the kernel shows of a thread beside its system call

extension SleepInspector {
  /// What the state, the freezer and the kernel's own functions say beside the call.
  func addState(_ stat: ThreadStat, _ tid: Int32, to draft: inout Draft) {
    if stat.state == .stopped || stat.state == .tracingStop {
      return markStopped(stat.state, &draft)
    }
    let isDisk = stat.state == .uninterruptible
    let isOutside = draft.wait.systemCall == nil && draft.wait.kind != .otherCall
    var function: String?
    if isDisk || isOutside || processFreezer != nil { function = kernelFunction(of: tid) }
    if let cgroup = freezer(of: tid, at: function) {
      return markFrozen(by: cgroup, &draft)
    }
    guard isDisk || isOutside else { return }
    if stat.isKernelWorker(isMain: tid == pid) {
      return describeWorker(tid, at: function, &draft)
    }
    draft.wait.kernelFunction = function
    if isOutside {
      let isFault = KernelFunctions.isPageFault(kernelStack(of: tid), at: function) ?? isDisk
      draft.wait.kind = isFault ? .pageFault : isDisk ? .disk : .unknown
    } else if draft.wait.kind != .childProcess {
      draft.wait.kind = .disk
    }
  }

  private func kernelFunction(of tid: Int32) -> String? {
    let text = folder.text(of: "wchan", of: tid)
    return text == "0" || text == "" ? nil : text
  }

  /// The kernel's functions that the thread is in, innermost first; nil where sprof may not know, as
  /// without CAP_SYS_ADMIN.
  private func kernelStack(of tid: Int32) -> [String]? {
    guard let text = folder.text(of: "stack", of: tid) else { return nil }
    return KernelFunctions.names(parsing: text)
  }

  // MARK: - Stops

  private func markStopped(_ state: ThreadState, _ draft: inout Draft) {
    let call = draft.wait.systemCall
    draft.replaceWait(by: Wait(kind: .stoppedBySignal, systemCall: call))
    guard state == .tracingStop else { return }
    draft.wait.kind = .stoppedByDebugger
    if let owner = tracingProcess() { draft.wait.owners = [owner] }
  }

  private func tracingProcess() -> WaitOwner? {
    if let tracer { return tracer }
    let holder = folder.status(of: liveThread.pid)?.tracer ?? 0
    let owner = holder > 0 ? processes.owner(holder) : nil
    tracer = .some(owner)
    return owner
  }

  // MARK: - The freezer

  /// The frozen cgroup that the process is in; nil for most.
  var processFreezer: FrozenCgroup? {
    if let frozenCgroup { return frozenCgroup }
    let cgroup = FrozenCgroup(of: liveThread.pid, in: folder)
    frozenCgroup = .some(cgroup)
    return cgroup
  }

  /// The cgroup that keeps a thread from running, which sleeps in the kernel's `function`.
  private func freezer(of tid: Int32, at function: String?) -> FrozenCgroup? {
    let isInFreezer = function.map(KernelFunctions.freezers.contains) ?? false
    if let cgroup = processFreezer, cgroup.isSettled || isInFreezer { return cgroup }
    // A thread may be in a cgroup of its own.
    return isInFreezer ? FrozenCgroup(of: tid, in: folder) : nil
  }

  private func markFrozen(by cgroup: FrozenCgroup, _ draft: inout Draft) {
    var wait = Wait(kind: .frozen, systemCall: draft.wait.systemCall)
    if let control = cgroup.control {
      wait.descriptors = [WaitDescriptor(number: -1, kind: .file, name: control)]
    }
    draft.replaceWait(by: wait)
  }

  // MARK: - The kernel's workers

  /// What a thread waits for that does the kernel's work: some more, or what its work waits for.
  private func describeWorker(_ tid: Int32, at function: String?, _ draft: inout Draft) {
    let isAtRest = function.map(KernelFunctions.restsOfWorkers.contains) ?? false
    let operation = isAtRest ? nil : KernelFunctions.operation(kernelStack(of: tid) ?? [])
    draft.replaceWait(
      by: Wait(
        kind: isAtRest ? .kernelWork : operation ?? .asynchronousIO, kernelFunction: function))
    // Of the program it has nothing that could be shown; its sleeps are told apart by its switches.
    draft.place = SleepPlace(
      number: -1, arguments: Array(repeating: 0, count: 6), stackPointer: .null, pc: .null)
  }
}

extension SleepInspector.Draft {
  /// Leaves nothing of what the system call's arguments seemed to say.
  fileprivate mutating func replaceWait(by wait: Wait) {
    self.wait = wait
    futex = nil
    ends = wait.descriptors.map { _ in nil }
    limit = .none
  }
}
