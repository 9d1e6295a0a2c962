// Starts children that end at once, one after the other, some threads at a time; with a number, only
// so many, and then works for a while and ends.
#include "fixture.h"
#include <sys/wait.h>

static atomic_long ended, failed;
static atomic_long left;

static void *starter(void *value) {
  (void)value;
  while (atomic_fetch_sub(&left, 1) > 0) {
    pid_t pid = fork();
    if (pid == 0) _exit(7);
    int status = 0;
    pid_t got;
    do got = pid > 0 ? waitpid(pid, &status, 0) : -1;
    while (got < 0 && errno == EINTR);
    if (got == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7) atomic_fetch_add(&ended, 1);
    else atomic_fetch_add(&failed, 1);
  }
  return NULL;
}

static void report(void) {
  printf("{\"ended\": %ld, \"failed\": %ld}\n", atomic_load(&ended), atomic_load(&failed));
}

int main(int argc, char **argv) {
  long count = argument(argc, argv, 1, 0);
  atomic_store(&left, count > 0 ? count : 1L << 60);
  begin();
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) threads[i] = start_thread(starter, NULL, "starter");
  if (count > 0) {
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    report();
    return 0;
  }
  ready();
  answer(report);
}
