internal import BlockingAnalysis
internal import LinuxProcess
internal import ProfileModel

/// Where a thread sleeps, as far as two reads tell: the same spot has the same stack.
///
/// The number of the call is left out, which a stop may change to that of `restart_syscall`.
struct SleepSpot: Hashable {
  private let stackPointer: RemoteAddress
  private let pc: RemoteAddress
  /// What epoll waits on: functions of an interpreter may call it from one place of the stack.
  private let descriptor: UInt64?

  init(
    number: Int32, firstArgument: UInt64, stackPointer: RemoteAddress, pc: RemoteAddress
  ) {
    self.stackPointer = stackPointer
    self.pc = pc
    let isEpoll = SystemCallNames.name(of: number)?.hasPrefix("epoll_") ?? false
    descriptor = isEpoll ? firstArgument : nil
  }

  init(_ place: SleepPlace) {
    self.init(
      number: place.number, firstArgument: place.arguments.first ?? 0,
      stackPointer: place.stackPointer, pc: place.pc)
  }
}
