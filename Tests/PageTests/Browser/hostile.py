"""Opens a page whose names try to be markup, script and everything else; looks at every view.

Usage: hostile.py PAGE
"""

import sys

from browser import EVERYTHING, Browser
from capture import Checks

checks = Checks()
with Browser() as browser:
    browser.open(sys.argv[1])
    for box in range(browser.value("document.querySelectorAll('.box.link').length")):
        browser.value(f"document.querySelectorAll('.box.link')[{box}].dispatchEvent(new MouseEvent('click'))")
    browser.open(sys.argv[1], address=EVERYTHING)
    for tab in ["functions", "lines", "waits", "flame"]:
        browser.click(f"#tab-{tab}")
    for unit in ["line", "file", "module", "thread", "function"]:
        browser.click("#tab-functions")
        browser.click(f"[data-table={unit}]")
    browser.click("#tab-flame")
    for mode in ["up", "time", "down"]:
        browser.click(f"[data-mode={mode}]")
        boxes = browser.value("sprof.page.flame.boxes.map(({ node }) => node)")
        checks.true(f"{mode} has frames", len(boxes) > 3)
        for node in boxes[:40]:
            browser.value(f"sprof.page.flame.zoom({node})")
        browser.key("Home")
    left, top, width, height = browser.place(".flame canvas")
    for step in range(1, 12):
        browser.mouse("mouseMoved", left + width * step / 12, top + min(height, 200) * step / 12)
    browser.type("#search", "<script>alert(1)</script>")
    checks.true("markup is found as text", browser.value("document.querySelector('#match').textContent") != "0.0 %")
    browser.click("[aria-controls=more-filters]")
    for text in ["\"><img src=x onerror=alert(1)>", "' onmouseover='alert(1)", "]]>", "--><b>"]:
        browser.type("#filter-thread", text)
    browser.type("#filter-thread", "")
    checks.equal("nothing was executed", browser.value("globalThis.hacked"), None)
    checks.equal("no foreign elements", browser.value(
        "document.querySelectorAll('img, iframe, object, embed, base, b.evil, script[src], meta[http-equiv=refresh]').length"), 0)
    checks.equal("scripts are the page's own", browser.value("document.scripts.length"), 3)
    checks.equal("links lead nowhere", browser.value(
        "[...document.querySelectorAll('[href]')].map((node) => node.getAttribute('href'))"),
        ["data:,", "#views"])
    checks.true("the page is no wider than the window", browser.value(
        "document.documentElement.scrollWidth <= innerWidth"))
    # What turns the direction of writing shows as what it is.
    checks.true("no such mark in the page's text", not browser.value(
        r"/[\u202a-\u202e\u2066-\u2069\u200e\u200f\0]/.test(document.body.innerText)"))
    browser.check_quiet()
checks.end()
