"""A Tk window: `tkwin.py MODE` calls hang.way(MODE) in a handler of a timer."""
import sys, tkinter, tkinter.messagebox, tkinter.simpledialog
import hang

mode = sys.argv[1]
root = tkinter.Tk()
tkinter.Label(root, text=mode).pack()

def dialog():
    root.after(300, lambda: print("ready", flush=True))
    tkinter.messagebox.showinfo("corpus", "Go on?")

def variable():
    root.after(300, lambda: print("ready", flush=True))
    root.wait_variable(tkinter.StringVar())

def ask():
    root.after(300, lambda: print("ready", flush=True))
    tkinter.simpledialog.askstring("corpus", "Name?")

def on_timer():
    if mode == "idle": print("ready", flush=True)
    elif mode in globals(): globals()[mode]()
    else: hang.way(mode)

root.after(200, on_timer)
root.mainloop()
