// What Swift cannot import from the system headers: variadic functions, functions behind
// _GNU_SOURCE (which must not be defined here: Swift's own glibc module is built without it),
// and constants that are macros with casts. Each function here is one call, or a few that belong
// together. Those with more to them are in C files: held_program.c (fork and exec), unix_peer.c (a netlink
// question), guarded_mapping.c (a signal handler), semaphore.c.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <linux/kcmp.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <semaphore.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

// ptrace is variadic in glibc. Returns 0, or the negative errno.
static inline int sprof_ptrace_seize(pid_t tid) {
  return ptrace(PTRACE_SEIZE, tid, (void *)0, (void *)0) < 0 ? -errno : 0;
}

static inline int sprof_ptrace_interrupt(pid_t tid) {
  return ptrace(PTRACE_INTERRUPT, tid, (void *)0, (void *)0) < 0 ? -errno : 0;
}

// Resumes the thread, no longer traced; a signal other than 0 is delivered to it.
static inline int sprof_ptrace_detach(pid_t tid, int signal) {
  return ptrace(PTRACE_DETACH, tid, (void *)0, (void *)(intptr_t)signal) < 0 ? -errno : 0;
}

// NT_PRSTATUS = 1: the general registers as the kernel lays out struct user_regs_struct.
static inline int sprof_ptrace_get_registers(pid_t tid, struct user_regs_struct *registers) {
  struct iovec vector = {registers, sizeof *registers};
  return ptrace(PTRACE_GETREGSET, tid, (void *)1, &vector) < 0 ? -errno : 0;
}

static inline int sprof_ptrace_set_registers(pid_t tid, struct user_regs_struct *registers) {
  struct iovec vector = {registers, sizeof *registers};
  return ptrace(PTRACE_SETREGSET, tid, (void *)1, &vector) < 0 ? -errno : 0;
}

// The blocked signals of a stopped thread as a bit mask. Returns 0, or the negative errno.
static inline int sprof_ptrace_signal_mask(pid_t tid, uint64_t *mask) {
  return ptrace(PTRACE_GETSIGMASK, tid, (void *)sizeof *mask, mask) < 0 ? -errno : 0;
}

// Whether one of the first 16 signals that wait for a stopped thread (shared: for its process) is
// not in the mask. Returns 1, 0, or the negative errno.
static inline int sprof_ptrace_has_pending_signal(pid_t tid, uint64_t mask, int shared) {
  struct __ptrace_peeksiginfo_args arguments = {0, shared ? PTRACE_PEEKSIGINFO_SHARED : 0, 16};
  siginfo_t signals[16];
  long count = ptrace(PTRACE_PEEKSIGINFO, tid, &arguments, signals);
  for (long i = 0; i < count; i++) {
    int number = signals[i].si_signo;
    if (number >= 1 && number <= 64 && !(mask >> (number - 1) & 1)) return 1;
  }
  return count < 0 ? -errno : 0;
}

// Returns the bytes read, or the negative errno.
static inline int64_t sprof_process_vm_readv(pid_t pid, const struct iovec *local, unsigned long localCount,
                                             const struct iovec *remote, unsigned long remoteCount) {
  long count = syscall(SYS_process_vm_readv, (long)pid, local, localCount, remote, remoteCount, 0L);
  return count < 0 ? -errno : count;
}

// One range of the target into one buffer. Returns the bytes read, or the negative errno.
static inline int64_t sprof_read_memory(pid_t pid, uint64_t address, void *buffer, uint64_t count) {
  struct iovec local = {buffer, count};
  struct iovec remote = {(void *)(uintptr_t)address, count};
  return sprof_process_vm_readv(pid, &local, 1, &remote, 1);
}

// sem_clockwait (glibc 2.30) with CLOCK_MONOTONIC in nanoseconds. Returns 0, or the negative errno.
int sprof_wait_for_semaphore(sem_t *semaphore, int64_t deadline);

static inline pid_t sprof_gettid(void) { return (pid_t)syscall(SYS_gettid); }

// waitpid with __WALL. Returns the pid, 0 when nothing happened (WNOHANG), or the negative errno.
static inline int sprof_wait(pid_t tid, int *status, int nonblocking) {
  int result = waitpid(tid, status, __WALL | (nonblocking ? WNOHANG : 0));
  return result < 0 ? -errno : result;
}

