"""Compares a page on two captures with `sprof compare --json` of the same.

Usage: comparison.py PAGE COMPARE.json GROWN GONE NEW
The last three name functions that take more time, are gone, and are new.
"""

import json
import sys

from browser import Browser
from capture import Checks

page, report, grown, gone, new = sys.argv[1:6]
comparison = json.load(open(report, encoding="utf-8"))
checks = Checks()
LOOK = """(() => {{ const {{ tree, flame }} = sprof.page;
    for (let node = 1; node < tree.count; node++) if (tree.words(node) === {name!r}) {{
        const box = flame.boxes.find((each) => each.node === node);
        const look = flame.lookOf(node);
        return {{ before: tree.before[node], after: tree.after[node], width: box ? box.width : 0,
                  significant: tree.isSignificant(node), fill: look.fill, hatched: !!look.isHatched,
                  text: look.text, parent: tree.words(tree.parent[node]), change: tree.change(node) ?? null }};
    }} }})()"""

with Browser() as browser:
    browser.open(page)
    total = comparison["total"]
    for unit, parts in {"time": ["cpu", "blocked"], "cpu": ["cpu"], "blocked": ["blocked"], "delay": ["delay"]}.items():
        browser.click(f"[data-value={unit}]")
        for side in ["before", "after"]:
            true = sum(total[part][side] for part in parts)
            shown = browser.value(f"sprof.shown().{side}")
            checks.true(f"{unit} {side}: {shown} for {true}", abs(shown - true) < 1e-3 + true * 1e-3)
    browser.click("[data-value=time]")
    functions = {function["name"]: function for function in comparison["functions"]}
    same = browser.value("getComputedStyle(document.body).color") and browser.value(
        "sprof.page.flame.lookOf(sprof.page.tree.children(sprof.page.tree.children(0)[0])[0]).fill")
    look = browser.value(LOOK.format(name=grown))
    true = functions[grown]["inclusive"]["time"]
    checks.equal("the grown one counts", look["significant"], true["significant"])
    checks.true("its interval", look["change"]["low"] is not None and look["change"]["low"] > 0)
    checks.true("it goes up", "▲" in look["text"] and look["fill"].startswith("hsl(20 "))
    checks.true("its time", abs(look["after"] - true["after"]) < 2e-3)
    for name, other in [(gone, "after"), (new, "before")]:
        look = browser.value(LOOK.format(name=name))
        checks.equal(f"{name} {other}", look[other], 0)
        for side in ["after", "before"]:
            browser.click(f"[data-value={side}]")
            look = browser.value(LOOK.format(name=name))
            checks.true(f"{name} has its place, width {side}", look["width"] > 3)
            checks.true(f"{name} is where it was called", look["parent"] == "serve")
    checks.true("what is gone is hatched", browser.value(LOOK.format(name=gone))["hatched"])
    steady = browser.value(LOOK.format(name="steady"))
    checks.equal("what did not change is grey", [steady["significant"], steady["fill"]], [False, "#e1e5e9"])
    rows = browser.value("document.querySelectorAll('.table-group')[1].querySelectorAll('tbody tr').length")
    checks.equal("rows of the table", rows, len([each for each in comparison["functions"]
                                                 if each["inclusive"]["time"]["significant"]]))
    browser.click("#show-all")
    rows = browser.value("document.querySelectorAll('.table-group')[1].querySelectorAll('tbody tr').length")
    checks.equal("rows with what may be chance", rows, min(100, len(comparison["functions"])))
    browser.type("#search", grown)
    checks.true("search", "s/s" in browser.value("document.querySelector('#match').textContent"))
    checks.equal("two time lines", browser.value("document.querySelectorAll('.timeline canvas').length"), 2)
    browser.check_quiet()
checks.end()
