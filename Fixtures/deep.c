// deep [DEPTH [spin | sleep]]: a thread at the bottom of a recursion.
#include "fixture.h"

static atomic_int tid;
static atomic_long iterations;
static bool spins;
static volatile double sink = 1;
// Never false; but the compiler must believe that the loops end, and keep the frames of callers.
static volatile bool goes_on = true;

NOINLINE static void bottom(void) {
  atomic_store(&tid, own_tid());
  while (!spins && goes_on) pause();
  while (goes_on) {
    sink = sink * 1.0000001 + 0.5;
    atomic_fetch_add_explicit(&iterations, 1, memory_order_relaxed);
  }
}

NOINLINE static void recurse(long levels) {
  if (levels <= 1) {
    bottom();
  } else {
    recurse(levels - 1);
  }
  sink = sink + 1;
}

static void *diver(void *value) {
  recurse((long)value);
  return NULL;
}

static void report(void) { printf("{\"iterations\":%ld}\n", iterations); }

int main(int argc, char **argv) {
  begin();
  long depth = argument(argc, argv, 1, 1000);
  spins = argc > 2 && strcmp(argv[2], "spin") == 0;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  // An unoptimised frame of `recurse` takes under 100 bytes.
  pthread_attr_setstacksize(&attributes, (size_t)depth * 256 + (1 << 20));
  pthread_t thread;
  if (pthread_create(&thread, &attributes, diver, (void *)depth) != 0) return 2;
  pthread_setname_np(thread, "diver");
  if (spins) {
    while (atomic_load(&iterations) == 0) sleep_ns(MS);
  } else {
    await_state(&tid, 'S');
  }
  ready();
  answer(report);
}
