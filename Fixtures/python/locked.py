"""Threads that wait for a lock of Python's threading, whose holder does something else.

Arguments: how the lock is held, and what the holder does meanwhile; the main thread sleeps.
with | nested | condition | rlock | acquired | main | crossed, sleep | read: they hang.
accept | queue | executor | barrier: pools without work.
"""
import concurrent.futures
import queue
import socket
import sys
import threading
import time

lock = threading.Lock()
other = threading.Lock()
condition = threading.Condition(threading.Lock())
reentrant = threading.RLock()
entered = threading.Event()
ours, theirs = socket.socketpair()


def rest():
    if sys.argv[2] == "read":
        ours.recv(1)
    else:
        time.sleep(3600)


def hold(by):
    if by == "with":
        with lock:
            entered.set()
            rest()
    elif by == "nested":
        with other, open(__file__):
            for _ in range(1):
                with lock:
                    entered.set()
                    rest()
    elif by == "condition":
        with condition:
            entered.set()
            rest()
    elif by == "rlock":
        reentrant.acquire()
        entered.set()
        rest()
    elif by == "acquired":
        lock.acquire()
        entered.set()
        rest()


def want(by):
    if by == "condition":
        with condition:
            pass
    elif by == "rlock":
        with reentrant:
            pass
    elif by == "acquired":
        lock.acquire()
    else:
        with lock:
            pass


def cross(mine, another, others):
    with mine:
        others.wait()
        with another:
            pass


def take_turns(listener):
    while True:
        with lock:
            listener.accept()


def start(name, function, *arguments):
    threading.Thread(target=function, args=arguments, name=name, daemon=True).start()


def hang(by):
    if by == "main":
        lock.acquire()
        lock.release()
        with lock:
            for number in range(8):
                start(f"worker-{number}", want, by)
            print("ready", flush=True)
            rest()
    elif by == "crossed":
        both = threading.Barrier(2)
        start("left", cross, lock, other, both)
        start("right", cross, other, lock, both)
    else:
        start("holder", hold, by)
        entered.wait()
        for number in range(8):
            start(f"worker-{number}", want, by)


def serve(kind):
    if kind == "accept":
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        for number in range(4):
            start(f"worker-{number}", take_turns, listener)
    elif kind == "queue":
        jobs = queue.Queue()
        for number in range(4):
            start(f"worker-{number}", jobs.get)
    elif kind == "barrier":
        barrier = threading.Barrier(9)
        semaphore = threading.Semaphore(0)
        for number in range(4):
            start(f"worker-{number}", barrier.wait)
            start(f"taker-{number}", semaphore.acquire)
            start(f"listener-{number}", threading.Event().wait)
    else:
        pool = concurrent.futures.ThreadPoolExecutor(4)
        for future in [pool.submit(time.sleep, 0.02) for _ in range(8)]:
            future.result()


if len(sys.argv) > 2:
    hang(sys.argv[1])
else:
    serve(sys.argv[1])
print("ready", flush=True)
while True:
    time.sleep(3600)
