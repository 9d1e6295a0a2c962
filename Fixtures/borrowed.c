// A C program with Python inside: the main thread makes a thread state, and a thread that Python does not
// know runs it; both wait in Python.
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static const char outer_text[] =
    "import os\n"
    "def main_leaf():\n"
    "    os.read(0, 1)\n"
    "def main_outer():\n"
    "    main_leaf()\n"
    "main_outer()\n";

static const char inner_text[] =
    "import os\n"
    "def borrowed_leaf():\n"
    "    os.read(os.pipe()[0], 1)\n"
    "def borrowed_outer():\n"
    "    borrowed_leaf()\n"
    "borrowed_outer()\n";

static void *borrow(void *state) {
  PyEval_RestoreThread(state);
  printf("tid %d\n", (int)gettid());
  PyRun_SimpleString(inner_text);
  return NULL;
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  Py_Initialize();
  PyThreadState *own = PyThreadState_Get();
  // PyThreadState_GetInterpreter is there from 3.9 on.
  PyThreadState *other = PyThreadState_New(own->interp);
  pthread_t thread;
  pthread_create(&thread, NULL, borrow, other);
  // Until the other thread waits.
  Py_BEGIN_ALLOW_THREADS
  usleep(300000);
  Py_END_ALLOW_THREADS
  puts("ready");
  return PyRun_SimpleString(outer_text);
}
