#!/usr/bin/env python3
"""What keys cost: keys.py TARGET, the folder of a release build of envsec and examples/scrypt_call (default: target/release).

Starts `run -- true` on 20 secrets from an unlocked session, with a raw key and, for comparison, `true`, in turns; then
`rotate` on 1,000 secrets and a bare scrypt call; then new values: `rotate NAME` beside `set NAME`, and `rotate --due` of all
1,000. Locks the session again. Linux with the kernel's keyring.
"""

import os
import subprocess
import sys
import tempfile
import time
from statistics import median

ROUNDS, ROTATIONS = 800, 15
PASSWORD = "correct horse battery staple"
target = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "target/release")
envsec, scrypt_call = target + "/envsec", target + "/examples/scrypt_call"
clean = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
nowhere = os.open("/dev/null", os.O_WRONLY)


def start(command, environment):
    """Wall time and CPU time in ms."""
    silent = [(os.POSIX_SPAWN_DUP2, nowhere, 1), (os.POSIX_SPAWN_DUP2, nowhere, 2)]
    before = time.perf_counter()
    process = os.posix_spawn(command[0], command, environment, file_actions=silent)
    _, status, used = os.wait4(process, 0)
    wall = time.perf_counter() - before
    assert status == 0, (command, status)
    return 1000 * wall, 1000 * (used.ru_utime + used.ru_stime)


def measure(commands, rounds):
    """The times of each command, started in turns, each round with another one first."""
    times, names = {name: [] for name in commands}, list(commands)
    for number in range(rounds):
        for place in range(len(names)):
            name = names[(number + place) % len(names)]
            times[name].append(start(*commands[name]))
    return times


def make(name, secrets, with_key):
    """A sealed file with one slot; the environment that opens it."""
    by_password = {**clean, "ENVSEC_PASSWORD": PASSWORD}
    how, environment = (["--raw-key"], clean) if with_key else ([], by_password)
    made = subprocess.run([envsec, "init", "-f", name, "--no-git", *how], env=environment, check=True, capture_output=True)
    if with_key:
        environment = {**clean, "ENVSEC_KEY": made.stdout.decode().strip()}
    lines = "".join(f"SECRET_{n:05}=value-{n:05}-abcdefghijklmnop\n" for n in range(secrets))
    with open("plain", "w") as file:
        file.write(lines)
    subprocess.run([envsec, "-q", "import", "-f", name, "plain"], env=environment, check=True)
    return environment


os.chdir(tempfile.mkdtemp())
run = [envsec, "run", "--", "/bin/true"]
by_key = make(".env.enc", 20, True)
subprocess.run([envsec, "unlock"], env=by_key, check=True)
times = measure({"true": (["/bin/true"], clean), "raw key": (run, by_key), "session": (run, clean)}, ROUNDS)
subprocess.run([envsec, "lock"], env=clean, check=True)
for name, of_name in times.items():
    print(f"{name}: {median(wall for wall, _ in of_name):.2f} ms")
difference = median(session[0] - key[0] for session, key in zip(times["session"], times["raw key"]))
print(f"session less raw key, within a round: {difference:.3f} ms")

by_key = make("key.enc", 1000, True)
by_password = make("password.enc", 1000, False)
times = measure(
    {
        "scrypt": ([scrypt_call], clean),
        "rotate by a raw key": ([envsec, "rotate", "-f", "key.enc"], by_key),
        "rotate by a password": ([envsec, "rotate", "-f", "password.enc"], by_password),
    },
    ROTATIONS,
)
for name, of_name in times.items():
    print(f"{name}: {median(cpu for _, cpu in of_name):.1f} ms CPU")
calls = median(rotate[1] / scrypt[1] for rotate, scrypt in zip(times["rotate by a password"], times["scrypt"]))
print(f"rotate by a password: {calls:.2f} times a scrypt call")

by_key = make("values.enc", 1000, True)
values = [envsec, "-f", "values.enc", "--schema", "declared.json"]
with open("declared.json", "w") as file:
    every = ",".join(
        f'"SECRET_{n:05}":{{"x-envsec":{{"generate":"hex:16","rotateEvery":"1s"}}}}' for n in range(1000)
    )
    file.write(f'{{"properties":{{{every}}}}}')
hook = ["--on-set", "true", "--on-test", "true"]
times = measure(
    {
        "true": (["/bin/true"], clean),
        "set": ([*values, "set", "SECRET_00500", "--generate", "hex:16"], by_key),
        "rotate": ([*values, "rotate", "SECRET_00500"], by_key),
        "rotate with two hooks": ([*values, "rotate", "SECRET_00500", *hook], by_key),
        "get": ([*values, "get", "SECRET_00500"], by_key),
    },
    60,
)
for name, of_name in times.items():
    print(f"{name}, of 1,000: {median(wall for wall, _ in of_name):.2f} ms, {median(cpu for _, cpu in of_name):.2f} ms CPU")
due = []
for _ in range(ROTATIONS):
    time.sleep(2)
    due.append(start([*values, "rotate", "--due"], by_key))
print(f"rotate --due, 1,000 of 1,000: {median(wall for wall, _ in due):.1f} ms, {median(cpu for _, cpu in due):.1f} ms CPU")
