"""A program that hangs in the handler of a click, which it makes itself: `window.py TOOLKIT MODE`.

TOOLKIT is tk, gtk, or none: the main thread calls the handler then. MODE says in what it hangs:
  python    a loop in Python
  c         a read in a C function, from a process that sends nothing
  deadlock  it holds the interpreter's lock and waits for a mutex, whose holder waits for that lock
Prints `ready` once it hangs: by the process that sends nothing, since here nothing can run any more.
"""

import ctypes
import os
import signal
import sys
import threading
import time

toolkit, mode = sys.argv[1:]
libc = ctypes.CDLL(None)
# Calls C functions without letting the interpreter's lock go.
holding = ctypes.PyDLL(None)
mutex = ctypes.create_string_buffer(64)
handler_runs, handler_told = os.pipe()
answers, answer = os.pipe()
mutex_is_held = threading.Event()
turns = 0


def switches():
    with open("/proc/%d/status" % os.getppid(), "rb") as file:
        return [line for line in file if b"ctxt_switches" in line or line.startswith(b"State")]


def main_thread_rests():
    # Who waits for the interpreter's lock wakes up every 5 ms; who waits for a mutex, never.
    before = switches()
    time.sleep(0.05)
    return switches() == before and b"S" in before[0]


def start_backend():
    """A process that has the other end of the pipe, and sends nothing."""
    if os.fork() != 0:
        os.close(answer)
        return
    PR_SET_PDEATHSIG = 1
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    libc.prctl(15, b"backend", 0, 0, 0)
    os.read(handler_runs, 1)
    while mode != "python" and not main_thread_rests():
        pass
    os.write(1, b"ready\n")
    while True:
        signal.pause()


def loop_for_ever():
    global turns
    while True:
        turns += 1


def read_answer():
    libc.read(answers, ctypes.create_string_buffer(1), 1)


def take_mutex():
    holding.pthread_mutex_lock(mutex)


def post_journal():
    libc.pthread_mutex_lock(mutex)
    mutex_is_held.set()
    # Each call lets the interpreter's lock go, and gets it back until the handler keeps it.
    while True:
        libc.usleep(1000)


def on_clicked(*arguments):
    if mode == "deadlock":
        threading.Thread(target=post_journal, name="journal", daemon=True).start()
        mutex_is_held.wait()
    os.write(handler_told, b".")
    {"python": loop_for_ever, "c": read_answer, "deadlock": take_mutex}[mode]()


def show_tk():
    import tkinter

    root = tkinter.Tk()
    button = tkinter.Button(root, text="Transfer", command=on_clicked)
    button.pack()
    root.after(50, button.invoke)
    root.mainloop()


def show_gtk():
    import gi

    gi.require_version("Gtk", "3.0")
    from gi.repository import GLib, Gtk

    window = Gtk.Window()
    button = Gtk.Button(label="Transfer")
    button.connect("clicked", on_clicked)
    window.add(button)
    window.show_all()
    GLib.timeout_add(50, lambda: button.clicked() or False)
    Gtk.main()


libc.pthread_mutex_init(mutex, None)
start_backend()
{"tk": show_tk, "gtk": show_gtk, "none": on_clicked}[toolkit]()
