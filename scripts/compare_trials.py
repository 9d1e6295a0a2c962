#!/usr/bin/env python3
"""Real captures for the last table of docs/compare.md.

    scripts/compare_trials.py record FOLDER CASE [--pairs 40] [--seconds 10] [--first 0]
    scripts/compare_trials.py judge FOLDER

`record` starts Fixtures/workload.c anew for each capture. The two captures of a pair of one program
are neighbours in time; a changed program is captured once a trial, and compared with the captures of
the unchanged one. What the program itself counted is kept next to each capture. `judge` compares the
pairs and prints the table. Recording and judging are separate, so that the same captures can be judged
again.
"""
import argparse
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SPROF = os.environ.get("SPROF", os.path.join(ROOT, ".build/release/sprof"))

# By the name of a case: arguments and compiler flags of the changed program, and what must be named first.
CASES = {
    "same": ([], [], None),
    "same, loaded": ([], [], None),
    "10 % slower": (["10"], [], "parse_row"),
    "30 % slower": (["30"], [], "parse_row"),
    "100 % slower": (["100"], [], "parse_row"),
    "new lock wait": (["0", "2"], [], "save_orders"),
    "renamed": (["30"], ["-DPARSE_ROW=parse_line"], "parse_line"),
    "inlined": (["30"], ["-DINLINE_PARSE"], "parse_row"),
}


def place(folder, case):
    return os.path.join(folder, case.replace(" ", "-").replace(",", "").replace("%", "percent"))


def build(folder, name, flags):
    path = os.path.join(folder, name)
    source = os.path.join(ROOT, "Fixtures/workload.c")
    subprocess.run(
        ["cc", source, "-I" + os.path.join(ROOT, "Fixtures"), "-pthread", "-g", "-O1", "-o", path]
        + flags, check=True)
    return path


def capture(program, arguments, seconds, rate, file):
    target = subprocess.Popen(
        [program] + arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert target.stdout.readline() == "ready\n"
        subprocess.run(
            [SPROF, "attach", str(target.pid), "--duration", f"{seconds}s", "--rate", str(rate),
             "--output", file, "--force"],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        target.stdin.write("report\n")
        target.stdin.flush()
        with open(file + ".json", "w") as out:
            out.write(target.stdout.readline())
    finally:
        target.kill()
        target.wait()


def record(options):
    arguments, flags, expected = CASES[options.case]
    folder = place(options.folder, options.case)
    os.makedirs(folder, exist_ok=True)
    program = build(folder, "workload", flags)
    for pair in range(options.first, options.first + options.pairs):
        for side in (0, 1) if expected is None else (1,):
            capture(
                program, arguments, options.seconds, options.rate,
                os.path.join(folder, f"{pair:03}-{side}.pb.gz"))


# How many captures a side has where one of 8 s is too short to be certain in every trial.
CAPTURES = {"10 % slower": 4, "new lock wait": 2}


def sides(options, case, pairs, number):
    """The captures before and after; where a side has several, each serves in as many trials."""
    unchanged = place(options.folder, "same" if CASES[case][2] else case)

    def captures(folder, side):
        numbers = range(number, number + CAPTURES.get(case, 1))
        return [
            os.path.join(folder, f"{pairs[each % len(pairs)]:03}-{side}.pb.gz") for each in numbers]

    before = captures(unchanged, 0)
    if case == "10 % slower":
        before += captures(unchanged, 1)
    return before, captures(place(options.folder, case), 1)


def compare(before, after, *more):
    # The program with the lock has one more thread, its owner, which is left out.
    return subprocess.run(
        [SPROF, "compare", "--before", ",".join(before), "--after", ",".join(after),
         "--thread", "worker", *more],
        capture_output=True, text=True)


def truth(files, name):
    """What the program itself counted, over all captures of a side, which have the same length."""
    figures = []
    for path in files:
        with open(path + ".json") as file:
            figures.append(json.load(file))
    if name == "save_orders":
        return sum(each["waited_ns"] / 1e9 / each["seconds"] for each in figures) / len(figures)
    return sum(each["parse_share"] for each in figures) / len(figures)


def first_named(report):
    """The functions of the first finding: the one that it names, and its callers."""
    if not report["findings"]:
        return []
    finding = report["findings"][0]
    numbers = [finding["function"]]
    if finding["path"] is not None:
        numbers += report["paths"][finding["path"]]["functions"]
    return [report["functions"][number]["name"] for number in numbers]


def judge(options):
    print("| case | pairs | changes reported | named first | truth in the interval | `--fail-if` right |")
    print("| --- | --- | --- | --- | --- | --- |")
    for case, (_, _, expected) in CASES.items():
        folder = place(options.folder, case)
        if not os.path.isdir(folder):
            continue
        pairs = sorted(
            int(name.split("-")[0]) for name in os.listdir(folder) if name.endswith("-1.pb.gz.json"))
        reported = first = inside = right = 0
        for number, pair in enumerate(pairs):
            before, after = sides(options, case, pairs, number)
            outcome = compare(before, after, "--json")
            report = json.loads(outcome.stdout)
            findings = report["findings"]
            reported += report["changed"]
            named = first_named(report)
            first += expected in named if expected else 0
            if expected:
                right += compare(before, after, "--fail-if", f"{expected} +1%").returncode == 3
                change = truth(after, expected) - truth(before, expected)
                timing = next(
                    (f["inclusive"]["time"] for f in report["functions"] if f["name"] == expected),
                    None)
                if timing and timing["low"] <= change <= timing["high"]:
                    inside += 1
                elif options.verbose:
                    print(case, pair, named, timing, change, file=sys.stderr)
            else:
                right += compare(before, after, "--fail-if", "+1%").returncode == 0
                if findings and options.verbose:
                    print(case, pair, named, json.dumps(findings[0]["timing"]), file=sys.stderr)
        dash = "–" if expected is None else None
        print(f"| {case} | {len(pairs)} | {reported} | {dash or first} | {dash or inside} | {right} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    recorder = commands.add_parser("record")
    recorder.add_argument("folder")
    recorder.add_argument("case", choices=CASES)
    recorder.add_argument("--pairs", type=int, default=40)
    recorder.add_argument("--seconds", type=int, default=10)
    recorder.add_argument("--rate", type=int, default=1000)
    recorder.add_argument("--first", type=int, default=0)
    judging = commands.add_parser("judge")
    judging.add_argument("folder")
    judging.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    {"record": record, "judge": judge}[options.command](options)


main()
