"""The figures of a capture, counted from `sprof report --json` alone: what a page must show."""

import json
import re
from collections import defaultdict

UNITS = ["wall", "cpu", "ticks", "samples", "delay"]
KEYS = {"wall": "wall_ns", "cpu": "cpu_ns", "ticks": "ticks", "samples": "samples",
        "delay": "delay_ns"}


class Run:
    def __init__(self, thread, run, stack):
        self.thread = thread
        self.tid = thread["tid"]
        self.start = run["start_ns"]
        self.state = {"waiting_for_cpu": "waiting"}.get(run["activity"], run["activity"])
        self.wait = run["wait"]
        self.weight = {unit: run[key] for unit, key in KEYS.items()}
        # Outermost first, as (function, file, module, line).
        self.stack = stack

    def part(self, start, end):
        """The weights within a window, each cut in proportion and rounded towards zero."""
        wall = self.weight["wall"]
        if wall <= 0:
            return self.weight if start <= self.start < end else None
        first, last = max(start, self.start), min(end, self.start + wall)
        if first >= last:
            return None
        head, tail = first - self.start, last - self.start
        return {unit: amount * tail // wall - amount * head // wall
                for unit, amount in self.weight.items()}


class Capture:
    def __init__(self, text):
        self.report = json.loads(text)
        frames = [(frame["function"], frame["file"], frame["module"], frame["line"] or 0)
                  for frame in self.report["frames"]]
        stacks = [[frames[index] for index in reversed(stack)] for stack in self.report["stacks"]]
        self.runs = [Run(thread, run, stacks[run["stack"]])
                     for thread in self.report["threads"] for run in thread["runs"]]

    def totals(self, chosen=lambda run: True, window=None):
        sums = dict.fromkeys(UNITS, 0)
        for run in self.runs:
            weight = run.part(*window) if window else run.weight
            if weight is None or not chosen(run):
                continue
            for unit in UNITS:
                sums[unit] += weight[unit]
        return sums

    def matched(self, unit, pattern):
        """What lies in stacks with a function that matches."""
        found = re.compile(pattern)
        return sum(run.weight[unit] for run in self.runs
                   if any(found.search(frame[0]) for frame in run.stack))

    def by_function(self, unit):
        """By name, file and module: itself, and with all that it called."""
        own, everything = defaultdict(int), defaultdict(int)
        for run in self.runs:
            if run.stack:
                own[run.stack[-1][:3]] += run.weight[unit]
            for function in {frame[:3] for frame in run.stack}:
                everything[function] += run.weight[unit]
        return own, everything


def percent(part, whole):
    if whole <= 0:
        return "–"
    share = part / whole * 100
    return "<0.1 %" if 0 < share < 0.05 else f"{share:.1f} %"


class Checks:
    """Expectations; those that fail are told together at the end."""

    def __init__(self):
        self.count = 0
        self.failures = []

    def equal(self, what, shown, true):
        self.count += 1
        if shown != true:
            self.failures.append(f"{what}: shows {shown!r}, is {true!r}")

    def true(self, what, value):
        self.equal(what, bool(value), True)

    def end(self):
        for failure in self.failures[:20]:
            print("FAILED", failure)
        print(f"{self.count} checks, {len(self.failures)} failed")
        raise SystemExit(1 if self.failures else 0)
