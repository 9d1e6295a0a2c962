// A C program that runs Python within; with an argument it waits for a line before it starts Python.
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdio.h>
#include <unistd.h>

static const char text[] =
    "import os\n"
    "def innermost():\n"
    "    os.read(0, 1)\n"
    "def called_from_c():\n"
    "    innermost()\n"
    "called_from_c()\n";

__attribute__((noinline)) static int run_python(void) { return PyRun_SimpleString(text); }

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (argc > 1) {
    // Before Py_Initialize: the interpreter is mapped, and has no threads yet.
    puts("ready");
    char byte;
    if (read(0, &byte, 1) != 1) return 1;
  }
  Py_Initialize();
  puts("ready");
  int result = run_python();
  Py_Finalize();
  return result;
}
