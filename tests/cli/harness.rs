//! A sandbox folder, a command line, and exact expectations: silence and status 0 unless a test says otherwise.

use envsec::crypto::system_rng;
use envsec::sealed::{Credential, Label, NewSlot, Password, RawKey, SlotId, Unlocked};
use envsec::secret::SecretText;
use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;
use tempfile::TempDir;

/// The password of every file that the sandbox makes.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// The work factor of test files: the lowest that the format reads.
pub(crate) const LOW_WORK_FACTOR: u8 = 14;

/// The binary under test.
pub(crate) const ENVSEC: &str = env!("CARGO_BIN_EXE_envsec");

/// Every verb, as the help lists them.
pub(crate) const VERBS: [&str; 23] = [
    "init",
    "set",
    "get",
    "run",
    "validate",
    "rotate",
    "slot",
    "unlock",
    "lock",
    "status",
    "schema",
    "list",
    "unset",
    "edit",
    "import",
    "export",
    "diff",
    "seal",
    "doctor",
    "hook",
    "merge",
    "completions",
    "man",
];

/// A fresh folder, and the environment that commands in it get.
pub(crate) struct Sandbox {
    folder: TempDir,
    variables: Vec<(OsString, OsString)>,
    /// The raw key of the file made by [`Sandbox::sealed`].
    pub(crate) key: String,
}

impl Sandbox {
    /// An empty folder; no credential.
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("envsec-test-").tempdir().unwrap();
        let path = std::env::var_os("PATH").unwrap();
        let variables =
            vec![("PATH".into(), path), ("HOME".into(), folder.path().into()), ("LC_ALL".into(), "C.UTF-8".into())];
        Sandbox { folder, variables, key: String::new() }
    }

    /// A folder with an empty `.env.enc` (a password slot and a raw slot), and its raw key in ENVSEC_KEY.
    pub(crate) fn sealed() -> Self {
        let mut sandbox = Sandbox::new();
        sandbox.key = sandbox.make(".env.enc", None);
        let key = sandbox.key.clone();
        sandbox.set_variable("ENVSEC_KEY", &key);
        sandbox
    }

    /// A sealed file with these secrets, in this order.
    pub(crate) fn with(entries: &[(&str, &str)]) -> Self {
        let sandbox = Sandbox::sealed();
        for (name, value) in entries {
            sandbox.set(&[], name, value);
        }
        sandbox
    }

    /// Sets a value without a word about it.
    pub(crate) fn set(&self, flags: &[&str], name: &str, value: &str) {
        let command = self.envsec(["set"].iter().chain(flags));
        match value {
            "" => command.arg(format!("{name}=")).succeeds(),
            value => command.arg(name).stdin(value).succeeds(),
        }
    }

    /// Makes a sealed file with low-cost slots for [`PASSWORD`] and a new raw key, which it returns.
    pub(crate) fn make(&self, name: &str, label: Option<&str>) -> String {
        let key = RawKey::generate(&mut system_rng());
        let text = key.to_text().expose().to_owned();
        let password = Password::new(&SecretText::from(PASSWORD)).unwrap();
        let slot =
            |id, credential| NewSlot { id: SlotId::parse(id).unwrap(), credential, work_factor: LOW_WORK_FACTOR };
        let slots = [slot("password", Credential::Password(password)), slot("key", Credential::RawKey(key))];
        let label = label.map(|label| Label::parse(label).unwrap());
        let bytes = Unlocked::create(label, &slots, &mut system_rng()).unwrap().seal().unwrap();
        self.write(name, bytes);
        text
    }

    /// Sets a variable for every later command.
    pub(crate) fn set_variable(&mut self, name: &str, value: &str) {
        self.unset_variable(name);
        self.variables.push((name.into(), value.into()));
    }

    /// Takes a variable away from every later command.
    pub(crate) fn unset_variable(&mut self, name: &str) {
        self.variables.retain(|(known, _)| known != name);
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A path in the folder.
    pub(crate) fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.join(name), bytes).unwrap();
    }

    /// The names in the folder, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// An envsec command line.
    pub(crate) fn envsec<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Run<'_> {
        self.command(ENVSEC, args)
    }

    /// Any command line in the sandbox; the test's own environment stays outside.
    pub(crate) fn command<A: AsRef<OsStr>>(
        &self,
        program: impl AsRef<OsStr>,
        args: impl IntoIterator<Item = A>,
    ) -> Run<'_> {
        let mut command = Command::new(program.as_ref());
        command.args(args).current_dir(self.path()).env_clear().envs(self.variables.iter().map(|(n, v)| (n, v)));
        Run { command, stdin: Vec::new(), _sandbox: self }
    }

    /// A shell script in the sandbox, with `envsec` in its PATH.
    pub(crate) fn shell(&self, script: &str) -> Run<'_> {
        let mut path = OsString::from(Path::new(ENVSEC).parent().unwrap());
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap());
        let mut run = self.command("bash", ["-c", script]);
        run.command.env("PATH", path);
        run
    }
}

