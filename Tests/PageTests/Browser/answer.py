"""Opens a page of a deadlock as a person in a hurry does: what is seen without scrolling, and what is chosen.

Usage: answer.py PAGE REPORT.json
"""

import sys

from browser import EVERYTHING, Browser
from capture import Capture, Checks

page, report = sys.argv[1:3]
capture = Capture(open(report, encoding="utf-8").read())
threads = capture.report["threads"]
checks = Checks()

INSIDE = """(() => {{
    const box = document.querySelector({selector!r}).getBoundingClientRect();
    return [box.top >= 0, Math.floor(innerHeight - box.top), box.left >= 0 && Math.floor(box.right) <= innerWidth];
}})()"""


def totals(browser):
    return browser.value("sprof.totals()")


def chosen(browser):
    return browser.value("sprof.page.filter.only?.map((index) => sprof.page.profile.threads[index].tid) ?? null")


def check_fold(browser):
    """Verdict, drawing, time line and at least five rows of the flame graph, without scrolling."""
    for selector, room in [("#verdict", 300), (".drawing", 300), (".timeline", 300), (".flame canvas", 110)]:
        top, left, within = browser.value(INSIDE.format(selector=selector))
        checks.true(f"{selector} begins on the screen, {left} pixels above its end", top and left >= room)
        checks.true(f"{selector} is no wider than the screen", within)


def check_threads(browser):
    tids = browser.value("sprof.page.profile.verdict.threads.map((index) => sprof.page.profile.threads[index].tid)")
    checks.true("the verdict names some of the threads", 0 < len(tids) < len(threads))
    checks.equal("they are chosen", sorted(chosen(browser)), sorted(tids))
    checks.equal("and nothing else is counted", totals(browser), capture.totals(lambda run: run.tid in tids))
    rows = browser.value("sprof.page.timeline.shown.map((index) => sprof.page.profile.threads[index].tid)")
    checks.equal("the time line has their rows", sorted(rows), sorted(tids))
    browser.click("#all-threads")
    checks.equal("all threads", chosen(browser), None)
    first = browser.value("document.querySelector('.box.link title').textContent")
    browser.value("document.querySelector('.box.link').dispatchEvent(new MouseEvent('click'))")
    [tid] = chosen(browser)
    checks.true("a box of the drawing chooses its thread", f"({tid})" in first)
    checks.equal("in all views", totals(browser), capture.totals(lambda run: run.tid == tid))
    browser.value("document.querySelector('.box.link').focus()")
    browser.key("Enter")
    checks.equal("once more, and all are", chosen(browser), None)
    browser.value("document.querySelector('.wait.link .label').dispatchEvent(new MouseEvent('click', { bubbles: true }))")
    checks.equal("an arrow chooses the thread that waits", chosen(browser), [tid])
    browser.value("document.querySelector('.wait.link .target').dispatchEvent(new MouseEvent('click', { bubbles: true }))")
    checks.equal("and all again", chosen(browser), None)
    browser.key("x")
    checks.equal("everything", totals(browser), capture.totals())


def check_details(browser):
    hidden = "document.querySelector('.details').hidden"
    checks.true("no details without a frame", browser.value(hidden))
    browser.value("sprof.page.flame.canvas.focus()")
    browser.key("ArrowDown")
    checks.true("details of a frame", not browser.value(hidden))
    checks.true("beside the flame graph", browser.value(
        "sprof.page.flame.canvas.getBoundingClientRect().right <= document.querySelector('.details').getBoundingClientRect().left + 1"))
    browser.click(".details .close")
    checks.true("they close", browser.value(hidden))


def check_print(browser):
    folded = "document.querySelectorAll('header details:not([open])').length"
    before = browser.value(folded)
    checks.true("something of the head is folded", before > 0)
    browser.value("dispatchEvent(new Event('beforeprint'))")
    checks.equal("nothing is on paper", browser.value(folded), 0)
    browser.value("dispatchEvent(new Event('afterprint'))")
    checks.equal("as before", browser.value(folded), before)


def check_tabs(browser):
    browser.value("document.querySelector('#tab-flame').focus()")
    browser.key("ArrowRight")
    checks.equal("an arrow goes to the next tab", browser.value("[sprof.page.tab, document.activeElement.id]"), ["tree", "tab-tree"])
    browser.key("ArrowLeft")
    browser.key("ArrowLeft")
    last = browser.value("[...document.querySelectorAll('[role=tab]:not([hidden])')].at(-1).id.slice(4)")
    checks.equal("and around", browser.value("sprof.page.tab"), last)
    browser.click("#tab-flame")


with Browser(1366, 768) as browser:
    browser.open(page)
    check_fold(browser)
    check_threads(browser)
    check_details(browser)
    check_tabs(browser)
    check_print(browser)
    browser.open(page, address=EVERYTHING)
    checks.equal("all that was captured", totals(browser), capture.totals())
    browser.check_quiet()
checks.end()
