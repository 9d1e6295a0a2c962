#!/usr/bin/env python3
"""Records anew the captures that `sprof top FILE` is tested with: six programs, a few seconds of each.

    Tests/Corpus/top.py [--sprof .build/debug/sprof] [NAME...]

Needs redis-server, python3, GTK 3 with its headers, Xvfb and dbus-daemon; run it as a user without secrets
in command lines or paths, since captures keep them. Writes `top/NAME.sprof`.
`SPROF_RECORD_GOLDENS=1 swift test --filter 'Screens of programs'` writes what is drawn of them, to be looked
at in the diff.
"""
import argparse, os, shutil, subprocess, tempfile, time

from make import HERE, PROGRAMS, Display, Program

FIXTURES = HERE + "/../../Fixtures"


def compile_fixture(name, *flags):
    """Compiles a fixture as its tests do, and gives the command that starts it."""
    for file in "fixture.h", name + ".c": shutil.copy(f"{FIXTURES}/{file}", PROGRAMS)
    # The captures show where the source is.
    subprocess.run(
        ["cc", "-g", "-O1", "-pthread", name + ".c", "-o", name, *flags], check=True, cwd=PROGRAMS)
    return f"{PROGRAMS}/{name}"


def gtk_flags():
    found = subprocess.run(["pkg-config", "--cflags", "--libs", "gtk+-3.0"], capture_output=True, text=True, check=True)
    return found.stdout.split()


class Case:
    """A program, what else is started, and the line that it gets while it is sampled."""

    def __init__(self, options, command, ready="ready", before=(), during=None):
        self.options, self.command, self.ready = options, command, ready
        self.before, self.during = before, during


CASES = {
    "redis": lambda: Case(
        ["--duration", "3s", "--rate", "20"], "exec redis-server --port 7799 --save '' --appendonly no",
        ready="Ready to accept", before=["exec redis-benchmark -p 7799 -t get,set -c 20 -l -q"]),
    "python": lambda: Case(["--duration", "3s", "--rate", "20"], f"exec /usr/bin/python3 {PROGRAMS}/eight.py"),
    "hung-gtk": lambda: Case(
        ["--duration", "3s", "--rate", "20"], f"exec {compile_fixture('gtk_hang', *gtk_flags())} lock"),
    "thousand": lambda: Case(["--duration", "1s", "--rate", "5"], f"exec {compile_fixture('sleepers')} 998 2"),
    "ends": lambda: Case(["--duration", "20s", "--rate", "20"], f"exec {compile_fixture('brief')} 3000", ready=None),
    "execs": lambda: Case(
        ["--duration", "4s", "--rate", "20"], f"exec {compile_fixture('exec')}", during=b"exec\n"),
}


def record(name, sprof):
    case = CASES[name]()
    home = tempfile.mkdtemp(prefix="top")
    display, programs = Display(), []
    try:
        environment = display.environment(home)
        program = Program(case.command, environment, home, "log")
        programs.append(program)
        if case.ready and not program.wait_for(case.ready): return "did not start: " + program.text()[-300:]
        for number, command in enumerate(case.before):
            programs.append(Program(command, environment, home, f"before{number}"))
        time.sleep(1 if case.ready else 0.2)
        file = f"{HERE}/top/{name}.sprof"
        capture = subprocess.Popen(
            [sprof, "attach", str(program.process.pid), "-o", file, "--force", *case.options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if case.during:
            time.sleep(2)
            program.process.stdin.write(case.during)
            program.process.stdin.flush()
        out, problems = capture.communicate(timeout=120)
        if capture.returncode: return problems
        os.chmod(file, 0o644)
        print(f"{name}\t{os.path.getsize(file)} bytes\t{out.splitlines()[0]}", flush=True)
    finally:
        for program in reversed(programs): program.end()
        display.end()
        shutil.rmtree(home, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sprof", default=".build/debug/sprof")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    os.makedirs(HERE + "/top", exist_ok=True)
    shutil.rmtree(PROGRAMS, ignore_errors=True)
    shutil.copytree(HERE + "/programs", PROGRAMS)
    for name in options.names or CASES:
        problem = record(name, os.path.abspath(options.sprof))
        if problem: print(f"{name}\tFAILED {problem}", flush=True)


if __name__ == "__main__": main()