// Like sprof_wait with WNOHANG, but collects nothing. A stop can be waited for again: the kernel forgets the
// signal that a thread is about to get when its stop is collected (wait_task_stopped), and delivers it
// otherwise, should this process die before it detaches. The files of a thread that has ended stay, and
// *status, which is not that of its end, is 0.
static inline int sprof_poll(pid_t tid, int *status) {
  siginfo_t info;
  info.si_pid = 0;
  int flags = WEXITED | WSTOPPED | WNOHANG | WNOWAIT | __WALL;
  if (waitid(P_PID, (id_t)tid, &info, flags) < 0) return -errno;
  if (info.si_pid == 0) return 0;
  *status = info.si_code <= CLD_DUMPED ? 0 : info.si_status << 8 | 0x7f;
  return tid;
}

// Whether a child or traced thread has ended; it stays as it is. waitid reports stops of traced threads,
// too, whatever it is asked for.
static inline int sprof_has_ended(pid_t tid) {
  siginfo_t info;
  info.si_pid = 0;
  if (waitid(P_PID, (id_t)tid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0) return 0;
  return info.si_pid == tid && info.si_code <= CLD_DUMPED;
}

// Collects a thread that any thread of this process traces, should it have ended; leaves stops alone.
static inline void sprof_collect_ended(pid_t tid) {
  siginfo_t info;
  if (sprof_has_ended(tid)) waitid(P_PID, (id_t)tid, &info, WEXITED | WNOHANG | __WALL);
}

// Waits until waitpid would return with a thread that the calling one traces.
static inline void sprof_await_news(pid_t tid) {
  siginfo_t info;
  while (waitid(P_PID, (id_t)tid, &info, WEXITED | WSTOPPED | WNOWAIT | __WALL) < 0 && errno == EINTR) {
  }
}

// Asks the kernel not to send SIGCHLD for each stop of a traced thread; it still does for ends of children.
static inline void sprof_leave_out_stops_of_children(void) {
  struct sigaction action;
  if (sigaction(SIGCHLD, NULL, &action) != 0 || action.sa_flags & SA_NOCLDSTOP) return;
  action.sa_flags |= SA_NOCLDSTOP;
  sigaction(SIGCHLD, &action, NULL);
}

// malloc.h is in no module of Swift's.
static inline void sprof_grow_heap_in_large_steps(void) {
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TOP_PAD, 1 << 20);
}

static inline void sprof_use_one_heap(void) { mallopt(M_ARENA_MAX, 1); }

// Gives back what was freed, and the pages of the program's own code, which the next call of each brings back
// from the page cache.
void sprof_give_memory_back(void);

