"""Does on a page what a person does, and compares what is shown with the capture itself.

Usage: interaction.py PAGE REPORT.json FUNCTION
FUNCTION is one that runs, and is called by another function.
"""

import sys

from browser import EVERYTHING, Browser
from capture import UNITS, Capture, Checks, percent

page, report, function = sys.argv[1:4]
capture = Capture(open(report, encoding="utf-8").read())
checks = Checks()
everything = capture.totals()


def totals(browser):
    return browser.value("sprof.totals()")


def box(browser, text):
    """The middle of the widest frame with that text, in the window."""
    return browser.value(f"""(() => {{
        const {{ flame }} = sprof.page;
        const boxes = flame.boxes.filter(({{ node, width }}) =>
            width > 3 && flame.lookOf(node).words === {text!r});
        boxes.sort((left, right) => right.width - left.width);
        if (boxes.length === 0) return null;
        flame.canvas.scrollIntoView({{ block: "nearest" }});
        const frame = flame.canvas.getBoundingClientRect();
        return [frame.left + boxes[0].x + boxes[0].width / 2,
                frame.top + boxes[0].y + boxes[0].height / 2, boxes[0].node];
    }})()""")


def check_search(browser):
    for text, is_regex, pattern in [
        (function, False, f"(?i){function}"), (f"^{function}$|^read$", True, f"^{function}$|^read$"),
        ("no such function", False, "no such function"),
    ]:
        pressed = browser.value("document.querySelector('#regex').ariaPressed === 'true'")
        if pressed != is_regex:
            browser.click("#regex")
        browser.type("#search", text)
        true = percent(capture.matched("wall", pattern), everything["wall"])
        shown = browser.value("document.querySelector('#match').textContent").split(" · ")[0]
        checks.equal(f"matched share of {text}", shown, true)
    browser.click("#regex")
    browser.type("#search", "(")
    checks.equal("a wrong expression", browser.value("document.querySelector('#match').textContent"),
                 "not a regular expression")
    browser.type("#search", "")
    browser.click("#regex")


def check_blame(browser):
    browser.click("#tab-blame")
    checks.equal("time by blame", browser.value("sprof.page.blame.tree.total[0]"), everything["wall"])
    checks.true("boxes of blame", browser.value("sprof.page.blame.flame.boxes.length > 1"))
    browser.click("#tab-flame")


def check_zoom(browser):
    checks.true("threads are apart", browser.value("sprof.page.byThread"))
    browser.click("#by-thread")
    place = box(browser, function)
    checks.true(f"{function} is in sight", place)
    browser.click_at(place[0], place[1])
    shown = browser.value("sprof.shown()")
    checks.equal("zoomed into", shown["zoomed"], function)
    paths = {tuple(frame[0] for frame in run.stack[:run_index + 1])
             for run in capture.runs for run_index, frame in enumerate(run.stack)
             if frame[0] == function}
    checks.equal("one way to the function", len(paths), 1)
    path = paths.pop()
    true = sum(run.weight["wall"] for run in capture.runs
               if tuple(frame[0] for frame in run.stack[:len(path)]) == path)
    checks.equal("zoomed total", shown["zoomedTotal"], true)
    width = browser.value("sprof.page.flame.boxes.find(({ node }) => node === sprof.page.flame.zoomed).width")
    checks.true("takes all of the width",
                width > browser.value("sprof.page.flameBox.clientWidth") - 3)
    checks.true("details name it", function in browser.value("sprof.page.details.textContent"))
    browser.key("Home")
    browser.value("sprof.page.flame.canvas.focus()")
    browser.key("Home")
    checks.equal("zoomed out", browser.value("sprof.shown().zoomed"), "All threads")
    browser.key("ArrowDown")
    browser.key("Enter")
    checks.true("keys zoom", browser.value("sprof.page.flame.zoomed") > 0)
    browser.key("Home")
    browser.click("#by-thread")


