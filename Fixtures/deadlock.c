// deadlock THREADS: that many threads, each with one lock and waiting for the next one's. Prints
// `tid NAME TID` of each.
#include "fixture.h"

enum { LIMIT = 64 };
static pthread_mutex_t locks[LIMIT];
static atomic_int tids[LIMIT], arrived;
static int count;

static void *worker(void *value) {
  int own = (int)(long)value;
  pthread_mutex_lock(&locks[own]);
  atomic_fetch_add(&arrived, 1);
  while (arrived < count) sleep_ns(MS / 10);
  atomic_store(&tids[own], own_tid());
  pthread_mutex_lock(&locks[(own + 1) % count]);
  return NULL;
}

int main(int argc, char **argv) {
  begin();
  count = (int)argument(argc, argv, 1, 2);
  for (int i = 0; i < LIMIT; i++) pthread_mutex_init(&locks[i], NULL);
  for (long i = 0; i < count; i++) {
    char name[32];
    snprintf(name, sizeof name, "worker-%ld", i);
    start_thread(worker, (void *)i, name);
  }
  for (int i = 0; i < count; i++) {
    await_state(&tids[i], 'S');
    printf("tid worker-%d %d\n", i, tids[i]);
  }
  ready();
  for (;;) pause();
}
