"""Chooses freezes on a page, and compares what is shown with what the report says of that time.

Usage: freezes.py PAGE REPORT.json
"""

import json
import sys

from browser import EVERYTHING, Browser
from capture import Capture, Checks

page, report = sys.argv[1:3]
text = open(report, encoding="utf-8").read()
freezes = json.loads(text)["freezes"]["list"]
capture = Capture(text)
checks = Checks()


def totals(browser):
    return browser.value("sprof.totals()")


with Browser() as browser:
    browser.open(page, address=EVERYTHING)
    browser.click("#tab-freezes")
    rows = "document.querySelectorAll('#panel-freezes tbody tr')"
    tids = {thread["tid"] for thread in json.loads(text)["threads"]}
    checks.true("there are freezes", len(freezes) > 0)
    checks.equal("a row for each", browser.value(f"{rows}.length"), len(freezes))
    for number, freeze in enumerate(freezes):
        window = [freeze["start_ns"], freeze["start_ns"] + freeze["length_ns"]]
        checks.true("it says what was done", freeze["words"] in browser.value(f"{rows}[{number}].textContent"))
        browser.value(f"{rows}[{number}].click()")
        checks.equal("a row chooses its time", browser.value("[sprof.page.filter.from, sprof.page.filter.to]"), window)
        checks.equal("in all views", totals(browser),
                     capture.totals(lambda run: run.tid == freeze["tid"], window=window))
        browser.key("x")
        checks.equal("all of the time", totals(browser), capture.totals())
    freeze = freezes[0]
    x, y = browser.value(f"""(() => {{
        const {{ timeline, profile }} = sprof.page;
        timeline.canvas.scrollIntoView({{ block: "nearest" }});
        const frame = timeline.canvas.getBoundingClientRect();
        const thread = profile.freezes[0].thread;
        const middle = timeline.place({freeze["start_ns"] + freeze["length_ns"] // 2});
        // Below the axis, rows of 24 pixels.
        return [frame.left + middle, frame.top + 26 + (timeline.shown.indexOf(thread) + 0.5) * 24];
    }})()""")
    browser.click_at(x, y)
    window = [freeze["start_ns"], freeze["start_ns"] + freeze["length_ns"]]
    checks.equal("a click on its mark, too", browser.value("[sprof.page.filter.from, sprof.page.filter.to]"), window)
    browser.check_quiet()

checks.end()
