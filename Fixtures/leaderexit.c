// leaderexit: the main thread ends, which leaves it a zombie, and the workers go on; at the line `exec`
// one of them executes the program anew.
#include "fixture.h"

static atomic_long iterations;
static volatile double sink = 1;

NOINLINE static void goes_on(void) {
  for (;;) {
    sink = sink * 1.0000001 + 0.5;
    atomic_fetch_add_explicit(&iterations, 1, memory_order_relaxed);
  }
}

static void *worker(void *value) {
  goes_on();
  return value;
}

static void report(void) { printf("{\"iterations\":%ld}\n", iterations); }

static void *commands(void *value) {
  while (thread_state(getpid()) != 'Z') sleep_ns(MS);
  while (atomic_load(&iterations) == 0) sleep_ns(MS);
  ready();
  char line[64];
  while (next_line(line, sizeof line)) {
    if (strcmp(line, "report") == 0) {
      report();
      fflush(stdout);
    } else if (strcmp(line, "exec") == 0) {
      execl("/proc/thread-self/exe", "leaderexit", NULL);
      die("execl");
    }
  }
  for (;;) pause();
  return value;
}

int main(void) {
  begin();
  start_thread(worker, NULL, "worker");
  start_thread(commands, NULL, "commands");
  pthread_exit(NULL);
}
