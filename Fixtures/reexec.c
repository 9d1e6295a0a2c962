// reexec [TIMES]: at the line `go` executes itself anew TIMES times, each time some milliseconds after
// it has started a second thread that computes; then prints `settled` and spins in `settled`.
#include "fixture.h"

static atomic_long iterations;
static volatile double sink = 1;

NOINLINE static void settled(void) {
  for (;;) {
    sink = sink * 1.0000001 + 0.5;
    atomic_fetch_add_explicit(&iterations, 1, memory_order_relaxed);
  }
}

static void *compute(void *value) {
  for (;;) sink = sink * 1.0000001 + 0.5;
  return value;
}

static void report(void) { printf("{\"iterations\":%ld}\n", iterations); }

static void *serve(void *value) {
  answer(report);
  return value;
}

static void become(char **argv, long times) {
  char text[24];
  snprintf(text, sizeof text, "%ld", times);
  execl("/proc/self/exe", argv[0], text, "on", (char *)NULL);
  die("execl");
}

int main(int argc, char **argv) {
  begin();
  long times = argument(argc, argv, 1, 1);
  if (argc < 3) {
    ready();
    char line[64];
    while (next_line(line, sizeof line)) {
      if (strcmp(line, "go") == 0) become(argv, times);
    }
    return 0;
  }
  if (times > 0) {
    start_thread(compute, NULL, "computes");
    long long end = now_ns() + MS / 2 + now_ns() % (4 * MS);
    while (now_ns() < end) {
    }
    become(argv, times - 1);
  }
  puts("settled");
  fflush(stdout);
  start_thread(serve, NULL, "serves");
  settled();
}
