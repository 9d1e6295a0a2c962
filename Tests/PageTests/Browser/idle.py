"""Hides the time at rest on a page, and shows it again.

Usage: idle.py PAGE REPORT.json RESTING BUSY
RESTING is a thread that only rests, BUSY one that never does.
"""

import sys

from browser import Browser
from capture import Capture, Checks

page, report, resting, busy = sys.argv[1:5]
capture = Capture(open(report, encoding="utf-8").read())
tids = {thread["name"]: thread["tid"] for thread in capture.report["threads"]}
checks = Checks()


def time(browser, name):
    rows = browser.value("sprof.rows('thread').map((row) => [sprof.page.profile.threads[row.item].name, row.own.wall])")
    return dict(rows).get(name, 0)


def rows(browser):
    return browser.value("sprof.page.timeline.shown.map((index) => sprof.page.profile.threads[index].name)")


with Browser(1366, 768) as browser:
    browser.open(page, address="threads=all")
    whole = {name: capture.totals(lambda run: run.tid == tids[name])["wall"] for name in [resting, busy]}
    checks.true("it rests", whole[resting] > 0)
    checks.true("idle time is hidden at first", browser.value("document.querySelector('#hide-idle').checked"))
    checks.equal("none of a thread that rests", time(browser, resting), 0)
    checks.equal("all of one that does not", time(browser, busy), whole[busy])
    checks.true("a row for those alone that did something", resting not in rows(browser) and busy in rows(browser))
    checks.true("it says so", "without time at rest" in browser.value("document.querySelector('#chosen').textContent"))
    browser.click("#hide-idle")
    checks.equal("all of a thread that rests", time(browser, resting), whole[resting])
    checks.equal("all of everything", browser.value("sprof.totals()"), capture.totals())
    checks.true("with its row", resting in rows(browser))
    browser.key("h")
    checks.equal("a key hides it again", time(browser, resting), 0)
    browser.check_quiet()
checks.end()
