// A thread on each CPU that it may use, at most 64: each notes the time and falls asleep for ever.
#include "fixture.h"
#include <sched.h>

enum { MAX_CPUS = 64 };

static int cpus[MAX_CPUS];
static int count;
static atomic_int tids[MAX_CPUS];
static atomic_llong fell_asleep[MAX_CPUS];

static void *sleeper(void *value) {
  int index = (int)(long)value;
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(cpus[index], &only);
  if (sched_setaffinity(0, sizeof only, &only) != 0) die("sched_setaffinity");
  atomic_store(&tids[index], own_tid());
  atomic_store(&fell_asleep[index], now_ns());
  for (;;) pause();
  return NULL;
}

static void report(void) {
  printf("{\"count\":%d", count);
  for (int i = 0; i < count; i++) {
    printf(",\"tid-%d\":%d,\"asleep-%d\":%lld", i, atomic_load(&tids[i]), i,
           atomic_load(&fell_asleep[i]));
  }
  puts("}");
}

int main(void) {
  begin();
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) die("sched_getaffinity");
  for (int cpu = 0; cpu < CPU_SETSIZE && count < MAX_CPUS; cpu++) {
    if (CPU_ISSET(cpu, &allowed)) cpus[count++] = cpu;
  }
  for (int i = 0; i < count; i++) start_thread(sleeper, (void *)(long)i, "sleeper");
  for (int i = 0; i < count; i++) {
    while (atomic_load(&fell_asleep[i]) == 0) sleep_ns(MS / 2);
    await_state(&tids[i], 'S');
  }
  ready();
  answer(report);
}
