"""Walks through the call tree of a page by keys, and compares its rows with the capture.

Usage: calltree.py PAGE REPORT.json FUNCTION
FUNCTION is one that is called in one way.
"""

import sys

from browser import EVERYTHING, Browser
from capture import Capture, Checks, percent

page, report, function = sys.argv[1:4]
capture = Capture(open(report, encoding="utf-8").read())
checks = Checks()
ROW = """(() => {
    const row = document.activeElement.closest("tr");
    const cells = [...row.cells].map((each) => each.textContent);
    return { index: Number(row.dataset.row), level: Number(row.getAttribute("aria-level")),
             open: row.getAttribute("aria-expanded"), cells };
})()"""


def rows(browser):
    return browser.value("[...document.querySelectorAll('.tree-table tbody tr')].map((row) => row.cells[4].textContent)")


def seek(browser):
    """Opens row after row until that of the function has the focus."""
    for _ in range(200):
        row = browser.value(ROW)
        if row["cells"][4].split()[-1] == function or f" {function} " in f" {row['cells'][4]} ":
            return row
        browser.key("ArrowRight" if row["open"] == "false" else "ArrowDown")
    return None


with Browser() as browser:
    browser.open(page, address=EVERYTHING + "&tab=tree&split=0")
    everything = capture.totals()["wall"]
    browser.value("document.querySelector('.tree-table tbody tr').focus()")
    first = browser.value(ROW)
    checks.equal("all of the time", first["cells"][:2], [f"{everything / 1e9:.3f}", "100.0"])
    checks.true("what has most of the time is open", first["open"] == "true")
    row = seek(browser)
    checks.true(f"{function} is there", row)
    runs = [run for run in capture.runs if any(frame[0] == function for frame in run.stack)]
    total = sum(run.weight["wall"] for run in runs)
    own = sum(run.weight["wall"] for run in runs if run.stack[-1][0] == function)
    checks.equal("its time", row["cells"][:4], [
        f"{total / 1e9:.3f}", percent(total, everything).replace(" %", ""),
        f"{own / 1e9:.3f}" if own else "", percent(own, everything).replace(" %", "") if own else ""])
    depth = next(at for at, frame in enumerate(runs[0].stack) if frame[0] == function)
    checks.equal("as deep as in its stack", row["level"], depth + 2)
    before = rows(browser)
    browser.key("ArrowLeft")
    caller = browser.value(ROW)
    checks.equal("its caller", caller["level"], row["level"] - 1)
    checks.true("that is its name", runs[0].stack[depth - 1][0] in caller["cells"][4])
    browser.key("ArrowLeft")
    checks.true("closed", browser.value(ROW)["open"] == "false" and len(rows(browser)) < len(before))
    browser.key("ArrowRight")
    checks.equal("open again", rows(browser), before)
    browser.type("#search", function)
    checks.equal("what is found is set off", browser.value(
        "[...document.querySelectorAll('.tree-table tr.found')].map((row) => row.cells[4].textContent.includes(%r))" % function), [True])
    browser.value(f"document.querySelector('.tree-table tr.found').focus()")
    browser.key("Enter")
    checks.equal("Enter shows it in the flame graph", browser.value("[sprof.page.tab, sprof.shown().zoomed]"), ["flame", function])
    browser.click("#tab-tree")
    browser.click("#panel-tree [data-mode=up]")
    checks.true("upside down, functions are at the top", browser.value(
        "[...document.querySelectorAll('.tree-table tr[aria-level=\"2\"]')].some((row) => row.cells[4].textContent.includes(%r))" % function))
    browser.check_quiet()
checks.end()
