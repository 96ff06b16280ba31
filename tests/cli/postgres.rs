//! Rotations at a real service: PostgreSQL, with the scripts of `examples/rotation`.

use crate::harness::{ENVSEC, Sandbox};
use envsec::crypto::system_rng;
use envsec::sealed::{Credential, Limits, Locked, RawKey, Unlocked};
use envsec::secret::SecretText;
use rand::RngExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The password of the server's owner.
const OWNER: &str = "the owner's password";

/// A server of its own on a loopback port, with the roles `app`, `app_a` and `app_b`.
struct Server {
    folder: TempDir,
    port: u16,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("envsec-postgres-").tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Server { folder, port };
        std::fs::write(server.folder.path().join("owner"), OWNER).unwrap();
        if is_root() {
            succeeds(Command::new("chown").arg("-R").arg("postgres").arg(server.folder.path()));
        }
        let data = server.folder.path().join("data");
        let init = ["-U", "owner", "-A", "scram-sha-256", "-E", "UTF8", "--no-locale", "--no-sync"];
        let owner = format!("--pwfile={}", server.folder.path().join("owner").display());
        succeeds(as_postgres("initdb").args(init).arg(owner).arg("-D").arg(&data));
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c log_statement=all"
        );
        let log = server.folder.path().join("log");
        succeeds(
            as_postgres("pg_ctl").arg("start").arg("-w").arg("-D").arg(&data).arg("-l").arg(log).arg("-o").arg(options),
        );
        server.owner(
            "CREATE ROLE app LOGIN PASSWORD 'first'; CREATE ROLE app_a LOGIN PASSWORD 'first'; CREATE ROLE app_b LOGIN",
        );
        server.owner("CREATE TABLE api_key (key text PRIMARY KEY); INSERT INTO api_key VALUES ('first')");
        server
    }

    /// What programs of PostgreSQL need to know.
    fn settings(&self) -> [(&'static str, String); 4] {
        let host = ("PGHOST", "127.0.0.1".to_owned());
        [host, ("PGPORT", self.port.to_string()), ("PGDATABASE", "postgres".into()), ("PGCONNECT_TIMEOUT", "20".into())]
    }

    fn psql(&self, user: &str, password: &str) -> Command {
        let mut command = Command::new("psql");
        command.args(["-qXAt", "-v", "ON_ERROR_STOP=1", "-c"]).envs(self.settings());
        command.env("PGUSER", user).env("PGPASSWORD", password).stdin(Stdio::null());
        command
    }

    fn owner(&self, statements: &str) -> String {
        let output = self.psql("owner", OWNER).arg(statements).output().unwrap();
        assert!(output.status.success(), "{statements}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn lets_in(&self, user: &str, password: &str) -> bool {
        self.psql(user, password).arg("SELECT 1").output().unwrap().status.success()
    }

    /// A sandbox whose hooks reach the server as its owner, with the scripts of the examples beside the file.
    fn sandbox(&self, entries: &[(&str, &str)]) -> Sandbox {
        let mut sandbox = Sandbox::with(entries);
        for (name, value) in self.settings() {
            sandbox.set_variable(name, &value);
        }
        sandbox.set_variable("PGUSER", "owner");
        sandbox.set_variable("PGPASSFILE", sandbox.join("pgpass").to_str().unwrap());
        sandbox.set_variable("ROLE", "app");
        sandbox.write("pgpass", format!("*:*:*:owner:{OWNER}\n"));
        succeeds(Command::new("chmod").arg("600").arg(sandbox.join("pgpass")));
        for script in ["set-password.sh", "try-password.sh"] {
            let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/rotation").join(script);
            std::fs::copy(from, sandbox.join(script)).unwrap();
        }
        sandbox
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.folder.path().join("data");
        let _ = as_postgres("pg_ctl").args(["stop", "-m", "immediate", "-D"]).arg(data).output();
    }
}

fn is_root() -> bool {
    rustix::process::getuid().is_root()
}

/// A program of the server, which refuses to run as root.
fn as_postgres(program: &str) -> Command {
    let versions = std::fs::read_dir("/usr/lib/postgresql").map(|entries| entries.map(|entry| entry.unwrap().path()));
    let folder =
        versions.ok().and_then(|versions| versions.max()).map_or(PathBuf::new(), |version| version.join("bin"));
    let program = folder.join(program);
    let mut command = Command::new(if is_root() { Path::new("setpriv") } else { &program });
    if is_root() {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(&program);
    }
    command.current_dir("/");
    command
}

#[track_caller]
fn succeeds(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// What `envsec get` prints, if it finds anything.
fn get(sandbox: &Sandbox, args: &[&str]) -> Option<String> {
    let output = sandbox.envsec([&["get"], args].concat()).output();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

/// The file as its owner opens it.
fn open(sandbox: &Sandbox) -> Unlocked {
    let key = Credential::RawKey(RawKey::parse(&SecretText::from(sandbox.key.as_str())).unwrap());
    Locked::parse(&sandbox.read(".env.enc")).unwrap().unlock(&[key], &Limits::default()).unwrap()
}

/// The value that waits in the file, if one does.
fn pending(sandbox: &Sandbox, name: &str) -> Option<String> {
    open(sandbox).pending(&name.parse().unwrap()).ok().map(|value| value.expose().to_owned())
}

#[allow(clippy::print_stdout, reason = "the figures of the run belong into its report")]
fn report(figures: &str) {
    println!("{figures}");
}

const HOOKS: &str = "--on-set ./set-password.sh --on-test ./try-password.sh --on-abort ./set-password.sh";

#[test]
fn a_password_changes_at_the_server_and_in_the_file() {
    let server = Server::start();
    let sandbox = server.sandbox(&[("DB_PASSWORD", "first")]);
    sandbox.shell(&format!("envsec rotate DB_PASSWORD --generate password:24 {HOOKS}")).succeeds();
    let second = get(&sandbox, &["DB_PASSWORD"]).unwrap();
    assert!(second.len() == 24 && server.lets_in("app", &second) && !server.lets_in("app", "first"));
    let log = server.log();
    assert!(log.contains("ALTER USER app PASSWORD") && !log.contains(&second), "the server's log has the password");
    // Each way to fail, and each way out of it: the server and the file agree again.
    for (failing, way) in [
        ("--on-set 'exit 1'", "--resume"),
        ("--on-set 'exit 1'", "--abort"),
        ("--on-set './set-password.sh; exit 1'", "--resume"),
        ("--on-set './set-password.sh; exit 1'", "--abort"),
        ("--on-set ./set-password.sh --on-test 'exit 1'", "--resume"),
        ("--on-set ./set-password.sh --on-test 'exit 1'", "--abort"),
        ("--on-set 'sleep 60' --hook-timeout 1s", "--resume"),
        ("--on-set 'PGPORT=1 ./set-password.sh'", "--abort"),
    ] {
        let before = get(&sandbox, &["DB_PASSWORD"]).unwrap();
        let failed = sandbox.shell(&format!("envsec rotate DB_PASSWORD --generate password:24 {failing}")).output();
        assert_eq!(failed.status.code(), Some(7), "{failing}: {}", String::from_utf8_lossy(&failed.stderr));
        let waiting = pending(&sandbox, "DB_PASSWORD").unwrap();
        assert!(server.lets_in("app", &before) != server.lets_in("app", &waiting), "{failing}: the file holds neither");
        sandbox.shell(&format!("envsec rotate DB_PASSWORD {way} {HOOKS}")).succeeds();
        let after = get(&sandbox, &["DB_PASSWORD"]).unwrap();
        assert_eq!(after, if way == "--resume" { waiting } else { before }, "{failing} {way}");
        assert!(server.lets_in("app", &after) && pending(&sandbox, "DB_PASSWORD").is_none(), "{failing} {way}");
    }
    // A step of finish that fails: the new value is in use, here and there.
    let failed = sandbox.shell(&format!("envsec rotate DB_PASSWORD --generate password:24 {HOOKS} --on-finish false"));
    assert_eq!(failed.output().status.code(), Some(7));
    assert!(server.lets_in("app", &get(&sandbox, &["DB_PASSWORD"]).unwrap()));
    sandbox.shell("envsec rotate DB_PASSWORD --resume --on-finish true").succeeds();
}

/// How many rotations are killed.
const KILLS: u32 = 200;

#[test]
fn a_rotation_that_is_killed_at_any_time_loses_no_password() {
    let server = Server::start();
    let sandbox = server.sandbox(&[("DB_PASSWORD", "first")]);
    let script = format!("exec {ENVSEC} rotate DB_PASSWORD --generate password:24 {HOOKS} --on-finish true");
    let start = Instant::now();
    sandbox.shell(&script).succeeds();
    let whole = start.elapsed();
    let (mut untouched, mut waiting, mut in_use) = (0, 0, 0);
    for number in 0..KILLS {
        let before = get(&sandbox, &["DB_PASSWORD"]).unwrap();
        let mut running = sandbox.shell(&script).spawn();
        std::thread::sleep(whole.mul_f64(system_rng().random_range(0.0..1.1)));
        running.kill().unwrap(); // -9
        running.wait().unwrap();
        let (now, next) = (get(&sandbox, &["DB_PASSWORD"]).unwrap(), pending(&sandbox, "DB_PASSWORD"));
        let held: Vec<&String> = [Some(&now), next.as_ref()].into_iter().flatten().collect();
        // A hook that was running then ends by itself a little later.
        let is_held = || held.iter().any(|password| server.lets_in("app", password));
        assert!(is_held() || is_held(), "kill {number}: the server has a password that the file does not hold");
        *(match (&next, now == before) {
            (Some(_), _) => &mut waiting,
            (None, true) => &mut untouched,
            (None, false) => &mut in_use,
        }) += 1;
        let resumed = sandbox.shell(&format!("envsec rotate DB_PASSWORD --resume {HOOKS} --on-finish true")).output();
        let stderr = String::from_utf8_lossy(&resumed.stderr);
        let had_ended = stderr.contains("no rotation of it is pending");
        assert!(resumed.status.success() || had_ended && next.is_none(), "kill {number}: {stderr}");
        let after = get(&sandbox, &["DB_PASSWORD"]).unwrap();
        assert_eq!(after, next.unwrap_or(now), "kill {number}");
        assert!(server.lets_in("app", &after), "kill {number}: the server and the file disagree");
        assert!(pending(&sandbox, "DB_PASSWORD").is_none(), "kill {number}");
    }
    assert!(untouched > 0 && waiting > 0 && in_use > 0, "{untouched} {waiting} {in_use}: not at all times");
    assert!(sandbox.files().iter().all(|name| !name.ends_with(".tmp")), "{:?}", sandbox.files());
    report(&format!(
        "{KILLS} rotations killed: {untouched} before the first write, {waiting} with the new value pending, {in_use} \
         with it in use; no password lost"
    ));
}

/// How many rotations a client lives through.
const ROTATIONS: u32 = 20;

/// A client that logs in ten times a second, with the current value and, if that fails, with the previous one.
struct Client<L> {
    login: L,
    logins: AtomicU32,
    by_previous: AtomicU32,
    is_done: AtomicBool,
}

impl<L: Fn(&[&str]) -> bool + Sync> Client<L> {
    fn new(login: L) -> Self {
        Client { login, logins: AtomicU32::new(0), by_previous: AtomicU32::new(0), is_done: AtomicBool::new(false) }
    }

    /// Logs in while `rotations` go on; not one login may fail.
    fn lives_through(&self, rotations: impl FnOnce()) -> String {
        std::thread::scope(|scope| {
            let client = scope.spawn(|| self.log_in());
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(rotations));
            self.is_done.store(true, Ordering::Relaxed);
            client.join().unwrap();
            ended.unwrap();
        });
        let (logins, by_previous) = (self.logins.load(Ordering::Relaxed), self.by_previous.load(Ordering::Relaxed));
        assert!(logins >= ROTATIONS, "{logins} logins");
        format!("{logins} logins, {by_previous} of them with the previous value, none failed")
    }

    fn log_in(&self) {
        let mut next = Instant::now();
        while !self.is_done.load(Ordering::Relaxed) {
            if !(self.login)(&[]) {
                assert!((self.login)(&["--previous"]), "login {:?} failed", self.logins);
                self.by_previous.fetch_add(1, Ordering::Relaxed);
            }
            self.logins.fetch_add(1, Ordering::Relaxed);
            next += Duration::from_millis(100);
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    }

    /// Until it has read everything anew: nobody uses the old value any more.
    fn has_read_the_new_value(&self) {
        let before = self.logins.load(Ordering::Relaxed);
        while self.logins.load(Ordering::Relaxed) < before + 2 && !self.is_done.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[test]
fn a_client_of_two_users_in_turn_sees_no_failed_login() {
    let server = Server::start();
    let sandbox = server.sandbox(&[("DB_USER", "app_a"), ("DB_PASSWORD", "first")]);
    let login = |which: &[&str]| {
        let user = get(&sandbox, &[&["DB_USER"], which].concat());
        let password = get(&sandbox, &[&["DB_PASSWORD"], which].concat());
        user.zip(password).is_some_and(|(user, password)| server.lets_in(&user, &password))
    };
    let pair = "--pair DB_USER=app_a,app_b";
    let client = Client::new(login);
    let figures = client.lives_through(|| {
        for _ in 0..ROTATIONS {
            let rotate = format!("envsec rotate DB_PASSWORD --generate password:24 --grace 1h {pair} {HOOKS}");
            sandbox.shell(&rotate).succeeds();
            client.has_read_the_new_value();
            sandbox.shell(&format!("envsec rotate DB_PASSWORD --finish {pair}")).succeeds();
        }
    });
    report(&format!("{ROTATIONS} rotations of two users in turn: {figures}"));
}

#[test]
fn a_client_of_a_service_that_takes_both_keys_sees_no_failed_login() {
    let server = Server::start();
    let sandbox = server.sandbox(&[("API_KEY", "first")]);
    let query = "KEY=$(cat) psql -qXAt -v ON_ERROR_STOP=1 -f";
    for (name, what) in [
        ("add", "INSERT INTO api_key VALUES (:'key') ON CONFLICT DO NOTHING"),
        ("find", "SELECT count(*) FROM api_key WHERE key = :'key'"),
        ("remove", "DELETE FROM api_key WHERE key = :'key'"),
    ] {
        sandbox.write(name, format!("\\getenv key KEY\n{what};\n"));
    }
    let login = |which: &[&str]| {
        let Some(key) = get(&sandbox, &[&["API_KEY"], which].concat()) else { return false };
        server.owner(&format!("SELECT count(*) FROM api_key WHERE key = '{key}'")).trim() == "1"
    };
    let hooks = format!("--on-set '{query} add' --on-test 'test 1 = $({query} find)'");
    let client = Client::new(login);
    let figures = client.lives_through(|| {
        for _ in 0..ROTATIONS {
            sandbox.shell(&format!("envsec rotate API_KEY --generate hex:16 --grace 1h {hooks}")).succeeds();
            client.has_read_the_new_value();
            sandbox.shell(&format!("envsec rotate API_KEY --finish --on-finish '{query} remove <&3'")).succeeds();
        }
    });
    assert_eq!(server.owner("SELECT count(*) FROM api_key").trim(), "1", "old keys were left at the service");
    report(&format!("{ROTATIONS} rotations of a key: {figures}"));
}
