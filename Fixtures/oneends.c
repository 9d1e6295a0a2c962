// oneends: at the line `end` one of its threads ends, and the others go on.
#include "fixture.h"
#include <semaphore.h>

static sem_t end;
static atomic_int tids[2];

static void *ends(void *value) {
  atomic_store(&tids[0], own_tid());
  while (sem_wait(&end) != 0) {
  }
  return value;
}

static void *stays(void *value) {
  atomic_store(&tids[1], own_tid());
  for (;;) pause();
  return value;
}

int main(void) {
  begin();
  sem_init(&end, 0, 0);
  start_thread(ends, NULL, "ends");
  start_thread(stays, NULL, "stays");
  for (int i = 0; i < 2; i++) await_state(&tids[i], 'S');
  ready();
  char line[64];
  while (next_line(line, sizeof line)) {
    if (strcmp(line, "end") == 0) sem_post(&end);
  }
  for (;;) pause();
}
