"""Eight threads beside the main one: three compute and share the GIL, one holds a lock that two others want,
two wait for work. Prints `ready`."""
import queue, threading, time

work, lock = queue.Queue(), threading.Lock()


def crunch():
    while True:
        sum(number * number for number in range(20000))
        time.sleep(0.001)


def hold():
    while True:
        with lock: time.sleep(0.2)
        time.sleep(0.01)


def want():
    while True:
        with lock: time.sleep(0.005)


def rest():
    while True: work.get()


for name, target, count in ("crunch", crunch, 3), ("hold", hold, 1), ("want", want, 2), ("rest", rest, 2):
    for number in range(count):
        threading.Thread(target=target, name=f"{name}-{number}", daemon=True).start()
print("ready", flush=True)
time.sleep(600)
