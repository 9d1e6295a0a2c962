// moved: a thread that sleeps for some hundred microseconds at a time and always wakes up on another
// CPU than the one it fell asleep on, on a machine that has two.
#include "fixture.h"
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>

static atomic_int tid;
static atomic_int turn;

static void *sleeper(void *value) {
  (void)value;
  atomic_store(&tid, own_tid());
  for (int seen = 0;; seen++) {
    while (atomic_load(&turn) == seen) {
      syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
    }
  }
  return NULL;
}

static void report(void) { printf("{\"tid\":%d,\"turns\":%d}\n", tid, turn); }

static void *waker(void *value) {
  cpu_set_t allowed = *(cpu_set_t *)value;
  for (int cpu = 0;; cpu = (cpu + 1) % CPU_SETSIZE) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(cpu, &only);
    if (sched_setaffinity(tid, sizeof only, &only) != 0) die("sched_setaffinity");
    atomic_fetch_add(&turn, 1);
    syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    sleep_ns(MS / 4);
  }
  return NULL;
}

int main(void) {
  begin();
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) die("sched_getaffinity");
  start_thread(sleeper, NULL, "sleeper");
  await_state(&tid, 'S');
  start_thread(waker, &allowed, "waker");
  while (turn < 10) sleep_ns(MS);
  ready();
  answer(report);
}
