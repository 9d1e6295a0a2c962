"""A Qt window: `qtwin.py MODE` calls hang.way(MODE) in a handler of a timer."""
import sys
from PyQt5 import QtCore, QtWidgets
import hang

mode = sys.argv[1]
app = QtWidgets.QApplication([])
window = QtWidgets.QLabel(mode)
window.show()

def dialog():
    QtCore.QTimer.singleShot(300, lambda: print("ready", flush=True))
    QtWidgets.QMessageBox.information(window, "corpus", "Go on?")

def nested():
    loop = QtCore.QEventLoop()
    QtCore.QTimer.singleShot(300, lambda: print("ready", flush=True))
    loop.exec_()

def process():
    child = QtCore.QProcess()
    child.start("sleep", ["1000"])
    print("ready", flush=True)
    child.waitForFinished(-1)

def on_timer():
    if mode == "idle": print("ready", flush=True)
    elif mode in globals(): globals()[mode]()
    else: hang.way(mode)

QtCore.QTimer.singleShot(200, on_timer)
app.exec_()
