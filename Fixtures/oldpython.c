// A C program that has of Python what those before 3.7 had, and nothing else. BANNER is the text of
// Py_GetVersion.
#include <stdio.h>
#include <unistd.h>

void *_PyThreadState_Current;
char version[] = BANNER;

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  _PyThreadState_Current = version;
  puts("ready");
  char byte;
  return read(0, &byte, 1) != 1;
}
