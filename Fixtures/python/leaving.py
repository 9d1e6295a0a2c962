# Computes in `work`, in a thread "stays" of its own; at the line `go` the main thread ends, and the
# process goes on without it.
import ctypes
import sys
import threading


def work():
    while True:
        sum(range(1000))


threading.Thread(target=work, name="stays").start()
print("ready", flush=True)
sys.stdin.readline()
ctypes.CDLL(None).pthread_exit(None)
