package import ProfileModel

/// Functions of the kernel that show why a thread sleeps there.
package enum KernelFunctions {
  /// Those in which a thread sleeps that is frozen; one that is stopped by a signal sleeps in
  /// `get_signal`, too, but in another state (kernel: do_freezer_trap, which is inlined there).
  static let freezers: Set<String> = ["__refrigerator", "do_freezer_trap", "get_signal"]

  /// Those in which the kernel's workers wait for work (io_uring/io-wq.c, io_uring/sqpoll.c,
  /// kernel/vhost_task.c).
  static let restsOfWorkers: Set<String> = [
    "io_wq_worker", "io_wqe_worker", "io_sq_thread", "vhost_task_fn", "vhost_worker",
  ]

  /// The functions of a text like `[<0>] do_epoll_wait+0x548/0x5a0`, a line each (`/proc/PID/stack`).
  package static func names(parsing text: String) -> [String] {
    text.split(separator: "\n").compactMap { line in
      line.split(separator: " ").last?.split(separator: "+").first.map(String.init)
    }
  }

  /// Whether a thread outside any system call is there because memory must first be fetched; nil when
  /// that cannot be known.
  ///
  /// `stack` has the functions, innermost first, where they may be read; `function` is the innermost
  /// besides the scheduler's.
  package static func isPageFault(_ stack: [String]?, at function: String?) -> Bool? {
    if let stack, !stack.isEmpty { return stack.contains { faults.contains(plain($0)) } }
    guard let function else { return nil }
    return pageWaits.contains { function.hasPrefix($0) } ? true : nil
  }

  /// The handlers of a page fault (arch/x86/mm/fault.c, mm/memory.c).
  private static let faults: Set<String> = [
    "exc_page_fault", "asm_exc_page_fault", "do_user_addr_fault", "handle_mm_fault",
    "do_page_fault", "__do_page_fault", "async_page_fault", "page_fault", "do_mem_abort",
  ]

  /// Where such a thread waits for a page.
  private static let pageWaits = [
    "handle_userfault", "folio_wait_bit", "__folio_lock", "__lock_page", "wait_on_page_bit",
    "io_schedule", "do_swap_page", "migration_entry_wait", "handle_mm_fault",
  ]

  /// What a worker of io_uring does for the program, by the functions that it is in (io_uring/opdef.c).
  package static func operation(_ stack: [String]) -> WaitKind? {
    stack.lazy.compactMap { operations[plain($0)] }.first
  }

  private static let operations: [String: WaitKind] = [
    "io_read": .read, "io_write": .write, "io_recv": .receive, "io_recvmsg": .receive,
    "io_send": .send, "io_sendmsg": .send, "io_send_zc": .send, "io_accept": .accept,
    "io_connect": .connect, "io_openat": .open, "io_openat2": .open,
  ]

  /// Without what the compiler has added, such as `.isra.0`.
  private static func plain(_ name: String) -> String {
    name.split(separator: ".").first.map(String.init) ?? name
  }
}
