// vforkparent: the parent sleeps uninterruptibly (state D) for as long as its vfork child lives.
#include "fixture.h"

NOINLINE static void parent_of_vfork(void) {
  pid_t child = vfork();
  if (child == 0) {
    // Only system calls: the child uses the parent's memory.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // The parent is in state D as soon as vfork has started its wait.
    while (thread_state(getppid()) != 'D' && getppid() != 1) {
      struct timespec moment = {.tv_nsec = MS};
      nanosleep(&moment, NULL);
      char path[32], text[256];
      snprintf(path, sizeof path, "/proc/%d/stat", getppid());
      int fd = open(path, O_RDONLY);
      ssize_t count = read(fd, text, sizeof text - 1);
      close(fd);
      text[count > 0 ? count : 0] = 0;
      char *end = strrchr(text, ')');
      if (end && end[2] == 'D') break;
    }
    if (write(1, "ready\n", 6) < 0) _exit(1);
    for (;;) pause();
  }
}

int main(void) {
  begin();
  parent_of_vfork();
  for (;;) pause();
}
