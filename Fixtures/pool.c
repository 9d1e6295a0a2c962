// pool [idle | busy | timers]: four workers behind a queue with a mutex and a condition, healthy in
// every mode: without work, with a job each millisecond, or beside threads that wake by a timer.
#include "fixture.h"
#include <stdint.h>
#include <sys/timerfd.h>

enum { WORKERS = 4, ROOM = 64 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER, emptied = PTHREAD_COND_INITIALIZER;
static int jobs[ROOM], count;
static atomic_long done;
static volatile unsigned sink;

NOINLINE static void run_job(int job) {
  for (int i = 0; i < 200000; i++) sink = sink * 31 + (unsigned)job;
  atomic_fetch_add(&done, 1);
}

NOINLINE static int take_job(void) {
  pthread_mutex_lock(&mutex);
  while (count == 0) pthread_cond_wait(&filled, &mutex);
  int job = jobs[--count];
  pthread_cond_signal(&emptied);
  pthread_mutex_unlock(&mutex);
  return job;
}

NOINLINE static void put_job(int job) {
  pthread_mutex_lock(&mutex);
  while (count == ROOM) pthread_cond_wait(&emptied, &mutex);
  jobs[count++] = job;
  pthread_cond_signal(&filled);
  pthread_mutex_unlock(&mutex);
}

static void *pool_thread(void *value) {
  for (;;) run_job(take_job());
  return value;
}

static void *producer(void *value) {
  for (int job = 0;; job++) {
    put_job(job);
    sleep_ns(MS);
  }
  return value;
}

static void *ticking(void *value) {
  for (;;) {
    sleep_ns((intptr_t)value * MS);
    atomic_fetch_add(&done, 1);
  }
  return value;
}

static void *timer_thread(void *value) {
  struct itimerspec spec = {.it_value.tv_nsec = 20 * MS, .it_interval.tv_nsec = 20 * MS};
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  uint64_t turns;
  timerfd_settime(timer, 0, &spec, NULL);
  while (read(timer, &turns, sizeof turns) > 0) atomic_fetch_add(&done, 1);
  return value;
}

static void report(void) { printf("{\"done\":%ld}\n", done); }

int main(int argc, char **argv) {
  begin();
  const char *mode = argc > 1 ? argv[1] : "idle";
  for (int i = 0; i < WORKERS; i++) start_thread(pool_thread, NULL, "pool");
  if (strcmp(mode, "busy") == 0) start_thread(producer, NULL, "producer");
  if (strcmp(mode, "timers") == 0) {
    start_thread(timer_thread, NULL, "timerfd");
    for (intptr_t i = 1; i < 4; i++) start_thread(ticking, (void *)(i * 500), "ticking");
  }
  sleep_ns(10 * MS);
  ready();
  answer(report);
  return 0;
}
