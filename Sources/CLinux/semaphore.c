// For sem_clockwait; here and not in the header, which Swift reads.
#define _GNU_SOURCE
#include "CLinux.h"
#include <time.h>

int sprof_wait_for_semaphore(sem_t *semaphore, int64_t deadline) {
  struct timespec time = {deadline / 1000000000, deadline % 1000000000};
  int result;
  do result = sem_clockwait(semaphore, CLOCK_MONOTONIC, &time);
  while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : -errno;
}
