"""Looks at the source on a page: each line has its cost, and the hotter ones are set off.

Usage: source.py PAGE FILE FUNCTION
FUNCTION is called in FILE, which takes time itself.
"""

import os
import sys

from browser import EVERYTHING, Browser
from capture import Checks

page, file, function = sys.argv[1:4]
source = open(file, encoding="utf-8").read().split("\n")
checks = Checks()
ROWS = """(() => {
    const box = [...document.querySelectorAll("#panel-source details")].find((each) => each.querySelector("strong").textContent === NAME);
    return [...box.querySelectorAll("tbody tr")].map((row) => ({
        own: row.cells[0].textContent, all: row.cells[1].textContent, line: Number(row.cells[2].textContent),
        text: row.cells[3].textContent, isHot: row.classList.contains("hot"),
        color: getComputedStyle(row.cells[3]).backgroundColor }));
})()""".replace("NAME", repr(os.path.basename(file)))

with Browser() as browser:
    browser.open(page, address=EVERYTHING + "&tab=source")
    rows = browser.value(ROWS)
    checks.true("there are lines", len(rows) > 3)
    for row in rows:
        checks.equal(f"line {row['line']}", row["text"], source[row["line"] - 1].replace("\t", "    "))
        checks.equal(f"line {row['line']} is hot where it took time", row["isHot"], row["own"] != "")
    checks.true("some are", any(row["isHot"] for row in rows))
    hottest = max(rows, key=lambda row: float(row["own"] or 0))
    cold = next(row for row in rows if not row["isHot"])
    checks.true("and look so", hottest["color"] != cold["color"])
    checks.true("calls have a total", any(function in row["text"] and row["all"] for row in rows))
    browser.check_quiet()
checks.end()
