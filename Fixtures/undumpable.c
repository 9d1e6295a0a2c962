// undumpable: a program that denies others of its user to trace it (PR_SET_DUMPABLE 0).
#include "fixture.h"

static void report(void) { puts("{\"alive\":1}"); }

int main(void) {
  begin();
  prctl(PR_SET_DUMPABLE, 0);
  ready();
  answer(report);
}
