"""Hides native frames on the page of a Python program, and compares what its functions took with the capture.

Usage: native.py PAGE REPORT.json
"""

import json
import sys
from collections import defaultdict

from browser import Browser
from capture import Checks

page, path = sys.argv[1:3]
report = json.load(open(path, encoding="utf-8"))
frames = report["frames"]
checks = Checks()


def is_interpreted(frame):
    return frame["address"] is None and not frame["elided"]


def times(with_native):
    """By function of Python: itself, and with all that it called."""
    own, everything = defaultdict(int), defaultdict(int)
    for thread in report["threads"]:
        for run in thread["runs"]:
            stack = [frames[index] for index in report["stacks"][run["stack"]]]
            if not with_native and any(map(is_interpreted, stack)):
                stack = [frame for frame in stack if frame["address"] is None]
            for place, frame in enumerate(stack):
                if is_interpreted(frame) and place == 0:
                    own[frame["function"], frame["file"]] += run["wall_ns"]
            for key in {(frame["function"], frame["file"]) for frame in stack if is_interpreted(frame)}:
                everything[key] += run["wall_ns"]
    return sorted([list(key), own.get(key, 0), value] for key, value in everything.items())


ROWS = """sprof.rows("function").filter((row) => row.item !== undefined
        && sprof.page.profile.functions[row.item].kind === 1).map((row) => {
    const { name, file } = sprof.page.profile.functions[row.item];
    return [[name, file < 0 ? null : sprof.page.profile.files[file]], row.own.wall, row.all.wall];
})"""
NATIVE_BOXES = """(() => {
    const { flame, profile } = sprof.page;
    const tree = sprof.page.tree();
    return flame.boxes.filter(({ node, small }) => !small && tree.item[node] >= 0)
        .filter(({ node }) => [0, 2].includes(profile.functions[tree.item[node]].kind)).length;
})()"""


def page_rows(browser):
    return sorted(browser.value(ROWS), key=lambda row: (row[0][0], row[0][1] or ""))


def true_rows(with_native):
    return sorted(times(with_native), key=lambda row: (row[0][0], row[0][1] or ""))


with Browser() as browser:
    browser.open(page, address="threads=all&idle=1")
    checks.true("native frames are hidden at first", not browser.value("document.querySelector('#native').checked"))
    checks.equal("Python's functions alone", page_rows(browser), true_rows(False))
    hidden = browser.value("sprof.totals()")
    few = browser.value(NATIVE_BOXES)
    browser.click("#native")
    checks.equal("with native frames", page_rows(browser), true_rows(True))
    checks.true("more boxes are of native code", browser.value(NATIVE_BOXES) > few)
    checks.equal("in the same time", browser.value("sprof.totals()"), hidden)
    browser.key("n")
    checks.equal("a key hides them again", page_rows(browser), true_rows(False))
    browser.check_quiet()
checks.end()
