"""Threads that never sleep, whose possible stacks are known: see the names of the functions."""

import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from truth import thread_id

turns = 0


def leaf_a():
    return sum(range(40))


def leaf_b():
    return sum(range(40))


def hot_a():
    for _ in range(20):
        leaf_a()


def hot_b():
    for _ in range(20):
        leaf_b()


def flat():
    global turns
    while True:
        hot_a()
        hot_b()
        turns += 1


def numbers_a(depth):
    if depth:
        yield from numbers_a(depth - 1)
    yield leaf_a()


def numbers_b(depth):
    if depth:
        for value in numbers_b(depth - 1):
            yield value
    yield leaf_b()


def generators():
    while True:
        for _ in numbers_a(6):
            pass
        for _ in numbers_b(6):
            pass


SOURCE = "def f_{0}():\n" + "    pass\n" * 3 + "    for _ in range(20):\n        leaf()\n\nf_{0}()\n"


def churn():
    number = 0
    while True:
        number += 1
        name = "made_%d" % (number % 1000)
        exec(compile(SOURCE.format(number % 1000), name, "exec"), {"leaf": leaf_a})


def main():
    body = {"flat": flat, "generators": generators, "churn": churn}[sys.argv[1]]
    ids = []

    def run():
        ids.append(thread_id())
        body()

    threading.Thread(target=run, daemon=True).start()
    while not ids:
        pass
    print('{"threads": {}, "tid": %d}' % ids[0])
    print("ready", flush=True)
    for line in sys.stdin:
        print('{"turns": %d}' % turns, flush=True)


main()
