"""Chromium without a window, driven over the DevTools protocol through a pipe.

Messages are JSON with a NUL behind each: the browser reads them from its descriptor 3 and writes
its answers to 4 (https://chromedevtools.github.io/devtools-protocol/).
"""

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]


# The address of a page that leaves nothing out.
EVERYTHING = "threads=all&idle=1&native=1"


class PageFailure(Exception):
    pass


class Browser:
    """One browser with one page; use it in a `with`."""

    def __init__(self, width=1280, height=900, dark=False, scale=1, mobile=False):
        self.size = (width, height)
        self.dark = dark
        self.scale = scale
        self.mobile = mobile
        self.count = 0
        self.answers = {}
        self.requests = []
        self.complaints = []
        self.loaded = False
        self.buffer = b""

    def __enter__(self):
        path = next(filter(None, map(shutil.which, NAMES)), None)
        if path is None:
            raise PageFailure("no chromium")
        self.folder = tempfile.mkdtemp(prefix="sprof-page-")
        to_browser, self.output = os.pipe()
        self.input, from_browser = os.pipe()

        def place():
            # Behind all others first: one of them may itself be 3 or 4.
            reading, writing = os.dup(to_browser), os.dup(from_browser)
            os.dup2(reading, 3)
            os.dup2(writing, 4)

        self.process = subprocess.Popen(
            [path, "--headless=new", "--no-sandbox", "--remote-debugging-pipe", "--no-first-run",
             "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--disable-extensions",
             "--hide-scrollbars", "--force-color-profile=srgb",
             f"--user-data-dir={self.folder}", f"--window-size={self.size[0]},{self.size[1]}",
             "about:blank"],
            preexec_fn=place, close_fds=False, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.session = None
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self.session = attached["sessionId"]
        for domain in ["Page", "Runtime", "Network", "Log"]:
            self.call(f"{domain}.enable")
        self.resize(*self.size)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if self.dark else "light"}])
        return self

    def __exit__(self, *_):
        # Its helpers are in a session of their own, that of the browser.
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        os.close(self.output)
        os.close(self.input)
        shutil.rmtree(self.folder, ignore_errors=True)

    # What goes over the pipe.

    def call(self, method, timeout=60, **parameters):
        self.count += 1
        number = self.count
        message = {"id": number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.output, data):]
        end = time.monotonic() + timeout
        while number not in self.answers:
            self.receive(end, method)
        answer = self.answers.pop(number)
        if "error" in answer:
            raise PageFailure(f"{method}: {answer['error']}")
        return answer["result"]

    def receive(self, end, what):
        left = end - time.monotonic()
        if left <= 0 or not select.select([self.input], [], [], left)[0]:
            raise PageFailure(f"no answer to {what}")
        data = os.read(self.input, 1 << 20)
        if not data:
            raise PageFailure(f"the browser ended during {what}")
        self.buffer += data
        *messages, self.buffer = self.buffer.split(b"\0")
        for message in messages:
            self.take(json.loads(message))

    def take(self, message):
        if "id" in message:
            self.answers[message["id"]] = message
            return
        method, values = message["method"], message.get("params", {})
        if method == "Page.loadEventFired":
            self.loaded = True
        elif method == "Network.requestWillBeSent":
            self.requests.append(values["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            details = values["exceptionDetails"]
            self.complaints.append(
                details.get("exception", {}).get("description", details["text"]))
        elif method == "Runtime.consoleAPICalled":
            texts = [str(each.get("value", each.get("description"))) for each in values["args"]]
            self.complaints.append(f"console.{values['type']}: {' '.join(texts)}")
        elif method == "Log.entryAdded":
            self.complaints.append(f"{values['entry']['level']}: {values['entry']['text']}")
        elif method == "Page.javascriptDialogOpening":
            self.complaints.append(f"dialog: {values['message']}")

    # What a person does.

    def resize(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=self.scale, mobile=self.mobile)

    def open(self, path, ready="globalThis.sprof !== undefined", address=""):
        self.loaded = False
        # Another address alone would only be a step within the page.
        self.call("Page.navigate", url="about:blank")
        end = time.monotonic() + 60
        while not self.loaded:
            self.receive(end, "an empty page")
        self.loaded = False
        self.call("Page.navigate", url="file://" + os.path.abspath(path) + ("#" + address if address else ""))
        end = time.monotonic() + 60
        while not self.loaded:
            self.receive(end, "the page to load")
        self.wait(ready)

    def value(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True,
                           returnByValue=True)
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            raise PageFailure(details.get("exception", {}).get("description", details["text"]))
        return result["result"].get("value")

    def wait(self, expression, timeout=60):
        end = time.monotonic() + timeout
        while not self.value(f"Boolean({expression})"):
            if time.monotonic() > end:
                raise PageFailure(f"never came true: {expression}")
            time.sleep(0.02)

    def place(self, selector):
        """The middle of an element, scrolled into sight."""
        place = self.value(f"""(() => {{
            const node = document.querySelector({json.dumps(selector)});
            if (!node) return null;
            node.scrollIntoView({{ block: "center" }});
            const box = node.getBoundingClientRect();
            return [box.left, box.top, box.width, box.height];
        }})()""")
        if place is None:
            raise PageFailure(f"no element {selector}")
        return place

    def mouse(self, kind, x, y, **more):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click_at(self, x, y):
        self.mouse("mouseMoved", x, y)
        self.mouse("mousePressed", x, y, button="left", clickCount=1)
        self.mouse("mouseReleased", x, y, button="left", clickCount=1)

    def click(self, selector):
        x, y, width, height = self.place(selector)
        self.click_at(x + width / 2, y + height / 2)

    def drag(self, x, y, to_x):
        self.mouse("mouseMoved", x, y)
        self.mouse("mousePressed", x, y, button="left", clickCount=1)
        for step in range(1, 6):
            self.mouse("mouseMoved", x + (to_x - x) * step / 5, y, buttons=1)
        self.mouse("mouseReleased", to_x, y, button="left", clickCount=1)

    def type(self, selector, text):
        """Writes over what stands in a field, and leaves it."""
        self.place(selector)
        self.value(f"(() => {{ const box = document.querySelector({json.dumps(selector)});"
                   " box.focus(); box.select?.(); })()")
        if text:
            self.call("Input.insertText", text=text)
        else:
            self.key("Delete")
        self.value("document.activeElement.blur()")

    def key(self, key, text=None):
        codes = {"Enter": 13, "Escape": 27, "Delete": 46, "Home": 36, "ArrowLeft": 37,
                 "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        more = {"windowsVirtualKeyCode": codes[key]} if key in codes else {"text": text or key}
        if key == "Enter":
            more["text"] = "\r"
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **more)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def screenshot(self, path, whole=False):
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        with open(path, "wb") as file:
            file.write(base64.b64decode(data["data"]))

    def check_quiet(self):
        """Nothing was asked of a network, and the page had nothing to complain of."""
        foreign = [url for url in self.requests if not url.startswith(("file:", "data:", "blob:"))]
        if foreign:
            raise PageFailure(f"asked the network: {foreign}")
        if self.complaints:
            raise PageFailure(f"complained: {self.complaints[:5]}")
