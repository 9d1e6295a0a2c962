// timed: threads that know how much CPU and wall time each of their functions took.
//
// timed locked MS          a thread in phases of 50, 30 and 20 % of each MS milliseconds of the clock
// timed bursts SPIN SLEEP  a thread that spins for about SPIN milliseconds, then sleeps for about SLEEP
#include "fixture.h"

enum { FUNCTIONS = 3 };
static const char *names[FUNCTIONS];
static atomic_llong cpu[FUNCTIONS], wall[FUNCTIONS];
static double lengths[2];

static long long cpu_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

// Adds what went by since the last call to one function.
static void account(int function) {
  static long long last_cpu, last_wall;
  long long c = cpu_ns(), w = now_ns();
  if (last_wall > 0) {
    cpu[function] += c - last_cpu;
    wall[function] += w - last_wall;
  }
  last_cpu = c;
  last_wall = w;
}

static void spin_until(long long end) {
  while (now_ns() < end) {
    for (volatile int i = 0; i < 200; i++) {
    }
  }
}

static NOINLINE void first_phase(long long end) { spin_until(end), account(0); }
static NOINLINE void second_phase(long long end) { spin_until(end), account(1); }
static NOINLINE void third_phase(long long end) { spin_until(end), account(2); }

static void *locked(void *unused) {
  (void)unused;
  long long period = (long long)(lengths[0] * MS);
  for (;;) {
    long long start = now_ns() / period * period;
    first_phase(start + period / 2);
    second_phase(start + period * 8 / 10);
    third_phase(start + period);
  }
}

static NOINLINE void spin_for(long long length) { spin_until(now_ns() + length), account(0); }
static NOINLINE void sleep_for(long long length) { sleep_ns(length), account(1); }

static void *bursts(void *unused) {
  (void)unused;
  for (;;) {
    spin_for((long long)(lengths[0] * MS * (0.5 + drand48())));
    sleep_for((long long)(lengths[1] * MS * (0.5 + drand48())));
  }
}

static void report(void) {
  const char *separator = "{";
  for (int i = 0; i < FUNCTIONS && names[i]; i++) {
    printf("%s\"%s_cpu\":%lld,\"%s_wall\":%lld", separator, names[i], cpu[i], names[i], wall[i]);
    separator = ",";
  }
  puts("}");
}

int main(int argc, char **argv) {
  begin();
  if (argc < 3) return 2;
  for (int i = 2; i < argc && i < 4; i++) lengths[i - 2] = atof(argv[i]);
  bool is_locked = strcmp(argv[1], "locked") == 0;
  names[0] = is_locked ? "first_phase" : "spin_for";
  names[1] = is_locked ? "second_phase" : "sleep_for";
  names[2] = is_locked ? "third_phase" : NULL;
  start_thread(is_locked ? locked : bursts, NULL, "worker");
  while (wall[0] == 0) sleep_ns(MS);
  ready();
  answer(report);
}
