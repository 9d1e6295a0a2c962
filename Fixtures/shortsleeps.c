// shortsleeps: a thread in sleeps of about 30 µs, shorter than it takes to copy its stack.
#include "fixture.h"
#include <sys/prctl.h>

static NOINLINE void sleep_shortly(void) { sleep_ns(30000); }

static void *sleeper(void *unused) {
  (void)unused;
  // Else the kernel makes each sleep 50 µs longer.
  prctl(PR_SET_TIMERSLACK, 1);
  for (;;) sleep_shortly();
}

int main(void) {
  begin();
  start_thread(sleeper, NULL, "sleeper");
  ready();
  for (;;) pause();
}
