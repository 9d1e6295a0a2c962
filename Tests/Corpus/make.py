#!/usr/bin/env python3
"""Records the corpus of verdicts anew: starts each program of `cases.py`, brings it into the state whose
truth is known, and captures it twice, with `sprof dump` and `sprof attach`.

    Tests/Corpus/make.py [--sprof .build/debug/sprof] [NAME...]

Needs Xvfb, dbus-daemon and xdotool; run it as a user without secrets in command lines or paths, since
captures keep them. Writes `captures/NAME.dump.sprof` and `captures/NAME.attach.sprof`; `cases.tsv` has the truth of each.
Programs that are not installed are left out, and said.
"""
import argparse, fnmatch, os, shutil, signal, subprocess, sys, tempfile, time

# Where the programs lie while they are captured: the captures show the paths of their files.
PROGRAMS = "/tmp/verdicts/programs"
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from cases import CASES


class Display:
    """An X server without a screen, and a session bus."""

    def __init__(self):
        read, write = os.pipe()
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", "1024x768x24", "-nolisten", "tcp"],
            pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        self.name = ":" + os.read(read, 16).decode().strip()
        self.bus = subprocess.Popen(
            ["dbus-daemon", "--session", "--nofork", "--print-address"],
            stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL)
        self.address = self.bus.stdout.readline().strip()

    def environment(self, home):
        return dict(
            PATH=os.environ["PATH"], HOME=home, LANG="C.UTF-8", DISPLAY=self.name, USER="anna",
            DBUS_SESSION_BUS_ADDRESS=self.address, QT_X11_NO_MITSHM="1", NO_AT_BRIDGE="1",
            XDG_RUNTIME_DIR=home, LIBGL_ALWAYS_SOFTWARE="1", PYTHONPATH=PROGRAMS)

    def end(self):
        for process in (self.server, self.bus):
            process.kill()
            process.wait()


class Program:
    """One program of a case, with all that it starts, in a session of its own."""

    def __init__(self, command, environment, folder, name):
        self.log = open(folder + "/" + name, "w+b")
        self.process = subprocess.Popen(
            command, shell=True, executable="/bin/bash", env=environment, cwd=folder,
            stdin=subprocess.PIPE, stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True)

    def text(self):
        with open(self.log.name, "rb") as file: return file.read().decode(errors="replace")

    def wait_for(self, word, seconds=40):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if word in self.text(): return True
            if self.process.poll() is not None and word not in self.text(): return False
            time.sleep(0.05)
        return False

    def end(self):
        try: os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError: pass
        self.process.wait()
        self.log.close()


def descendants(pid):
    found, open_ = [pid], [pid]
    while open_:
        parent = open_.pop()
        try:
            for task in os.listdir(f"/proc/{parent}/task"):
                with open(f"/proc/{parent}/task/{task}/children") as file:
                    children = [int(word) for word in file.read().split()]
                found += children
                open_ += children
        except OSError: pass
    return found


def find(pid, name):
    """The oldest process of this name among those started by `pid`."""
    for process in descendants(pid):
        try:
            with open(f"/proc/{process}/comm") as file:
                if fnmatch.fnmatch(file.read().strip(), name): return process
        except OSError: pass
    return None


def wait_for_window(display, title, seconds=40):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--name", title], env={"DISPLAY": display.name, "PATH": os.environ["PATH"]},
            capture_output=True, text=True)
        if found.stdout.strip(): return found.stdout.split()[-1]
        time.sleep(0.2)
    return None


def make(case, sprof, out):
    home = tempfile.mkdtemp(prefix="corpus")
    display = Display()
    environment = display.environment(home)
    environment.update(case.get("env", {}))
    programs = []
    try:
        for number, command in enumerate(case.get("before", [])):
            programs.append(Program(command.replace("PROGRAMS", PROGRAMS), environment, home, f"before{number}"))
            if not programs[-1].wait_for("ready"): return "a program before it did not start: " + programs[-1].text()[-300:]
        program = Program(case["command"].replace("PROGRAMS", PROGRAMS), environment, home, "log")
        programs.append(program)
        if case.get("ready") and not program.wait_for(case["ready"]): return "did not say ready: " + program.text()[-300:]
        if case.get("window") and not wait_for_window(display, case["window"]):
            return "no window: " + program.text()[-300:]
        time.sleep(case.get("settle", 0.5))
        for step in case.get("steps", []):
            subprocess.run(step, shell=True, env=environment, cwd=home, timeout=60, capture_output=True)
        time.sleep(case.get("after", 1.5))
        pid = find(program.process.pid, case["process"])
        if pid is None: return "not found: " + case["process"] + " " + program.text()[-300:]
        for kind, options in (("dump", []), ("attach", ["--duration", "1500ms", "--rate", "50"])):
            file = f"{out}/{case['name']}.{kind}.sprof"
            run = subprocess.run(
                [sprof, kind, str(pid), "-o", file, "--force"] + options, capture_output=True, text=True, timeout=120)
            if run.returncode != 0: return "sprof " + kind + ": " + run.stderr[-300:]
            print(f"{case['name']}.{kind}\t{run.stdout.split(chr(10) + chr(10))[0].split(chr(10))[0][:160]}", flush=True)
    finally:
        for program in reversed(programs): program.end()
        display.end()
        shutil.rmtree(home, ignore_errors=True)
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sprof", default=".build/debug/sprof")
    parser.add_argument("--out", default=HERE + "/captures")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    os.makedirs(options.out, exist_ok=True)
    shutil.rmtree(PROGRAMS, ignore_errors=True)
    shutil.copytree(HERE + "/programs", PROGRAMS)
    for case in CASES:
        if options.names and not any(fnmatch.fnmatch(case["name"], name) for name in options.names): continue
        if case.get("needs") and not shutil.which(case["needs"]):
            print(f"{case['name']}\tnot installed: {case['needs']}", flush=True)
            continue
        try: problem = make(case, os.path.abspath(options.sprof), options.out)
        except (subprocess.TimeoutExpired, OSError) as error: problem = str(error)[:200]
        if problem: print(f"{case['name']}\tFAILED {problem}", flush=True)


if __name__ == "__main__": main()
