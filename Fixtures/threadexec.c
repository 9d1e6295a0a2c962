// threadexec [TIMES]: at the line `go` a thread that is not the main one executes the program anew,
// TIMES times, each time at some moment within 5 ms, beside three threads that compute; then prints
// `settled` and spins in `settled`.
#include "fixture.h"

static atomic_long iterations;
static volatile double sink = 1;
static char **arguments;
static long times;

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

// The kernel gives the calling thread the main thread's number.
static void *become(void *value) {
  char text[24];
  snprintf(text, sizeof text, "%ld", times - 1);
  sleep_ns(now_ns() % (5 * MS));
  execl("/proc/self/exe", arguments[0], text, "on", (char *)NULL);
  die("execl");
  return value;
}

int main(int argc, char **argv) {
  begin();
  arguments = argv;
  times = argument(argc, argv, 1, 1);
  if (argc < 3) {
    ready();
    char line[64];
    while (next_line(line, sizeof line) && strcmp(line, "go") != 0) {
    }
  }
  if (times > 0) {
    for (int i = 0; i < 3; i++) start_thread(compute, NULL, "computes");
    start_thread(become, NULL, "becomes");
    for (;;) pause();
  }
  puts("settled");
  fflush(stdout);
  start_thread(serve, NULL, "serves");
  settled();
}
