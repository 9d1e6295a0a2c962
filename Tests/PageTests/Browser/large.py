"""How long a large page takes: until it is first drawn, for each view, and for zoom and search.

Usage: large.py PAGE FUNCTION
"""

import os
import sys

from browser import Browser
from capture import Checks

page, function = sys.argv[1:3]
checks = Checks()


def cpu(browser):
    """Milliseconds of CPU time that the page's main thread has used: load of the machine is not in it."""
    metrics = browser.call("Performance.getMetrics")["metrics"]
    return next(each["value"] for each in metrics if each["name"] == "TaskDuration") * 1000


def timed_once(browser, action):
    """Milliseconds until the screen shows what a step does; and of CPU."""
    before = cpu(browser)
    seen = browser.value(f"""(async () => {{
        const start = performance.now();
        sprof.page.{action};
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        return performance.now() - start;
    }})()""")
    return f"{seen:.0f} ms ({cpu(browser) - before:.0f} of CPU)"


with Browser(1366, 768) as browser:
    browser.call("Performance.enable", timeDomain="threadTicks")
    browser.call("Page.addScriptToEvaluateOnNewDocument", source="""
        addEventListener("DOMContentLoaded", () => {
          const look = () => globalThis.sprof
            ? requestAnimationFrame(() => requestAnimationFrame(() => { globalThis.drawnAt = performance.now(); }))
            : setTimeout(look, 1);
          look();
        });""")
    browser.open(page, ready="globalThis.drawnAt")
    drawn, drawn_cpu = browser.value("drawnAt"), cpu(browser)

    def timed(action):
        """Milliseconds until the screen shows what an action does, the median of five; and of CPU."""
        before = cpu(browser)
        seen = browser.value(f"""(async () => {{
            const times = [];
            for (let turn = 0; turn < 5; turn++) {{
              const start = performance.now();
              await (({action})(turn));
              await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
              times.push(performance.now() - start);
            }}
            return times.sort((left, right) => left - right)[2];
        }})()""")
        return f"{seen:.0f} ms ({(cpu(browser) - before) / 5:.0f} of CPU)"

    def check_drawn(what):
        """What the root calls is drawn, or counted as too small for it: no pixel of the width is blank."""
        shown = browser.value("""(() => {
            const { flame } = sprof.page;
            const below = flame.boxes.filter(({ node, small }) => small ? node === 0 : flame.tree.parent[node] === 0);
            return below.reduce((sum, { node, small }) => sum + (small ? small.total : flame.tree.total[node]), 0);
        })()""")
        total, width = browser.value("[sprof.shown().total, sprof.page.flameBox.clientWidth]")
        checks.true(f"{what}: {shown} of {total} are drawn or counted", 0 <= total - shown < total / width)

    views = []
    for title, action in [
        ("inverted", "setLayout({ mode: 'up' })"), ("inverted by line", "setLayout({ byLine: true })"),
        ("by time", "setLayout({ mode: 'time', byLine: false })"), ("by thread", "setLayout({ mode: 'down', byThread: true })"),
        ("callers first", "setLayout({ byThread: false })"), ("by line", "setLayout({ byLine: true })"),
        ("by function", "setLayout({ byLine: false })"),
    ]:
        views.append(f"{title} {timed_once(browser, action)}")
        check_drawn(title)
    for tab in browser.value("Object.entries(sprof.page.tabs).filter(([, tab]) => !tab.hidden).map(([id]) => id)")[1:]:
        views.append(f"{tab} {timed_once(browser, f'chooseTab({tab!r})')}")
    browser.value("sprof.page.chooseTab('functions')")
    for unit in ["line", "file", "module", "thread"]:
        views.append(f"table of {unit}s {timed_once(browser, f'setTableUnit({unit!r})')}")
    views.append(f"inverted tree {timed_once(browser, 'chooseTab(`tree`), sprof.page.setLayout({ mode: `up` })')}")
    browser.value("sprof.page.setLayout({ mode: 'down' })")
    views.append(f"flame {timed_once(browser, 'chooseTab(`flame`)')}")
    zoom = timed("(turn) => sprof.page.flame.zoom(turn % 2 ? 0 : sprof.page.flame.boxes[5 + turn].node)")
    search = timed(f"(turn) => sprof.page.setSearch({function!r} + (turn % 2 ? '' : '_1'), false)")
    regex = timed(f"(turn) => sprof.page.setSearch('^' + {function!r} + '.*' + turn, true)")
    browser.value("sprof.page.setSearch('', false)")
    select = timed("(turn) => sprof.page.setFilter({ from: sprof.page.profile.span.end * turn / 20, to: null })")
    checks.true("something is drawn", browser.value("sprof.shown().boxes") > 10)
    browser.check_quiet()
    print(f"{os.path.getsize(page) / 1e6:.2f} MB, {browser.value('sprof.page.profile.pathCount')} paths, "
          f"{browser.value('sprof.page.profile.threads.length')} threads, "
          f"{browser.value('sprof.page.profile.runCount')} runs: drawn after {drawn:.0f} ms "
          f"({drawn_cpu:.0f} of CPU), zoom {zoom}, search {search}, by expression {regex}, span of time {select}")
    print(", ".join(views))
checks.end()
