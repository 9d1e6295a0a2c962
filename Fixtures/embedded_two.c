// A C program with two interpreters: Python of the first calls a C function, which calls Python of
// the second on the same thread; in the main thread and in another.
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdio.h>

static const char first_text[] =
    "import host, threading\n"
    "def outer_leaf():\n"
    "    return sum(each * each for each in range(100))\n"
    "def outer():\n"
    "    outer_leaf()\n"
    "    host.call()\n"
    "def loop():\n"
    "    while True:\n"
    "        outer()\n"
    "threading.Thread(target=loop, name='beside', daemon=True).start()\n"
    "print('ready', flush=True)\n"
    "loop()\n";

static const char second_text[] =
    "def inner_leaf():\n"
    "    total = 0\n"
    "    for each in range(100):\n"
    "        total += each\n"
    "    return total\n"
    "def inner_outer():\n"
    "    return inner_leaf() + inner_leaf()\n";

static PyInterpreterState *second;
static PyObject *inner;
static __thread PyThreadState *second_here;

__attribute__((noinline)) static PyObject *call_second(PyObject *self, PyObject *arguments) {
  (void)self;
  (void)arguments;
  if (second_here == NULL) second_here = PyThreadState_New(second);
  PyThreadState *first_here = PyThreadState_Swap(second_here);
  PyObject *result = PyObject_CallObject(inner, NULL);
  Py_XDECREF(result);
  PyThreadState_Swap(first_here);
  Py_RETURN_NONE;
}

static PyMethodDef methods[] = {{"call", call_second, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef host = {PyModuleDef_HEAD_INIT, "host", NULL, -1, methods, 0, 0, 0, 0};

static PyObject *make_host(void) { return PyModule_Create(&host); }

static int run(const char *text, const char *name) {
  PyObject *code = Py_CompileString(text, name, Py_file_input);
  PyObject *names = PyModule_GetDict(PyImport_AddModule("__main__"));
  PyObject *result = code ? PyEval_EvalCode(code, names, names) : NULL;
  if (result == NULL) PyErr_Print();
  return result == NULL;
}

int main(void) {
  PyImport_AppendInittab("host", make_host);
  Py_Initialize();
  PyThreadState *first_here = PyThreadState_Get();
  second_here = Py_NewInterpreter();
  if (second_here == NULL) return 1;
  second = second_here->interp;
  if (run(second_text, "second.py")) return 1;
  inner = PyDict_GetItemString(PyModule_GetDict(PyImport_AddModule("__main__")), "inner_outer");
  PyThreadState_Swap(first_here);
  return run(first_text, "first.py");
}
