# numpy's C code calls Python and is called by it.
import threading

import numpy

numbers = numpy.arange(400)
table = numpy.random.default_rng(1).random((120, 120))


def square(value):
    total = 0
    for i in range(20):
        total += i
    return value * value + total


def apply_square():
    return numpy.frompyfunc(square, 1, 1)(numbers)


def along_row(row):
    total = 0
    for i in range(300):
        total += i
    return total


def apply_rows():
    return numpy.apply_along_axis(along_row, 1, table)


def sort_numbers():
    return numpy.sort(table, axis=None)


def work():
    while True:
        apply_square()
        apply_rows()
        sort_numbers()


threading.Thread(target=work, daemon=True).start()
print("ready", flush=True)
work()
