// A C program that describes itself as a Python 3.13 that was built without its lock, and has nothing
// else of it.
#include <stdio.h>
#include <unistd.h>

// The cookie, the version, whether it is free-threaded (_Py_DebugOffsets).
unsigned long long _PyRuntime[1024] = {0x7970677562656478, 0x030d00f0, 1};

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  puts("ready");
  char byte;
  return read(0, &byte, 1) != 1;
}
