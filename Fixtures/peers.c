// peers pipe | unix | inherited: two processes, each of which waits for the other to write. With
// `inherited` the parent has kept its own writing end, too. Prints `child PID`.
#include "fixture.h"
#include <sys/socket.h>

static void wait_for_peer(int file) {
  char byte;
  while (read(file, &byte, 1) < 0) {
  }
}

int main(int argc, char **argv) {
  begin();
  const char *kind = argc > 1 ? argv[1] : "pipe";
  int down[2], up[2], pair[2];
  bool is_unix = strcmp(kind, "unix") == 0;
  if (pipe2(down, O_CLOEXEC) != 0 || pipe2(up, O_CLOEXEC) != 0) die("pipe");
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) die("socketpair");
  pid_t parent = getpid();
  pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    prctl(PR_SET_NAME, "second");
    close(down[1]);
    close(up[0]);
    close(pair[0]);
    wait_for_peer(is_unix ? pair[1] : down[0]);
    _exit(0);
  }
  close(down[0]);
  if (strcmp(kind, "inherited") != 0) close(up[1]);
  close(pair[1]);
  // The child's state is read from its own folder.
  char path[64], text[512];
  snprintf(path, sizeof path, "/proc/%d/stat", child);
  for (;;) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = file < 0 ? 0 : read(file, text, sizeof text - 1);
    if (file >= 0) close(file);
    text[size > 0 ? size : 0] = 0;
    if (strstr(text, "(second) S")) break;
    sleep_ns(MS / 2);
  }
  printf("child %d\n", child);
  ready();
  wait_for_peer(is_unix ? pair[0] : up[0]);
  return 0;
}
