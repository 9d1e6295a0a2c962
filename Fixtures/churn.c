// churn [AT_ONCE [STEPS]]: threads that are created and joined without end, each living a moment.
#include "fixture.h"

static atomic_long ended;
static volatile double sink = 1;
static long steps = 200000;

NOINLINE static void short_work(void) {
  for (int i = 0; i < steps; i++) sink = sink * 1.0000001 + 0.5;
}

static void *brief(void *value) {
  short_work();
  atomic_fetch_add(&ended, 1);
  return value;
}

static void *creator(void *value) {
  long at_once = (long)value;
  pthread_t threads[64];
  for (;;) {
    for (long i = 0; i < at_once; i++) threads[i] = start_thread(brief, NULL, NULL);
    for (long i = 0; i < at_once; i++) pthread_join(threads[i], NULL);
  }
  return NULL;
}

static void report(void) { printf("{\"ended\":%ld}\n", ended); }

int main(int argc, char **argv) {
  begin();
  long at_once = argument(argc, argv, 1, 4);
  if (at_once < 1 || at_once > 64) return 2;
  steps = argument(argc, argv, 2, steps);
  start_thread(creator, (void *)at_once, "creator");
  while (atomic_load(&ended) == 0) sleep_ns(MS);
  ready();
  answer(report);
}
