"""Compares the totals of a page with those of `sprof report` for random filters.

Usage: filters.py SPROF PAGE CAPTURE SEED
"""

import json
import random
import re
import subprocess
import sys

from browser import EVERYTHING, Browser
from capture import KEYS, UNITS, Capture, Checks

sprof, page, file, seed = sys.argv[1:5]
COUNT = 20
NOTHING_LEFT = 66
random = random.Random(int(seed))
checks = Checks()


def report(options):
    outcome = subprocess.run([sprof, "report", file, "--json", *options], capture_output=True,
                             text=True, timeout=120)
    if outcome.returncode == NOTHING_LEFT:
        return None
    if outcome.returncode != 0:
        raise SystemExit(f"{options}: {outcome.stderr}")
    return Capture(outcome.stdout)


def pattern(name):
    """An expression for a part of a name."""
    start = random.randrange(len(name))
    return re.sub(r"([\\^$.*+?()\[\]{}|])", r"\\\1", name[start:start + random.randint(3, 12)])


def draw(whole):
    """A filter of the page, and what `report` takes for it."""
    fields, options = {}, []
    threads = whole.report["threads"]
    functions = sorted({frame[0] for run in whole.runs for frame in run.stack})
    end = max(run.start + run.weight["wall"] for run in whole.runs)

    def add(field, value, *words):
        fields[field] = value
        options.extend(words)

    kinds = random.sample(["thread", "state", "time", "focus", "ignore", "module"],
                          random.randint(1, 3))
    if "thread" in kinds:
        thread = random.choice(threads)
        name = random.choice([thread["name"], str(thread["tid"]), thread["name"][:3] + "*",
                              "[!" + thread["name"][:1] + "]*", "*" + thread["name"][-1:]])
        add("thread", name, "--thread", name)
    if "state" in kinds:
        states = sorted(random.sample(sorted({run.state for run in whole.runs}), 1))
        add("states", states, *[word for state in states for word in ["--state", state]])
    if "time" in kinds:
        # Odd numbers: runs are cut where no tick was.
        first, last = sorted(random.sample(range(1, end // 1000), 2))
        add("from", first * 1000, "--from", f"{first / 1000}ms")
        add("to", last * 1000, "--to", f"{last / 1000}ms")
    for kind in ["focus", "ignore"]:
        if kind in kinds:
            text = pattern(random.choice(functions))
            add(kind, text, f"--{kind}", text)
    if "module" in kinds:
        # What has a file and no module, such as Python, has the file for its module.
        paths = {whole.report["modules"][module]["path"] if module is not None else file
                 for run in whole.runs for _, file, module, _ in run.stack}
        path = random.choice(sorted(paths - {None}))
        name = random.choice([path, path.split("/")[-1], path.split("/")[-1][:4] + "*"])
        add("module", name, "--module", name)
    return fields, options


LINES = """(() => {
    const { profile, selection } = sprof.page;
    const sums = {};
    for (const row of sprof.rows("line")) {
        if (row.item === undefined) continue;
        const source = profile.functions[profile.functionOfLine(row.item)];
        const key = [source.name, profile.lineNumber(row.item)].join(":");
        const sum = sums[key] ??= [0, 0];
        sum[0] += row.own.cpu; sum[1] += row.own.ticks;
    }
    return sums;
})()"""

with Browser() as browser:
    browser.open(page, address=EVERYTHING)
    whole = report([])
    for _ in range(COUNT):
        fields, options = draw(whole)
        part = report(options)
        browser.value("sprof.page.setFilter({ thread: '', only: null, states: [], wait: '', from: null, to: null,"
                      f" focus: '', ignore: '', module: '', ...{json.dumps(fields)} }})")
        words = " ".join(options)
        checks.equal(words, browser.value("sprof.totals()"),
                     part.totals() if part else dict.fromkeys(UNITS, 0))
        if part is None:
            continue
        shown = browser.value(LINES)
        true = {}
        for thread in part.report["threads"]:
            for line in thread["lines"]:
                if line["function"] is None:
                    continue
                sums = true.setdefault(f"{line['function']}:{line['line'] or 0}", [0, 0])
                sums[0] += line["cpu_ns"]
                sums[1] += line["ticks"]
        checks.equal(f"lines of {words}", shown, true)
    browser.check_quiet()
checks.end()
