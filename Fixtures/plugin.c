// A plug-in for plugins.c, compiled with -DCOLOR=…, with which its functions' names begin.
#include "fixture.h"

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define NAME(suffix) JOIN(COLOR, suffix)

NOINLINE void NAME(_leaf)(volatile long *x) {
  for (int i = 0; i < 100000; i++) *x += i;
}

NOINLINE void NAME(_mid)(volatile long *x) {
  volatile char pad[32];
  pad[0] = 1;
  NAME(_leaf)(x);
  pad[1] = pad[0];
}

NOINLINE void NAME(_sleep)(void) {
  for (;;) pause();
}

void plugin_entry(long ns) {
  volatile long x = 0;
  if (ns == 0) NAME(_sleep)();
  for (long long end = now_ns() + ns; now_ns() < end;) NAME(_mid)(&x);
}
