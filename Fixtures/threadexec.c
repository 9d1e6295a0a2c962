// threadexec [TIMES [WORK [END]]]: at the line `go` a thread that is not the main one executes the
// program anew, TIMES times, each time at some moment within 5 ms and after WORK ms of computing, beside
// three threads that compute; then prints `settled` and spins in `settled`.
//
// With END it does so at once, its main thread computes, too, and it ends after END ms of `settled`.
#include "fixture.h"

static atomic_long iterations;
static volatile double sink = 1;
static char **arguments;
static long times, work, end;

static long long used_cpu_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void use_cpu(long milliseconds) {
  long long until = used_cpu_ns() + milliseconds * MS;
  while (milliseconds > 0 && used_cpu_ns() < until) {
    for (int i = 0; i < 1000; i++) sink = sink * 1.0000001 + 0.5;
  }
}

NOINLINE static void settled(void) {
  if (end > 0) {
    use_cpu(end);
    exit(0);
  }
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
  use_cpu(work);
  execl("/proc/self/exe", arguments[0], text, arguments[2], arguments[3], "on", (char *)NULL);
  die("execl");
  return value;
}

int main(int argc, char **argv) {
  begin();
  char *standard[] = {argv[0], "1", "0", "0", NULL};
  for (int i = 1; i < argc && i < 4; i++) standard[i] = argv[i];
  arguments = standard;
  times = atol(standard[1]);
  work = atol(standard[2]);
  end = atol(standard[3]);
  if (argc < 5 && end == 0) {
    ready();
    char line[64];
    while (next_line(line, sizeof line) && strcmp(line, "go") != 0) {
    }
  }
  if (times > 0) {
    for (int i = 0; work == 0 && i < 3; i++) start_thread(compute, NULL, "computes");
    start_thread(become, NULL, "becomes");
    if (end > 0) compute(NULL);
    for (;;) pause();
  }
  puts("settled");
  fflush(stdout);
  start_thread(serve, NULL, "serves");
  settled();
}
