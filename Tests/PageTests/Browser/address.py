"""What a page shows is in its address: a reload keeps it, and Back undoes a step.

Usage: address.py PAGE FUNCTION
"""

import sys

from browser import Browser
from capture import Checks

page, function = sys.argv[1:3]
checks = Checks()
STATE = """(() => {
    const { page } = sprof;
    const { tab, mode, unit, tableUnit, byThread, byLine, filter, search, selection } = page;
    return { tab, mode, unit, tableUnit, byThread, byLine, filter, search, totals: selection.totals(),
             zoomed: sprof.shown().zoomed, pressed: document.querySelector("[data-mode][aria-pressed=true]").dataset.mode,
             sorted: [...document.querySelectorAll(".panel:not([hidden]) th[aria-sort]")].map((head) => head.textContent + head.getAttribute("aria-sort")),
             rows: document.querySelectorAll(".panel:not([hidden]) .tree-table tbody tr").length,
             panel: [...document.querySelectorAll(".panel:not([hidden])")].map(({ id }) => id) };
})()"""


def state(browser):
    return browser.value(STATE)


with Browser() as browser:
    browser.open(page, address="threads=all")
    steps = [
        ("layout=up", "sprof.page.setMode('up')"),
        ("weight=cpu", "sprof.page.setUnit('cpu')"),
        ("tab=functions", "sprof.page.chooseTab('functions')"),
        ("sort=function.4.a", "document.querySelectorAll('#panel-functions th button')[4].click()"),
        ("rows=line", "document.querySelector('[data-table=line]').click()"),
        ("tab=tree", "sprof.page.chooseTab('tree')"),
        ("rows-of-calls=c", "document.querySelector('#panel-tree tbody tr').click()"),
        ("tab=", "sprof.page.chooseTab('flame')", "tab"),
        ("states=running", "sprof.page.setFilter({ states: ['running'] })"),
        ("find=", f"sprof.page.setSearch({function!r}, false)"),
        ("from=", "sprof.page.setFilter({ from: 1e8, to: 9e8 })"),
        ("zoom=", "sprof.page.flame.zoom(sprof.page.tree().children(0)[0])"),
    ]
    states = [state(browser)]
    addresses = {}
    for part, action, *gone in steps:
        browser.value(action)
        browser.wait(f"{'!' if gone else ''}location.hash.includes({part!r})")
        states.append(state(browser))
        addresses[part] = browser.value("location.hash.slice(1)")
    # Letters that follow each other are one step.
    for text in [function[:2], function[:3], ""]:
        browser.value(f"sprof.page.setSearch({text!r}, false)")
    browser.wait("!location.hash.includes('find=')")
    browser.value("history.back()")
    browser.wait("location.hash.includes('find=')")
    checks.equal("back", state(browser), states[-1])
    for number in range(len(steps) - 1, -1, -1):
        part, _, *gone = steps[number]
        browser.value("history.back()")
        browser.wait(f"{'' if gone else '!'}location.hash.includes({part!r})")
        checks.equal(f"back from {part}", state(browser), states[number])
    for number, (part, _, *gone) in enumerate(steps):
        browser.value("history.forward()")
        browser.wait(f"{'!' if gone else ''}location.hash.includes({part!r})")
        checks.equal(f"forward to {part}", state(browser), states[number + 1])
    address = browser.value("location.hash.slice(1)")
    browser.open(page, address=address)
    checks.equal("after a reload", state(browser), states[-1])
    for number, (part, *_) in enumerate(steps, 1):
        if part.startswith(("sort=", "rows", "tab=tree")):
            browser.open(page, address=addresses[part])
            checks.equal(f"opened with {part}", state(browser), states[number])
    first = states[0]
    for wrong in ["tab=nothing&layout=3&weight=&rows=__proto__", "zoom=1.2.3.constructor&span=5-1&threads=x,y",
                  "from=abc&to=-1&states=,,x", "%E0%A4%A&=&&&", "span=0-99999999999999999999"]:
        browser.open(page, address=wrong)
        got = state(browser)
        for key in ["tab", "mode", "unit", "tableUnit", "zoomed"]:
            checks.equal(f"{key} with {wrong}", got[key], first[key])
    browser.check_quiet()
checks.end()
