// Three forked workers that compute in functions of their own, and a child that becomes the program
// that the arguments name.
#include "fixture.h"
#include <sys/prctl.h>
#include <sys/wait.h>

static volatile double sink;

#define WORKER(name)                          \
  NOINLINE static void name(void) {           \
    double x = 0;                             \
    for (long i = 0;; i++) sink = x += i * .5; \
  }
WORKER(first_work)
WORKER(second_work)
WORKER(third_work)

static void (*const works[])(void) = {first_work, second_work, third_work};

// Ends with the parent, and closes `gate` when it is at work or has become another program.
static void child(int number, int gate, char **argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (number == 3) {
    int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 1);
    execv(argv[1], argv + 1);
    die("execv");
  }
  char name[16];
  snprintf(name, sizeof name, "worker-%d", number);
  prctl(PR_SET_NAME, name);
  close(gate);
  works[number]();
}

NOINLINE static void wait_for_children(void) {
  int status;
  while (waitpid(-1, &status, 0) > 0) {
  }
}

static void report(void) { printf("{\"children\": 4}\n"); }

int main(int argc, char **argv) {
  begin();
  int gate[2];
  if (pipe2(gate, O_CLOEXEC) < 0) die("pipe2");
  int count = argc > 1 ? 4 : 3;
  for (int i = 0; i < count; i++) {
    pid_t pid = fork();
    if (pid < 0) die("fork");
    if (pid == 0) {
      close(gate[0]);
      child(i, gate[1], argv);
    }
  }
  close(gate[1]);
  char byte;
  while (read(gate[0], &byte, 1) > 0) {
  }
  ready();
  answer(report);
  wait_for_children();
}
