"""A service on the session bus that never answers."""
import time
from gi.repository import Gio, GLib
Gio.bus_own_name(Gio.BusType.SESSION, "org.corpus.Silent", 0, None, lambda *_: print("ready", flush=True), None)
loop = GLib.MainLoop()
bus = Gio.bus_get_sync(Gio.BusType.SESSION)
bus.add_filter(lambda bus, message, incoming: None if incoming and message.get_interface() == "org.corpus.A" else message)
loop.run()
