// Starts a program that waits before exec. In C, for between fork and exec of a process with threads only
// what is safe in a signal handler may run (fork(2)), which no Swift code promises.
// For pipe2; here and not in the header, which Swift reads.
#define _GNU_SOURCE
#include "CLinux.h"

pid_t sprof_spawn_held(char *const arguments[], const sigset_t *mask, int *start, int *failure) {
  int gate[2], errors[2];
  if (pipe2(gate, O_CLOEXEC) < 0) return -errno;
  if (pipe2(errors, O_CLOEXEC) < 0) {
    int code = errno;
    close(gate[0]);
    close(gate[1]);
    return -code;
  }
  // A parent may have left SIGCHLD ignored: then the kernel throws away how children end (wait(2)).
  // sprof needs to know it; the program gets what it would have had.
  struct sigaction children;
  const int ignores = sigaction(SIGCHLD, 0, &children) == 0 && children.sa_handler == SIG_IGN;
  if (ignores) signal(SIGCHLD, SIG_DFL);
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
    if (ignores) signal(SIGCHLD, SIG_IGN);
    sigprocmask(SIG_SETMASK, mask, 0);
    // The end of the pipe opens the gate, also when it comes because sprof has gone: the program is
    // to run all the same.
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
