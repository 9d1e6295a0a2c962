// handler: a thread that computes and gets a SIGUSR1, SIGALRM or SIGCHLD each millisecond, the next
// one once the last has been handled; a signal not handled within 2 s counts as lost.
#include "fixture.h"

static atomic_int tid;
static atomic_long sent, handled, lost, iterations;
static volatile double sink = 1;

NOINLINE static void on_signal(int number) {
  (void)number;
  atomic_fetch_add(&handled, 1);
}

NOINLINE static void compute(void) {
  for (;;) {
    sink = sink * 1.0000001 + 0.5;
    atomic_fetch_add_explicit(&iterations, 1, memory_order_relaxed);
  }
}

static void *worker(void *value) {
  (void)value;
  atomic_store(&tid, own_tid());
  compute();
  return NULL;
}

static void *sender(void *value) {
  static const int numbers[] = {SIGUSR1, SIGALRM, SIGCHLD};
  (void)value;
  for (long i = 0;; i++) {
    long before = atomic_load(&handled);
    atomic_fetch_add(&sent, 1);
    syscall(SYS_tgkill, getpid(), atomic_load(&tid), numbers[i % 3]);
    long long end = now_ns() + 2000 * MS;
    while (atomic_load(&handled) == before && now_ns() < end) sleep_ns(MS / 20);
    if (atomic_load(&handled) == before) atomic_fetch_add(&lost, 1);
    sleep_ns(MS);
  }
  return NULL;
}

static void report(void) {
  printf("{\"sent\":%ld,\"handled\":%ld,\"lost\":%ld,\"iterations\":%ld}\n", sent, handled, lost,
         iterations);
}

int main(void) {
  begin();
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGALRM, &action, NULL);
  sigaction(SIGCHLD, &action, NULL);
  start_thread(worker, NULL, "worker");
  while (atomic_load(&iterations) == 0) sleep_ns(MS);
  start_thread(sender, NULL, "sender");
  while (atomic_load(&handled) == 0) sleep_ns(MS);
  ready();
  answer(report);
}
