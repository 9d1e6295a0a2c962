"""Runs the tests of the page's own functions in a browser.

Usage: units.py RESOURCES UNITS.js
"""

import glob
import json
import os
import sys

from browser import Browser

folder, tests = sys.argv[1:3]
scripts = sorted(glob.glob(os.path.join(folder, "**", "*.js"), recursive=True), key=os.path.basename)
sources = [open(path, encoding="utf-8").read() for path in scripts + [tests]]
with Browser() as browser:
    outcome = browser.value("(async () => { \"use strict\";\n" + "\n".join(sources)
                            + "\nreturn JSON.stringify(await runTests()); })()")
    outcome = json.loads(outcome)
    for failure in outcome["failures"]:
        print("FAILED", failure)
    print(f"{outcome['count']} checks, {len(outcome['failures'])} failed")
    browser.check_quiet()
    raise SystemExit(1 if outcome["failures"] else 0)
