// forkchild: prints `child PID`; the child spins while the parent waits for it.
#include "fixture.h"
#include <sys/wait.h>

static volatile double sink = 1;

NOINLINE static void child_work(void) {
  for (;;) sink = sink * 1.0000001 + 0.5;
}

NOINLINE static void wait_for_child(pid_t child) {
  int status;
  while (waitpid(child, &status, 0) == -1 && errno == EINTR) {
  }
}

int main(void) {
  begin();
  pid_t parent = getpid();
  pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // The parent may have ended before the request.
    if (getppid() != parent) _exit(0);
    child_work();
  }
  printf("child %d\n", child);
  ready();
  wait_for_child(child);
  for (;;) pause();
}
