"""`timed.py MODE …`: threads that know how much CPU and wall time each of their functions took.

The modes are those of `timed.c`: `locked MS`, `bursts SPIN SLEEP`, `calls`, `pool`, `loop`; `children N
MODE …` has them in N child processes. Answers `between FROM TO` (nanoseconds since 1970) with what the
functions took in that time.
"""

import json
import os
import queue
import random
import selectors
import signal
import sys
import threading
import time

MS = 1_000_000
events = []
local = threading.local()
cpu_ns = time.thread_time_ns
now_ns = time.monotonic_ns


def account(function):
    cpu, wall = cpu_ns(), now_ns()
    if hasattr(local, "wall"):
        events.append((wall, wall - local.wall, cpu - local.cpu, function))
    local.cpu, local.wall = cpu, wall


def about_one():
    return 0.5 + random.random()


def spin_until(end):
    while now_ns() < end:
        pass


def burn(milliseconds):
    end = cpu_ns() + milliseconds * about_one() * MS
    while cpu_ns() < end:
        pass


def rest(milliseconds):
    time.sleep(milliseconds * about_one() / 1000)


# Each metered function has one line, so that the report has one row for it.
def first_phase(end): spin_until(end); account("first_phase")
def second_phase(end): spin_until(end); account("second_phase")
def third_phase(end): spin_until(end); account("third_phase")
def spin_for(length): burn(length); account("spin_for")
def sleep_for(length): rest(length); account("sleep_for")
def in_kernel(): call_kernel(4); account("in_kernel")
def in_program(): burn(3); account("in_program")
def at_rest(): rest(6); account("at_rest")
def take_job(): job = jobs.get(); account("take_job"); return job
def short_job(): burn(0.7); account("short_job")
def long_job(): burn(4); account("long_job")
def waiting_job(): rest(3); account("waiting_job")
def wait_for_events(selector): found = selector.select(); account("wait_for_events"); return found
def small_handler(): burn(0.6); account("small_handler")
def large_handler(): burn(5); account("large_handler")


def locked(length):
    period = int(float(length) * MS)
    while True:
        start = now_ns() // period * period
        first_phase(start + period // 2)
        second_phase(start + period * 8 // 10)
        third_phase(start + period)


def bursts(spin, sleep):
    spin, sleep = float(spin), float(sleep)
    while True:
        spin_for(spin)
        sleep_for(sleep)


def call_kernel(milliseconds):
    zero = os.open("/dev/zero", os.O_RDONLY)
    end = cpu_ns() + milliseconds * about_one() * MS
    while cpu_ns() < end:
        for _ in range(20):
            os.read(zero, 4096)
            os.getppid()
    os.close(zero)


def calls():
    while True:
        in_kernel()
        in_program()
        at_rest()


jobs = queue.Queue()


def pool():
    while True:
        take_job()()


def pool_source():
    while True:
        rest(8)
        for job, chance in ((short_job, 0.9), (long_job, 0.3), (waiting_job, 0.3)):
            if jobs.qsize() < 8 and random.random() < chance:
                jobs.put(job)


pipes = [os.pipe(), os.pipe()]


def loop():
    selector = selectors.DefaultSelector()
    for pipe, handler in zip(pipes, (small_handler, large_handler)):
        selector.register(pipe[0], selectors.EVENT_READ, handler)
    while True:
        for key, _ in wait_for_events(selector):
            os.read(key.fd, 1)
            key.data()


def loop_source():
    while True:
        rest(8)
        if random.random() < 0.8:
            os.write(pipes[0][1], b"x")
        if random.random() < 0.4:
            os.write(pipes[1][1], b"x")


MODES = {
    "locked": [(locked, 1)], "bursts": [(bursts, 1)], "calls": [(calls, 1)],
    "pool": [(pool, 3), (pool_source, 1)], "loop": [(loop, 1), (loop_source, 1)],
}


def start(mode, arguments):
    for body, count in MODES[mode]:
        for _ in range(count):
            threading.Thread(
                target=body, args=() if "source" in body.__name__ else arguments, daemon=True).start()


def totals(start, end):
    offset = time.time_ns() - now_ns()
    figures = {}
    for last, wall, cpu, function in events[:]:
        first = max(last + offset - wall, start)
        part = min(last + offset, end) - first
        if wall > 0 and part > 0:
            for key, value in (("_cpu", cpu), ("_wall", wall)):
                figures[function + key] = figures.get(function + key, 0) + value * part / wall
    return figures


def answer(lines, output, children=()):
    for line in lines:
        words = line.split()
        if len(words) != 3 or words[0] != "between":
            continue
        figures = totals(int(words[1]), int(words[2]))
        for to_child, from_child in children:
            print(line.strip(), file=to_child, flush=True)
            for key, value in json.loads(from_child.readline()).items():
                figures[key] = figures.get(key, 0) + value
        print(json.dumps(figures), file=output, flush=True)


def child(mode, arguments):
    questions, answers = os.pipe(), os.pipe()
    if os.fork() > 0:
        return open(questions[1], "w"), open(answers[0])
    # What reads nothing any more ends with its parent.
    os.close(questions[1])
    start(mode, arguments)
    answer(open(questions[0]), open(answers[1], "w"))
    os.kill(os.getpid(), signal.SIGKILL)


arguments = sys.argv[1:]
children = []
if arguments[0] == "children":
    children = [child(arguments[2], arguments[3:]) for _ in range(int(arguments[1]))]
    time.sleep(0.2)
else:
    start(arguments[0], arguments[1:])
    while len(events) < 16:
        time.sleep(0.01)
print("ready", flush=True)
answer(sys.stdin, sys.stdout, children)
