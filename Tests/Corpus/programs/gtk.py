"""A GTK window: `gtk.py MODE` calls hang.way(MODE) in a handler of a timer; MODE may be idle or a dialog."""
import sys
import gi
gi.require_version("Gtk", "3.0")
from gi.repository import Gio, GLib, Gtk
import hang

mode = sys.argv[1]
window = Gtk.Window(title="corpus")
window.add(Gtk.Label(label=mode))
window.show_all()

def dialog():
    box = Gtk.MessageDialog(transient_for=window, modal=True, text="Go on?", buttons=Gtk.ButtonsType.OK)
    print("ready", flush=True)
    box.run()

def nested():
    print("ready", flush=True)
    GLib.MainLoop().run()

def dbus():
    bus = Gio.bus_get_sync(Gio.BusType.SESSION)
    print("ready", flush=True)
    bus.call_sync("org.corpus.Silent", "/a", "org.corpus.A", "B", None, None, 0, 2 ** 31 - 1, None)

def wait_process():
    child = Gio.Subprocess.new(["sleep", "1000"], 0)
    print("ready", flush=True)
    child.wait()

def on_timer():
    if mode == "idle": print("ready", flush=True)
    elif mode in globals(): globals()[mode]()
    else: hang.way(mode)
    return False

GLib.timeout_add(200, on_timer)
Gtk.main()
