// A C program that describes itself as a Python 3.13 that was built without its lock, and has nothing
// else of it; with FREE_THREADED=0 as one with its lock, whose structures are nowhere.
#include <stdio.h>
#include <unistd.h>

#ifndef FREE_THREADED
#define FREE_THREADED 1
#endif

// The cookie, the version, whether it is free-threaded (_Py_DebugOffsets).
unsigned long long _PyRuntime[1024] = {0x7970677562656478, 0x030d00f0, FREE_THREADED};

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  puts("ready");
  char byte;
  return read(0, &byte, 1) != 1;
}