/// The Python that has what the second implementation of the format needs.
pub(crate) fn reference_tools() -> PathBuf {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/.tools/venv/bin/python");
    assert!(python.exists(), "{} is missing: run ./tests/run.sh first", python.display());
    python
}

/// The folder of npm packages, of which this one is needed.
pub(crate) fn node_tools(package: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/.tools/node_modules");
    assert!(folder.join(package).exists(), "npm's {package} is missing: run ./tests/run.sh first");
    folder
}

/// `tests/reference.py`, the second implementation of the format, in the sandbox.
pub(crate) fn reference<'s>(sandbox: &'s Sandbox, args: &[&str]) -> Run<'s> {
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference.py").into_os_string().into_string().unwrap();
    sandbox.command(reference_tools(), [&[script.as_str()], args].concat())
}

/// One command line, and what is expected of it.
pub(crate) struct Run<'s> {
    command: Command,
    stdin: Vec<u8>,
    _sandbox: &'s Sandbox,
}

impl Run<'_> {
    /// What the command reads from standard input (default: nothing).
    pub(crate) fn stdin(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.stdin = bytes.as_ref().to_vec();
        self
    }

    /// A variable for this command only.
    pub(crate) fn variable(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Without this variable, for this command only.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// One more argument.
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// In another folder.
    pub(crate) fn folder(mut self, path: impl AsRef<Path>) -> Self {
        self.command.current_dir(path);
        self
    }

    /// The command line as it is, for who starts it otherwise.
    pub(crate) fn into_command(self) -> Command {
        self.command
    }

    /// Runs it to its end.
    pub(crate) fn output(mut self) -> Output {
        let mut child = self.spawn();
        let watchdog = Watchdog::of(&child);
        let mut pipe = child.stdin.take().unwrap();
        let stdin = std::mem::take(&mut self.stdin);
        let writer = std::thread::spawn(move || drop(pipe.write_all(&stdin)));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        watchdog.rest();
        output
    }

    /// Starts it, with all three streams piped and without the terminal that the tests may have been started from.
    #[allow(unsafe_code, reason = "there is no other way to leave a terminal before exec")]
    pub(crate) fn spawn(&mut self) -> Child {
        // SAFETY: setsid is async-signal-safe, and nothing else happens between fork and exec.
        unsafe {
            self.command.pre_exec(|| rustix::process::setsid().map(drop).map_err(std::io::Error::from));
        }
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        self.command.spawn().unwrap_or_else(|error| panic!("{:?}: {error}", self.command))
    }

    /// Status 0, silence.
    #[track_caller]
    pub(crate) fn succeeds(self) {
        self.answers(0, "", "");
    }

    /// Status 0, exactly this on standard output, nothing on standard error.
    #[track_caller]
    pub(crate) fn prints(self, stdout: impl AsRef<[u8]>) {
        self.answers(0, stdout, "");
    }

    /// Status 0, nothing on standard output, exactly this on standard error.
    #[track_caller]
    pub(crate) fn says(self, stderr: &str) {
        self.answers(0, "", stderr);
    }

    /// This status, nothing on standard output, exactly this on standard error.
    #[track_caller]
    pub(crate) fn fails(self, status: i32, stderr: &str) {
        self.answers(status, "", stderr);
    }

    /// Exactly this status and these streams.
    #[track_caller]
    pub(crate) fn answers(self, status: i32, stdout: impl AsRef<[u8]>, stderr: &str) {
        let command = format!("{:?}", self.command);
        let output = self.output();
        assert_eq!(String::from_utf8_lossy(&output.stderr), stderr, "standard error of {command}");
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.stdout == stdout.as_ref(),
            "{command} printed {shown:?}, expected {:?}",
            String::from_utf8_lossy(stdout.as_ref())
        );
        assert_eq!(output.status.code(), Some(status), "status of {command}");
    }

    /// This status, nothing on standard output; the first line of standard error is returned.
    #[track_caller]
    pub(crate) fn refuses(self, status: i32) -> String {
        let command = format!("{:?}", self.command);
        let output = self.output();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "status of {command}: {stderr}");
        assert!(output.stdout.is_empty(), "{command} printed {:?}", String::from_utf8_lossy(&output.stdout));
        stderr.lines().next().unwrap_or_default().to_owned()
    }
}

/// Kills a command that does not end, so that a test fails instead of hanging.
struct Watchdog(Sender<()>);

impl Watchdog {
    fn of(child: &Child) -> Self {
        let (sender, receiver) = channel();
        let process = rustix::process::Pid::from_child(child);
        std::thread::spawn(move || {
            if receiver.recv_timeout(Duration::from_secs(120)) == Err(RecvTimeoutError::Timeout) {
                let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
            }
        });
        Watchdog(sender)
    }

    fn rest(self) {
        let _ = self.0.send(());
    }
}
