// What Swift cannot import from the system headers: variadic functions, functions behind
// _GNU_SOURCE (which must not be defined here: Swift's own glibc module is built without it),
// and constants that are macros with casts. No logic lives here.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
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

static inline int sprof_ptrace_detach(pid_t tid) {
  return ptrace(PTRACE_DETACH, tid, (void *)0, (void *)0) < 0 ? -errno : 0;
}

static inline int sprof_ptrace_continue(pid_t tid, int signal) {
  return ptrace(PTRACE_CONT, tid, (void *)0, (void *)(intptr_t)signal) < 0 ? -errno : 0;
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

// The number of signals waiting for the stopped thread (at most 1 is asked for), or -errno.
static inline int sprof_ptrace_pending_signals(pid_t tid, int shared) {
  struct {
    uint64_t off;
    uint32_t flags;
    int32_t nr;
  } arguments = {0, shared ? 1u : 0u, 1};
  siginfo_t info;
  long count = ptrace(PTRACE_PEEKSIGINFO, tid, &arguments, &info);
  return count < 0 ? -errno : (int)count;
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

static inline pid_t sprof_gettid(void) { return (pid_t)syscall(SYS_gettid); }

// waitpid with __WALL. Returns the pid, 0 when nothing happened (WNOHANG), or the negative errno.
static inline int sprof_wait(pid_t tid, int *status, int nonblocking) {
  int result = waitpid(tid, status, __WALL | (nonblocking ? WNOHANG : 0));
  return result < 0 ? -errno : result;
}

static inline int sprof_open(const char *path, int flags) {
  int fd = open(path, flags | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

static inline int sprof_openat(int directory, const char *path, int flags) {
  int fd = openat(directory, path, flags | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

static inline int sprof_set_timer_slack(unsigned long nanoseconds) {
  return prctl(PR_SET_TIMERSLACK, nanoseconds, 0, 0, 0);
}
