"""Zooms the time line of a page, by its buttons, keys and the wheel.

Usage: timeline.py PAGE
"""

import sys

from browser import EVERYTHING, Browser
from capture import Checks

checks = Checks()
SPAN = "[sprof.page.timeline.span.start, sprof.page.timeline.span.end]"
ENDS = """(() => { const { timeline } = sprof.page;
    return [timeline.time(timeline.gutter), timeline.time(timeline.right)]; })()"""


def choose(browser, start, end):
    left, top, width, height = browser.place(".timeline canvas")
    gutter = browser.value("sprof.page.timeline.gutter")
    room = width - gutter - 8
    browser.drag(left + gutter + room * start, top + height / 2, left + gutter + room * end)
    return browser.value("[sprof.page.filter.from, sprof.page.filter.to]")


with Browser() as browser:
    browser.open(sys.argv[1], address=EVERYTHING)
    whole = browser.value(SPAN)
    window = choose(browser, 0.25, 0.5)
    checks.true("a span is chosen", None not in window and window[1] - window[0] < (whole[1] - whole[0]) / 3)
    browser.click("#zoom-span")
    checks.equal("it has all of the width", browser.value(SPAN), window)
    checks.equal("from end to end", browser.value(ENDS), window)
    browser.wait("location.hash.includes('span=')")
    inner = choose(browser, 0.5, 0.75)
    checks.true("a span within it is chosen", window[0] < inner[0] < inner[1] < window[1])
    browser.click("#zoom-whole")
    checks.equal("all of the time again", browser.value(SPAN), whole)
    browser.value("sprof.page.timeline.canvas.focus()")
    browser.key("z")
    checks.equal("by a key", browser.value(SPAN), inner)
    browser.key("Z")
    checks.equal("and back", browser.value(SPAN), whole)
    left, top, width, height = browser.place(".timeline canvas")
    browser.mouse("mouseWheel", left + width / 2, top + height / 2, deltaX=0, deltaY=-120, modifiers=2)
    browser.wait("sprof.page.timeline.zoomedSpan !== null")
    zoomed = browser.value(SPAN)
    checks.true("by the wheel", whole[0] < zoomed[0] < zoomed[1] < whole[1])
    for _ in range(4):
        browser.mouse("mouseWheel", left + width / 2, top + height / 2, deltaX=0, deltaY=120, modifiers=2)
    browser.wait("sprof.page.timeline.zoomedSpan === null")
    browser.key("x")
    checks.equal("the address is empty of it", "span=" in browser.value("sprof.page.address()"), False)
    browser.check_quiet()
checks.end()
