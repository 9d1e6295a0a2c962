// crowd threads|processes COUNT: so many, of which the first computes in `recount`; half of the others wait
// for work, half sleep.
#include "fixture.h"
#include <sys/wait.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static volatile unsigned long sum;

NOINLINE static void recount(void) {
  for (unsigned long i = 0;; i++) sum += i * i;
}

NOINLINE static void await_work(void) {
  pthread_mutex_lock(&mutex);
  for (;;) pthread_cond_wait(&condition, &mutex);
}

NOINLINE static void serve(long number) {
  if (number == 0) recount();
  if (number % 2) await_work();
  for (;;) sleep_ns(1000 * MS + number * MS);
}

static void *body(void *value) {
  serve((long)value);
  return NULL;
}

static void start_threads(long count) {
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 65536);
  for (long i = 0; i < count; i++) {
    pthread_t thread;
    if (pthread_create(&thread, &small, body, (void *)i) != 0) die("pthread_create");
    char name[16];
    snprintf(name, sizeof name, "client-%d", (int)i);
    pthread_setname_np(thread, name);
  }
}

NOINLINE static void wait_for_children(void) {
  int status;
  while (waitpid(-1, &status, 0) > 0 || errno == EINTR) {
  }
}

int main(int argc, char **argv) {
  begin();
  long count = argument(argc, argv, 2, 10);
  if (argc > 1 && strcmp(argv[1], "processes") == 0) {
    for (long i = 0; i < count; i++) {
      pid_t pid = fork();
      if (pid < 0) die("fork");
      if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve(i);
      }
    }
    ready();
    wait_for_children();
    return 0;
  }
  start_threads(count);
  ready();
  sleep_ns(900000 * MS);
}
