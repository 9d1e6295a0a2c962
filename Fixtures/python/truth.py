"""What Python fixtures share: threads that wait in a known place, and the truth about them."""

import ctypes
import json
import sys
import threading
import time

forever = threading.Lock()
forever.acquire()


def thread_id():
    """The kernel's id of this thread; 3.7 cannot tell it."""
    if hasattr(threading, "get_native_id"):
        return threading.get_native_id()
    return ctypes.CDLL(None).syscall(186)


def frames_of(frame):
    """Name, file and line of each frame, innermost first."""
    result = []
    while frame is not None:
        code = frame.f_code
        name = getattr(code, "co_qualname", code.co_name)
        result.append([name, code.co_filename, frame.f_lineno])
        frame = frame.f_back
    return result


class Threads:
    """Threads with their truth."""

    def __init__(self):
        self.ids = {}

    def start(self, name, body):
        def run():
            self.ids[threading.get_ident()] = (name, thread_id())
            body()

        threading.Thread(target=run, name=name, daemon=True).start()

    def add_this_thread(self, name):
        self.ids[threading.get_ident()] = (name, thread_id())

    def look(self):
        frames = sys._current_frames()
        return {
            name: {"tid": tid, "frames": frames_of(frames[ident])}
            for ident, (name, tid) in list(self.ids.items())
            if ident in frames
        }

    def settle(self, count):
        """The truth, once `count` threads sleep and no longer change their lines."""
        last = None
        while True:
            now = self.look()
            asleep = all(state(each["tid"]) == "S" for each in now.values())
            if len(now) == count and asleep and now == last:
                return now
            last = now
            time.sleep(0.02)


def state(tid):
    # As bytes: a name that the kernel has cut may be no text.
    with open("/proc/self/task/%d/stat" % tid, "rb") as file:
        return file.read().rsplit(b")", 1)[1].split()[0].decode()


def serve(threads, count, extra=None):
    """Prints the truth and `ready` when all sleep, then answers `report` for ever."""
    truth = {"threads": threads.settle(count), "version": sys.version}
    truth.update(extra or {})
    print(json.dumps(truth))
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() == "report":
            print(json.dumps({"alive": 1}), flush=True)


def serve_beside(threads, count, extra=None):
    threading.Thread(target=serve, args=(threads, count, extra), daemon=True).start()
