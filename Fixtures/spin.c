// spin [THREADS [DEPTH]]: threads that compute at call depth DEPTH and meter the gaps in their own
// time. A gap with a voluntary context switch is a stop by a tracer: nothing else here sleeps.
#include "fixture.h"
#include <sys/resource.h>

enum { MAX_THREADS = 64, MAX_GAPS = 1 << 20, GAP_NS = 20000 };

struct meter {
  atomic_int tid;
  atomic_long iterations;
  atomic_long gaps;         // All of them.
  atomic_long stops;        // Those with a voluntary switch, kept in `lengths`.
  long long *lengths;
};

static struct meter meters[MAX_THREADS];
static long thread_count, depth;
static long long start;
static volatile double sink = 1;
// Never false; but the compiler must believe that the loop ends, and keep the frames of callers.
static volatile bool goes_on = true;

NOINLINE static void compute(struct meter *meter) {
  struct rusage usage;
  getrusage(RUSAGE_THREAD, &usage);
  long voluntary = usage.ru_nvcsw;
  atomic_store(&meter->tid, own_tid());
  long long last = now_ns();
  while (goes_on) {
    sink = sink * 1.0000001 + 0.5;
    long long time = now_ns();
    atomic_fetch_add_explicit(&meter->iterations, 1, memory_order_relaxed);
    long long gap = time - last;
    last = time;
    if (gap <= GAP_NS) continue;
    getrusage(RUSAGE_THREAD, &usage);
    atomic_fetch_add(&meter->gaps, 1);
    long count = atomic_load(&meter->stops);
    if (usage.ru_nvcsw != voluntary && count < MAX_GAPS) {
      meter->lengths[count] = gap;
      atomic_store(&meter->stops, count + 1);
    }
    voluntary = usage.ru_nvcsw;
    last = now_ns();
  }
}

NOINLINE static void descend(struct meter *meter, long levels) {
  if (levels <= 1) {
    compute(meter);
  } else {
    descend(meter, levels - 1);
  }
  // Keeps the call above from becoming a jump.
  sink = sink + 1;
}

static void *spinner(void *value) {
  descend(value, depth);
  return NULL;
}

static int ascending(const void *left, const void *right) {
  long long a = *(const long long *)left, b = *(const long long *)right;
  return a < b ? -1 : a > b;
}

static void report(void) {
  long iterations = 0, gaps = 0, total = 0;
  for (long i = 0; i < thread_count; i++) {
    iterations += atomic_load(&meters[i].iterations);
    gaps += atomic_load(&meters[i].gaps);
    total += atomic_load(&meters[i].stops);
  }
  long long *all = malloc(sizeof *all * (total + 1));
  if (!all) die("malloc");
  long count = 0;
  long long sum = 0;
  for (long i = 0; i < thread_count; i++) {
    long known = atomic_load(&meters[i].stops);
    for (long j = 0; j < known && count < total; j++) sum += all[count++] = meters[i].lengths[j];
  }
  qsort(all, count, sizeof *all, ascending);
  printf("{\"iterations\":%ld,\"gaps\":%ld,\"voluntary_gaps\":%ld,\"p50_ns\":%lld,\"p99_ns\":%lld,"
         "\"max_ns\":%lld,\"sum_ns\":%lld,\"seconds\":%.6f}\n",
         iterations, gaps, count, count ? all[count / 2] : 0, count ? all[count * 99 / 100] : 0,
         count ? all[count - 1] : 0, sum, (now_ns() - start) / 1e9);
  free(all);
}

int main(int argc, char **argv) {
  begin();
  thread_count = argument(argc, argv, 1, 1);
  depth = argument(argc, argv, 2, 20);
  if (thread_count < 1 || thread_count > MAX_THREADS) return 2;
  start = now_ns();
  for (long i = 0; i < thread_count; i++) {
    char name[16];
    snprintf(name, sizeof name, "spinner-%ld", i);
    meters[i].lengths = malloc(sizeof(long long) * MAX_GAPS);
    if (!meters[i].lengths) die("malloc");
    start_thread(spinner, &meters[i], name);
  }
  for (long i = 0; i < thread_count; i++) {
    while (atomic_load(&meters[i].iterations) == 0) sleep_ns(MS);
  }
  ready();
  answer(report);
}
