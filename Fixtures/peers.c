// peers pipe | unix | inherited | beat | timer: two processes, each of which waits for the other to write.
// With `inherited` the parent has kept its own writing end, too; with `beat` (setitimer) and `timer`
// (timer_create) the handler of a timer's signal in the child writes to the parent every two minutes. Prints
// `child PID`.
#include "fixture.h"
#include <sys/socket.h>
#include <sys/time.h>

static int beat_file;

static void beat(int signal) {
  (void)signal;
  if (write(beat_file, "b", 1) != 1) _exit(2);
}

static void start_timer(bool is_interval, int file) {
  int number = is_interval ? SIGALRM : SIGRTMIN + 3;
  beat_file = file;
  struct sigaction action = {.sa_handler = beat, .sa_flags = SA_RESTART};
  if (sigaction(number, &action, NULL) != 0) die("sigaction");
  struct itimerval interval = {{120, 0}, {120, 0}};
  if (is_interval && setitimer(ITIMER_REAL, &interval, NULL) != 0) die("setitimer");
  if (is_interval) return;
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = number};
  struct itimerspec time = {{120, 0}, {120, 0}};
  if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) die("timer_create");
  if (timer_settime(timer, 0, &time, NULL) != 0) die("timer_settime");
}

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
    bool is_interval = strcmp(kind, "beat") == 0;
    if (is_interval || strcmp(kind, "timer") == 0) start_timer(is_interval, up[1]);
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
