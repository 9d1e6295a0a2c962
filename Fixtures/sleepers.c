// sleepers [BLOCKED [SPINNING]]: threads that sleep in four different ways, and threads that spin.
// The figure `wakeups` counts how often a sleeper came back: never, if nobody touches them.
#include "fixture.h"
#include <poll.h>
#include <semaphore.h>

enum { MAX_THREADS = 4096 };

static atomic_int tids[MAX_THREADS];
static atomic_long wakeups, iterations;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static sem_t semaphore;
static int ends[2];
static volatile double sink = 1;

NOINLINE static void wait_for_condition(void) {
  pthread_mutex_lock(&mutex);
  pthread_cond_wait(&condition, &mutex);
  pthread_mutex_unlock(&mutex);
}

NOINLINE static void read_from_pipe(void) {
  char byte;
  if (read(ends[0], &byte, 1) < 0) atomic_fetch_add(&wakeups, 1);
}

NOINLINE static void poll_for_ever(void) {
  struct pollfd entry = {.fd = ends[0], .events = POLLIN};
  if (poll(&entry, 1, -1) < 0) atomic_fetch_add(&wakeups, 1);
}

NOINLINE static void wait_for_semaphore(void) {
  if (sem_wait(&semaphore) < 0) atomic_fetch_add(&wakeups, 1);
}

static void *sleeper(void *value) {
  long index = (long)value;
  atomic_store(&tids[index], own_tid());
  for (;;) {
    switch (index % 4) {
    case 0: wait_for_condition(); break;
    case 1: read_from_pipe(); break;
    case 2: poll_for_ever(); break;
    default: wait_for_semaphore(); break;
    }
    atomic_fetch_add(&wakeups, 1);
  }
  return NULL;
}

NOINLINE static void compute(void) {
  for (;;) {
    sink = sink * 1.0000001 + 0.5;
    atomic_fetch_add_explicit(&iterations, 1, memory_order_relaxed);
  }
}

static void *spinner(void *value) {
  (void)value;
  compute();
  return NULL;
}

static void report(void) {
  printf("{\"wakeups\":%ld,\"iterations\":%ld}\n", atomic_load(&wakeups),
         atomic_load(&iterations));
}

int main(int argc, char **argv) {
  begin();
  long blocked = argument(argc, argv, 1, 8), spinning = argument(argc, argv, 2, 0);
  if (blocked < 0 || blocked > MAX_THREADS || pipe(ends) != 0) return 2;
  sem_init(&semaphore, 0, 0);
  for (long i = 0; i < blocked; i++) {
    char name[32];
    snprintf(name, sizeof name, "sleeper-%d", (int)i);
    start_thread(sleeper, (void *)i, name);
  }
  for (long i = 0; i < blocked; i++) await_state(&tids[i], 'S');
  for (long i = 0; i < spinning; i++) {
    char name[32];
    snprintf(name, sizeof name, "spinner-%d", (int)i);
    start_thread(spinner, NULL, name);
  }
  while (spinning > 0 && atomic_load(&iterations) == 0) sleep_ns(MS);
  ready();
  answer(report);
}
