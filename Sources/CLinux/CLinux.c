// pipe2 and the like; here and not in the header, which Swift reads.
#define _GNU_SOURCE
#include "CLinux.h"
#include <time.h>

int64_t sprof_unix_peer(uint32_t inode, void *answer, uint64_t size) {
  struct {
    struct nlmsghdr header;
    struct unix_diag_req request;
  } message;
  memset(&message, 0, sizeof message);
  message.header.nlmsg_len = sizeof message;
  message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  message.header.nlmsg_flags = NLM_F_REQUEST;
  message.request.sdiag_family = AF_UNIX;
  message.request.udiag_states = ~0u;
  message.request.udiag_ino = inode;
  message.request.udiag_show = UDIAG_SHOW_PEER;
  // Any socket of that inode, whatever its cookie.
  message.request.udiag_cookie[0] = ~0u;
  message.request.udiag_cookie[1] = ~0u;
  int file = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (file < 0) return -errno;
  int64_t count = send(file, &message, sizeof message, 0);
  // The kernel has answered when send returns.
  if (count >= 0) count = recv(file, answer, size, MSG_DONTWAIT);
  int code = errno;
  close(file);
  return count < 0 ? -code : count;
}

pid_t sprof_spawn_held(char *const arguments[], const sigset_t *mask, int *start, int *failure) {
  int gate[2], errors[2];
  if (pipe2(gate, O_CLOEXEC) < 0) return -errno;
  if (pipe2(errors, O_CLOEXEC) < 0) {
    int code = errno;
    close(gate[0]);
    close(gate[1]);
    return -code;
  }
  pid_t child = fork();
  if (child == 0) {
    // Only what is safe between fork and exec of a program with threads (fork(2)).
    char byte;
    close(gate[1]);
    for (int signal = 1; signal < 32; signal++) {
      struct sigaction action;
      if (sigaction(signal, 0, &action) == 0 && action.sa_handler != SIG_IGN) {
        action.sa_handler = SIG_DFL;
        action.sa_flags = 0;
        sigaction(signal, &action, 0);
      }
    }
    sigprocmask(SIG_SETMASK, mask, 0);
    // The end of the pipe opens the gate, also when it comes because sprof has gone: the program is
    // wanted all the same.
    while (read(gate[0], &byte, 1) < 0 && errno == EINTR) {
    }
    execvp(arguments[0], arguments);
    int code = errno;
    if (write(errors[1], &code, sizeof code) < 0) _exit(126);
    _exit(127);
  }
  int code = errno;
  close(gate[0]);
  close(errors[1]);
  if (child < 0) {
    close(gate[1]);
    close(errors[0]);
    return -code;
  }
  *start = gate[1];
  *failure = errors[0];
  return child;
}

int sprof_wait_for_semaphore(sem_t *semaphore, int64_t deadline) {
  struct timespec time = {deadline / 1000000000, deadline % 1000000000};
  int result;
  do result = sem_clockwait(semaphore, CLOCK_MONOTONIC, &time);
  while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : -errno;
}
