#if arch(x86_64)
  internal import CLinux
  internal import Glibc

  extension Registers {
    /// The general registers in libunwind's order.
    init(_ kernel: user_regs_struct) {
      self.init()
      values = [
        UInt64(kernel.rax), UInt64(kernel.rdx), UInt64(kernel.rcx), UInt64(kernel.rbx),
        UInt64(kernel.rsi), UInt64(kernel.rdi), UInt64(kernel.rbp), UInt64(kernel.rsp),
        UInt64(kernel.r8), UInt64(kernel.r9), UInt64(kernel.r10), UInt64(kernel.r11),
        UInt64(kernel.r12), UInt64(kernel.r13), UInt64(kernel.r14), UInt64(kernel.r15),
        UInt64(kernel.rip),
      ]
      known = (1 << UInt32(Self.count)) - 1
    }
  }

  extension user_regs_struct {
    /// The system call that the thread was in when the stop came, and whether the stop woke it up there.
    ///
    /// An interrupted call that the kernel restarts returns ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND or
    /// ERESTART_RESTARTBLOCK, 512 to 516, which no program ever sees (include/linux/errno.h).
    ///
    /// `orig_rax` is negative where an interrupt or a fault led into the kernel (arch/x86/entry/calling.h).
    var systemCall: StoppedThread.Call? {
      guard Int64(bitPattern: UInt64(orig_rax)) >= 0, cs == 0x33 else { return nil }
      let result = Int64(bitPattern: UInt64(rax))
      return StoppedThread.Call(
        number: Int32(truncatingIfNeeded: orig_rax),
        arguments: [
          UInt64(rdi), UInt64(rsi), UInt64(rdx), UInt64(r10), UInt64(r8), UInt64(r9),
        ],
        wasInterrupted: (-516 ... -512).contains(result) || result == -Int64(EINTR))
    }

    /// Whether the thread is about to return EINTR from a 64-bit system call. (Calls which the
    /// kernel restarts by itself hold an ERESTART code here, not EINTR.)
    var isInterruptedSystemCall: Bool {
      // cs 0x33 is the 64-bit user code segment; `int 0x80` of 32-bit code is left alone.
      Int64(bitPattern: UInt64(orig_rax)) >= 0 && cs == 0x33
        && Int64(bitPattern: UInt64(rax)) == -Int64(EINTR)
    }

    /// Puts the thread before its two-byte `syscall` instruction, with the number in rax again.
    mutating func restartSystemCall() {
      rax = orig_rax
      rip -= 2
      orig_rax = ~0
    }
  }
#endif
