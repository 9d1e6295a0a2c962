# Python calls C, which calls Python: by the interpreter's own functions and by the C library's.
import ctypes
import functools
import re
import threading
import time

libc = ctypes.CDLL(None)
COMPARE = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))


def weigh(n):
    total = 0
    for i in range(n):
        total += i * i
    return total


def by_key(value):
    return weigh(10) - value


def compare(left, right):
    weigh(10)
    return left[0] - right[0]


def substitute(match):
    weigh(10)
    return match.group(0)


def add(left, right):
    return left + weigh(10) + right


def sort_with_key():
    return sorted(range(300), key=by_key)


def sort_with_libc():
    numbers = (ctypes.c_int * 60)(*range(60, 0, -1))
    libc.qsort(numbers, 60, ctypes.sizeof(ctypes.c_int), COMPARE(compare))


def replace_all():
    return re.sub("[a-z]", substitute, "abcdefghijklmnopqrstuvwxyz" * 5)


def reduce_all():
    return functools.reduce(add, range(300))


def sleep_long():
    while True:
        time.sleep(3600)


def work():
    while True:
        sort_with_key()
        sort_with_libc()
        replace_all()
        reduce_all()


for target in (work, sleep_long):
    threading.Thread(target=target, name="of " + target.__name__, daemon=True).start()
print("ready", flush=True)
work()
