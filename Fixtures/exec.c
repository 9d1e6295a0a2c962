// exec: spins in `before_exec`; at the line `exec` it executes itself anew, prints `again`, and
// spins in `after_exec`.
#include "fixture.h"

static atomic_long iterations;
static volatile double sink = 1;

#define SPINS(name)                                                     \
  NOINLINE static void name(void) {                                     \
    for (;;) {                                                          \
      sink = sink * 1.0000001 + 0.5;                                    \
      atomic_fetch_add_explicit(&iterations, 1, memory_order_relaxed);  \
    }                                                                   \
  }                                                                     \
  static void *name##_thread(void *value) {                             \
    name();                                                             \
    return value;                                                       \
  }
SPINS(before_exec)
SPINS(after_exec)

static void report(void) { printf("{\"iterations\":%ld}\n", iterations); }

int main(int argc, char **argv) {
  begin();
  bool is_second = argc > 1 && strcmp(argv[1], "second") == 0;
  start_thread(is_second ? after_exec_thread : before_exec_thread, NULL, "spinner");
  while (atomic_load(&iterations) == 0) sleep_ns(MS);
  if (is_second) {
    puts("again");
    answer(report);
  }
  ready();
  char line[64];
  while (next_line(line, sizeof line)) {
    if (strcmp(line, "report") == 0) report();
    if (strcmp(line, "exec") == 0) execl("/proc/self/exe", argv[0], "second", (char *)NULL);
  }
  for (;;) pause();
}
