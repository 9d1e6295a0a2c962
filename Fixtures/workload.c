// A program with known shares of time, for comparing two variants of it: a thread that never rests
// does the work of three functions in turn, in units that all cost the same.
//
// Arguments: percent by which parse_row is slower (0 for none); milliseconds that each turn's lock is
// held by another thread (0 for none). -DPARSE_ROW=name renames parse_row, and -DINLINE_PARSE lets
// the compiler inline it.
#include "fixture.h"

#ifndef PARSE_ROW
#define PARSE_ROW parse_row
#endif
#ifdef INLINE_PARSE
#define PARSE_KIND __attribute__((always_inline)) static inline
#else
#define PARSE_KIND NOINLINE static
#endif

// Units of one turn; their sum without a slowdown is 100, so these are percents, too.
enum { PARSE_UNITS = 20, HASH_UNITS = 50, FORMAT_UNITS = 30 };
enum { UNIT_LOOPS = 2000 };

static long slowdown;
static long hold_ms;
static atomic_llong turns;
static atomic_llong waited_ns;
static long long start;
static volatile unsigned long sink;
static pthread_mutex_t orders_lock = PTHREAD_MUTEX_INITIALIZER;

// Inlined everywhere, so that the time is that of the functions which call it.
__attribute__((always_inline)) static inline void work(long units) {
  unsigned long value = sink;
  for (long i = 0; i < units * UNIT_LOOPS / 100; i++) {
    value = value * 6364136223846793005UL + 1442695040888963407UL;
    __asm__ volatile("" : "+r"(value));
  }
  sink = value;
}

PARSE_KIND void PARSE_ROW(void) { work(PARSE_UNITS * (100 + slowdown)); }
NOINLINE static void hash_block(void) { work(HASH_UNITS * 100); }
NOINLINE static void format_row(void) { work(FORMAT_UNITS * 100); }

NOINLINE static void save_orders(void) {
  long long before = now_ns();
  pthread_mutex_lock(&orders_lock);
  pthread_mutex_unlock(&orders_lock);
  atomic_fetch_add(&waited_ns, now_ns() - before);
}

NOINLINE static void handle_request(void) {
  PARSE_ROW();
  hash_block();
  format_row();
  if (hold_ms > 0 && atomic_load(&turns) % 16 == 0) save_orders();
}

static void *worker(void *unused) {
  for (;;) {
    handle_request();
    atomic_fetch_add(&turns, 1);
  }
  return unused;
}

static void *holder(void *unused) {
  for (;;) {
    pthread_mutex_lock(&orders_lock);
    sleep_ns(hold_ms * MS);
    pthread_mutex_unlock(&orders_lock);
    sleep_ns(4 * hold_ms * MS);
  }
  return unused;
}

static void report(void) {
  double units = PARSE_UNITS * (1 + slowdown / 100.0) + HASH_UNITS + FORMAT_UNITS;
  printf(
      "{\"turns\": %lld, \"parse_share\": %.6f, \"hash_share\": %.6f, \"waited_ns\": %lld, "
      "\"seconds\": %.6f}\n",
      (long long)atomic_load(&turns), PARSE_UNITS * (1 + slowdown / 100.0) / units,
      HASH_UNITS / units, (long long)atomic_load(&waited_ns), (now_ns() - start) / 1e9);
}

int main(int argc, char **argv) {
  begin();
  slowdown = argument(argc, argv, 1, 0);
  hold_ms = argument(argc, argv, 2, 0);
  start = now_ns();
  start_thread(worker, NULL, "worker");
  if (hold_ms > 0) start_thread(holder, NULL, "holder");
  while (atomic_load(&turns) == 0) sleep_ns(MS);
  ready();
  answer(report);
}
