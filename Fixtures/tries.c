// tries: the main thread tries for a mutex again and again, for so many milliseconds each time; the thread
// "owner" keeps it and sleeps for ever.
//
// tries MS
#include "fixture.h"

static pthread_mutex_t token = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t taken;

static void *owner(void *unused) {
  (void)unused;
  pthread_mutex_lock(&token);
  pthread_barrier_wait(&taken);
  for (;;) pause();
}

int main(int count, char **arguments) {
  begin();
  long long limit = count > 1 ? atoll(arguments[1]) * 1000000 : 100000000;
  pthread_barrier_init(&taken, NULL, 2);
  pthread_t thread;
  if (pthread_create(&thread, NULL, owner, NULL) != 0) die("no thread");
  pthread_setname_np(thread, "owner");
  pthread_barrier_wait(&taken);
  ready();
  for (;;) {
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    long long sum = end.tv_nsec + limit;
    end.tv_sec += sum / 1000000000;
    end.tv_nsec = sum % 1000000000;
    if (pthread_mutex_timedlock(&token, &end) == 0) die("nobody has the lock");
  }
}