def check_filters(browser):
    browser.click("[aria-controls=more-filters]")
    tid = capture.runs[-1].tid
    browser.type("#filter-thread", str(tid))
    checks.equal("one thread", totals(browser), capture.totals(lambda run: run.tid == tid))
    checks.true("its command", f"--thread {tid}" in browser.value("document.querySelector('.command').textContent"))
    browser.type("#filter-thread", "")
    for state in sorted({run.state for run in capture.runs}):
        browser.click(f".chips [data-state={state}]")
        checks.equal(f"state {state}", totals(browser), capture.totals(lambda run: run.state == state))
        browser.click(f".chips [data-state={state}]")
    wait = next(run.wait for run in capture.runs if run.wait)
    browser.value(f"""(() => {{ const box = document.querySelector("#filter-wait");
        box.value = {wait!r}; box.dispatchEvent(new Event("change")); }})()""")
    checks.equal(f"blocked in {wait}", totals(browser), capture.totals(lambda run: run.wait == wait))
    browser.click("#reset")
    checks.equal("everything again", totals(browser), everything)


def check_time(browser):
    left, top, width, height = browser.place(".timeline canvas")
    gutter = browser.value("sprof.page.timeline.gutter")
    start = left + gutter + (width - gutter) * 0.3
    end = left + gutter + (width - gutter) * 0.62
    browser.drag(start, top + height / 2, end)
    window = browser.value("[sprof.page.filter.from, sprof.page.filter.to]")
    checks.true("a span was selected", window[0] is not None and window[0] < window[1])
    checks.equal("the span", totals(browser), capture.totals(window=window))
    tree = browser.value("sprof.shown().total")
    checks.equal("the flame graph has that span", tree, capture.totals(window=window)["wall"])
    browser.key("x")
    checks.equal("all of the time", totals(browser), everything)


def check_weights(browser):
    for place, unit in enumerate(UNITS):
        browser.click(f"[data-unit={unit}]")
        for mode in ["up", "time", "down"]:
            browser.click(f"[data-mode={mode}]")
            checks.equal(f"{unit} {mode}", browser.value("sprof.shown().total"), everything[unit])
        browser.click("#tab-functions")
        own, cumulative = capture.by_function(unit)
        rows = browser.value(f"""sprof.page.shownRows.filter((row) => row.item !== undefined).map((row) => {{
            const source = sprof.page.profile.functions[row.item];
            return [source.name, source.file < 0 ? null : sprof.page.profile.files[source.file],
                    source.module < 0 ? null : source.module, row.own.{unit}, row.all.{unit}]; }})""")
        shown = {tuple(row[:3]): row[3:] for row in rows}
        true = {key: [own.get(key, 0), value] for key, value in cumulative.items()}
        checks.equal(f"table of {unit}", shown, true)
        browser.click("#tab-flame")
        browser.key(str(1 + place))
    browser.click("[data-unit=wall]")
    browser.click("[data-mode=up]")
    own, _ = capture.by_function("wall")
    shown = browser.value("""(() => { const tree = sprof.page.plainTree() && invertedTop();
        function invertedTop() { sprof.page.byThread = false; sprof.page.refresh(); return sprof.page.tree(); }
        const sums = {}; for (const node of tree.children(0)) if (tree.item[node] >= 0)
            sums[tree.profile.functions[tree.item[node]].name] =
                (sums[tree.profile.functions[tree.item[node]].name] ?? 0) + tree.total[node];
        return sums; })()""")
    true = {}
    for (name, _, _), value in own.items():
        if value:
            true[name] = true.get(name, 0) + value
    checks.equal("inverted, by innermost function", shown, true)
    browser.click("[data-mode=down]")


with Browser() as browser:
    browser.open(page, address=EVERYTHING)
    verdict = capture.report["verdict"]
    checks.equal("verdict", browser.value("document.querySelector('#verdict').textContent"),
                 verdict["words"])
    checks.equal("totals", totals(browser), everything)
    check_search(browser)
    check_blame(browser)
    check_zoom(browser)
    check_filters(browser)
    check_time(browser)
    check_weights(browser)
    for tab in ["lines", "waits"]:
        browser.click(f"#tab-{tab}")
        checks.true(f"{tab} are shown", browser.value(f"document.querySelector('#panel-{tab} tbody tr') !== null"))
    browser.key("?")
    checks.true("help is open", browser.value("document.querySelector('#help').open"))
    browser.check_quiet()
checks.end()