static inline int sprof_open(const char *path, int flags) {
  int fd = open(path, flags | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

static inline int sprof_openat(int directory, const char *path, int flags) {
  int fd = openat(directory, path, flags | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

// Finds what is at a path, and opens nothing: the descriptor serves for fstat, or names the file in
// /proc/self/fd. Returns the descriptor or the negative errno. (O_PATH is behind _GNU_SOURCE.)
static const int sprof_path_only = __O_PATH;
static inline int sprof_find(const char *path) { return sprof_open(path, __O_PATH); }

// The same with a path as a process sees it whose root directory is `root`: no symbolic link leads out of
// it. `flags` may have O_NOFOLLOW. -ENOSYS, or -EPERM, where the kernel has no openat2, or a container
// forbids it.
static inline int sprof_find_in_root(const char *root, const char *path, int flags) {
  struct open_how how = {.flags = __O_PATH | O_CLOEXEC | flags, .resolve = RESOLVE_IN_ROOT};
  int directory = sprof_open(root, __O_PATH | O_DIRECTORY);
  if (directory < 0) return directory;
  long fd = syscall(SYS_openat2, (long)directory, path, &how, sizeof how);
  int result = fd < 0 ? -errno : (int)fd;
  close(directory);
  return result;
}

// Keeps reads of a mapping of a file from ending this process when the file has been cut short: they
// find zeros. Returns NULL for want of memory.
typedef struct sprof_guard sprof_guard;
sprof_guard *sprof_guard_mapping(const void *start, uint64_t count);
// Whether any were found.
int sprof_has_lost_pages(const sprof_guard *guard);
// To be called before the mapping is removed.
void sprof_release_guard(sprof_guard *guard);

// Restricts a thread of this process to one CPU. Returns 0 or the negative errno.
static inline int sprof_go_to_cpu(pid_t tid, int cpu) {
  unsigned char mask[1024] = {0};
  if (cpu < 0 || cpu >= (int)sizeof mask * 8) return -EINVAL;
  mask[cpu / 8] = (unsigned char)(1 << cpu % 8);
  return syscall(SYS_sched_setaffinity, tid, sizeof mask, mask) < 0 ? -errno : 0;
}

// Gives the calling thread time slices of so many nanoseconds, and that nice value; returns 0 or -errno.
//
// Since Linux 6.12 a thread that wakes up takes the CPU from one with longer slices at once; before, and
// since 6.6, only when that one has used up its slice (kernel/sched/fair.c: RUN_TO_PARITY, PREEMPT_SHORT).
static inline int sprof_set_time_slice(uint64_t nanoseconds, int32_t nice_value) {
  // struct sched_attr of linux/sched/types.h, which not every C library has.
  struct {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
  } attributes = {.size = 48, .nice = nice_value, .runtime = nanoseconds};
  return syscall(SYS_sched_setattr, 0, &attributes, 0) < 0 ? -errno : 0;
}

// Allows it all CPUs again; 0 is no thread here.
static inline void sprof_leave_cpu(pid_t tid) {
  unsigned char mask[1024];
  memset(mask, 0xff, sizeof mask);
  if (tid > 0) syscall(SYS_sched_setaffinity, tid, sizeof mask, mask);
}

static inline int sprof_set_timer_slack(unsigned long nanoseconds) {
  return prctl(PR_SET_TIMERSLACK, nanoseconds, 0, 0, 0);
}

// Compares the address spaces of two processes. Returns 0 when they are one, or the negative errno.
static inline int sprof_compare_memory(pid_t first, pid_t second) {
  long answer = syscall(SYS_kcmp, (long)first, (long)second, (long)KCMP_VM, 0L, 0L);
  return answer < 0 ? -errno : (int)answer;
}

// Asks sock_diag(7) for one unix socket and its peer. Returns the bytes of the answer, or the
// negative errno.
int64_t sprof_unix_peer(uint32_t inode, void *answer, uint64_t size);

// Connects to the unix socket of that name, which may begin with a zero byte, and asks which process listens
// there (unix(7), SO_PEERCRED). Returns its pid, 0 for one of another pid namespace, or the negative errno.
int64_t sprof_unix_listener(const char *name, uint64_t size);

// Starts a program that waits before exec until `start`, the write end of a pipe, is closed; `failure` is
// the read end of another, which gives the errno of a failed exec and otherwise ends when exec has
// succeeded. Returns the pid, or the negative errno.
pid_t sprof_spawn_held(char *const arguments[], const sigset_t *mask, int *start, int *failure);

// PTRACE_O_TRACEEXEC: the thread stops at the first instruction of the program that it becomes.
static inline int sprof_ptrace_seize_for_exec(pid_t tid) {
  return ptrace(PTRACE_SEIZE, tid, (void *)0, (void *)(intptr_t)PTRACE_O_TRACEEXEC) < 0 ? -errno : 0;
}

// Leaves a thread that a signal has stopped as it is, and reports what happens to it next.
static inline int sprof_ptrace_listen(pid_t tid) {
  return ptrace(PTRACE_LISTEN, tid, (void *)0, (void *)0) < 0 ? -errno : 0;
}

// A descriptor that names one process, whatever becomes of its number; or the negative errno.
static inline int sprof_pidfd_open(pid_t pid) {
  long file = syscall(SYS_pidfd_open, (long)pid, 0L);
  return file < 0 ? -errno : (int)file;
}

// Waits until a file can be read, for so many nanoseconds at the most: 1 when it can, 0 when it cannot, or the
// negative errno.
static inline int sprof_await_input(int file, int64_t nanoseconds) {
  struct timespec timeout = {nanoseconds / 1000000000, nanoseconds % 1000000000};
  struct pollfd entry = {file, POLLIN, 0};
  int count = (int)syscall(SYS_ppoll, &entry, 1L, &timeout, NULL, 0L);
  if (count < 0) return -errno;
  return count > 0 && (entry.revents & POLLIN);
}

static inline int sprof_pidfd_send_signal(int file, int signal) {
  return syscall(SYS_pidfd_send_signal, (long)file, (long)signal, 0L, 0L) < 0 ? -errno : 0;
}

// The size of an extended attribute of a file, or the negative errno.
static inline int64_t sprof_attribute_size(const char *path, const char *name) {
  long size = syscall(SYS_getxattr, path, name, 0L, 0L);
  return size < 0 ? -errno : size;
}

// Resumes a stopped thread, still traced; a signal other than 0 is delivered to it.
static inline int sprof_ptrace_continue(pid_t tid, int signal) {
  return ptrace(PTRACE_CONT, tid, (void *)0, (void *)(intptr_t)signal) < 0 ? -errno : 0;
}
