// contention: four locks, each fought for by four threads of its own, named after it; each holds it
// for a moment, again and again.
#include "fixture.h"

enum { LOCKS = 4, THREADS = 4 };
static const char *names[LOCKS] = {"plain", "recursive", "inheriting", "readwrite"};
static pthread_mutex_t mutexes[3];
static pthread_rwlock_t readwrite = PTHREAD_RWLOCK_INITIALIZER;
static atomic_long turns;

static void *worker(void *value) {
  int lock = (int)(long)value;
  unsigned seed = (unsigned)own_tid();
  for (;;) {
    if (lock < 3) {
      pthread_mutex_lock(&mutexes[lock]);
    } else {
      pthread_rwlock_wrlock(&readwrite);
    }
    sleep_ns(100000 + rand_r(&seed) % 400000);
    if (lock < 3) {
      pthread_mutex_unlock(&mutexes[lock]);
    } else {
      pthread_rwlock_unlock(&readwrite);
    }
    atomic_fetch_add(&turns, 1);
    sleep_ns(rand_r(&seed) % 200000);
  }
  return NULL;
}

static void report(void) { printf("{\"turns\":%ld}\n", turns); }

int main(void) {
  begin();
  for (int i = 0; i < 3; i++) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, i == 1 ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL);
    pthread_mutexattr_setprotocol(&attributes, i == 2 ? PTHREAD_PRIO_INHERIT : PTHREAD_PRIO_NONE);
    pthread_mutex_init(&mutexes[i], &attributes);
  }
  for (long i = 0; i < LOCKS * THREADS; i++) {
    start_thread(worker, (void *)(i / THREADS), names[i / THREADS]);
  }
  while (turns < 100) sleep_ns(MS);
  ready();
  answer(report);
}
