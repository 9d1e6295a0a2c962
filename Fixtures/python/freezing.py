"""freezing.py LOOP [TIMES]: an event loop of asyncio, tk or qt whose handlers now and then take long.

At the line `go` on its standard input save_settings sleeps 0.4 s and reindex computes 0.25 s, in turn,
TIMES times each (2), with 0.3 s of rest before each; then it prints `done SECONDS...`, how long each took.
With `animate` as TIMES the loop draws 60 times a second for 10 ms each, and never freezes. With `lock` asyncio
waits three times for a lock that the thread `holder` holds for 0.8 s; with `storm` it calls 80 handlers in a row
that sleep for 10 ms each.
"""
import sys
import threading
import time

loop_name, times = sys.argv[1], (sys.argv[2:] + ["2"])[0]
lengths = []


def spend(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        sum(range(1000))


def save_settings():
    begin = time.monotonic()
    time.sleep(0.4)
    lengths.append(time.monotonic() - begin)


def reindex():
    begin = time.monotonic()
    spend(0.25)
    lengths.append(time.monotonic() - begin)


lock = threading.Lock()


def hold(held):
    with lock:
        held.set()
        time.sleep(0.8)


def wait_for_holder():
    held = threading.Event()
    threading.Thread(target=hold, args=(held,), name="holder").start()
    held.wait()
    begin = time.monotonic()
    with lock:
        lengths.append(time.monotonic() - begin)


def draw():
    spend(0.01)


def plan():
    if times == "lock":
        return [wait_for_holder] * 3
    return [] if times == "animate" else [save_settings, reindex] * int(times)


def tell():
    words = [f"{length:.4f}" for length in lengths]
    lengths.clear()
    print("done", *words, flush=True)


def listen(then):
    """Calls `then` on a thread of its own once `go` was read, as often as it is."""
    def read():
        for line in sys.stdin:
            if line.strip() == "go":
                then()

    threading.Thread(target=read, daemon=True, name="commands").start()


def run_asyncio():
    import asyncio

    async def act():
        if times == "animate":
            while True:
                draw()
                await asyncio.sleep(0.0067)
        if times == "storm":
            await asyncio.sleep(0.3)
            for _ in range(80):
                time.sleep(0.01)
                await asyncio.sleep(0)
            await asyncio.sleep(0.3)
            return tell()
        loop = asyncio.get_running_loop()
        for number, handler in enumerate(plan()):
            await asyncio.sleep(0.3)
            loop.call_soon(handler)
            while len(lengths) <= number:
                await asyncio.sleep(0)
        await asyncio.sleep(0.3)
        tell()

    async def main():
        loop = asyncio.get_running_loop()
        listen(lambda: loop.call_soon_threadsafe(lambda: tasks.append(loop.create_task(act()))))
        tasks = []
        print("ready", flush=True)
        while True:
            await asyncio.sleep(0.05)

    asyncio.run(main())


def run_tk():
    import tkinter

    root = tkinter.Tk()
    handlers = []
    started = threading.Event()

    def step():
        if len(lengths) == len(handlers):
            return tell()
        root.after(1, handlers[len(lengths)])
        root.after(2, rest, len(lengths) + 1)

    def rest(count):
        if len(lengths) < count:
            return root.after(1, rest, count)
        root.after(300, step)

    def animate():
        draw()
        root.after(7, animate)

    def poll():
        nonlocal handlers
        if started.is_set():
            started.clear()
            if times == "animate":
                animate()
            else:
                handlers = plan()
                root.after(300, step)
        root.after(50, poll)

    listen(started.set)
    poll()
    print("ready", flush=True)
    root.mainloop()


def run_qt():
    from PyQt5.QtCore import QObject, QTimer, pyqtSignal
    from PyQt5.QtWidgets import QApplication, QPushButton

    class Commands(QObject):
        go = pyqtSignal()

    application = QApplication(sys.argv[:1])
    button = QPushButton("freezing")
    button.show()
    commands = Commands()
    handlers = []

    def step():
        if len(lengths) == len(handlers):
            return tell()
        QTimer.singleShot(1, handlers[len(lengths)])
        QTimer.singleShot(2, lambda count=len(lengths) + 1: rest(count))

    def rest(count):
        if len(lengths) < count:
            return QTimer.singleShot(1, lambda: rest(count))
        QTimer.singleShot(300, step)

    def begin():
        handlers[:] = plan()
        if times == "animate":
            timer.start(16)
        else:
            QTimer.singleShot(300, step)

    timer = QTimer()
    timer.timeout.connect(draw)
    commands.go.connect(begin)
    listen(commands.go.emit)
    QTimer.singleShot(0, lambda: print("ready", flush=True))
    application.exec_()


{"asyncio": run_asyncio, "tk": run_tk, "qt": run_qt}[loop_name]()
