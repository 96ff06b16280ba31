//! The user's editor on a file that is wiped afterwards.

use super::helper;
use super::signals::Interrupts;
use crate::error::{Failure, Status};
use crate::fs;
use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The editor that the settings of the system name.
pub struct Editor {
    /// A command for the shell, arguments and all.
    command: String,
    kind: Kind,
}

/// What is known of an editor by its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// Takes `+LINE`, and keeps what was yanked, undone or not yet written, unless it is told not to.
    Vim,
    /// Takes `-c LINE`, as POSIX has it; to some of its kind `+LINE` is a file.
    Vi,
    /// Takes `+LINE`.
    TakesLine,
    Other,
}

/// Why there is no edited text.
#[derive(Debug, thiserror::Error)]
pub enum EditorError {
    /// No setting, and no `vi`.
    #[error("no editor: neither VISUAL nor EDITOR is set, and there is no vi")]
    None,
    /// No setting, and `vi` would wait for keys that nobody presses.
    #[error("no editor: neither VISUAL nor EDITOR is set, and there is no terminal for vi")]
    NoTerminal,
    /// VISUAL or EDITOR holds bytes that are no text.
    #[error("{0} is not UTF-8 text")]
    NotText(&'static str),
    /// The shell did not find it.
    #[error("the editor was not found: {0}")]
    NotFound(String),
    /// It said that it failed, or was killed.
    #[error("the editor failed ({0}); nothing was changed")]
    Failed(ExitStatus),
    /// Somebody wants this process to end.
    #[error("ended by a signal while the editor ran; nothing was changed")]
    Interrupted,
    /// It could not be run.
    #[error("the editor cannot be run: {0}")]
    Io(#[from] io::Error),
}

impl Failure for EditorError {
    fn status(&self) -> Status {
        match self {
            EditorError::None | EditorError::NoTerminal | EditorError::NotText(_) | EditorError::NotFound(_) => {
                Status::Usage
            }
            EditorError::Failed(_) | EditorError::Interrupted | EditorError::Io(_) => Status::Other,
        }
    }

    fn hint(&self) -> Option<String> {
        matches!(self, EditorError::None | EditorError::NoTerminal | EditorError::NotFound(_))
            .then(|| "nothing was changed; set EDITOR, with arguments if it needs any: EDITOR='code --wait'".into())
    }
}

/// How long an editor that was asked to end may take for it.
const TO_END: Duration = Duration::from_secs(2);

/// How long to wait before looking again whether it has ended.
const TICK: Duration = Duration::from_millis(10);

/// What the shell says of a command that it does not find.
const NOT_FOUND: i32 = 127;

/// vim's own files that would hold what was yanked, changed or typed: the swap file, viminfo, undo, backup. What `-c` has
/// comes after the vimrc, so that this cannot bring them back. And no settings from the text: anybody can write comments
/// into a sealed file, and vim obeys those that look like `vim: set`.
const FOR_VIM: [&str; 7] = [
    "-n",
    "-i",
    "NONE",
    "--cmd",
    "silent! autocmd BufReadPre * setlocal nomodeline",
    "-c",
    "silent! set noundofile nobackup nowritebackup noswapfile",
];

impl Editor {
    /// `$VISUAL`, else `$EDITOR`, else `vi`.
    ///
    /// # Errors
    /// [`EditorError::None`], [`EditorError::NoTerminal`], [`EditorError::NotText`].
    pub fn find() -> Result<Self, EditorError> {
        for name in ["VISUAL", "EDITOR"] {
            match std::env::var(name) {
                Ok(command) if !command.trim().is_empty() => return Ok(Editor::of(command)),
                Err(std::env::VarError::NotUnicode(_)) => return Err(EditorError::NotText(name)),
                _ => {}
            }
        }
        match in_path("vi") {
            None => Err(EditorError::None),
            Some(_) if !(io::stdin().is_terminal() && io::stdout().is_terminal()) => Err(EditorError::NoTerminal),
            Some(_) => Ok(Editor::of("vi".to_owned())),
        }
    }

    fn of(command: String) -> Self {
        // One that is a file as a whole has its blanks in its name.
        if Path::new(&command).is_file() {
            let kind = kind(&command);
            return Editor { command: format!("'{}'", command.replace('\'', r"'\''")), kind };
        }
        let kind = kind(command.split_whitespace().next().unwrap_or_default());
        Editor { command, kind }
    }

    /// Has a file edited, at a line if the editor knows how. While it runs, keys that interrupt are its own matter in
    /// front of a terminal; a signal that wants this process to end ends it, with all that it started.
    ///
    /// # Errors
    /// Every other end than exit status 0.
    pub fn run(&self, file: &Path, line: usize, _: &Interrupts) -> Result<(), EditorError> {
        let mut shell = helper("sh");
        // A key that interrupts goes to all in front of the terminal, but what it does is for the editor to say.
        let command = format!("trap : INT QUIT; {} \"$@\"", self.command);
        shell.stdin(Stdio::inherit()).args(["-c", &command, "sh"]);
        self.tell(&mut shell, line);
        shell.arg(file);
        adopt_orphans(true);
        let ended = shell.spawn().map_err(EditorError::Io).and_then(|child| watch(child, is_at_terminal()));
        adopt_orphans(false);
        match ended? {
            status if status.success() => Ok(()),
            status if status.code() == Some(NOT_FOUND) => Err(EditorError::NotFound(self.command.clone())),
            status => Err(EditorError::Failed(status)),
        }
    }

    fn tell(&self, shell: &mut Command, line: usize) {
        if self.kind == Kind::Vim {
            shell.args(FOR_VIM);
        }
        match self.kind {
            _ if line == 1 => {}
            Kind::Vi => drop(shell.args(["-c", &line.to_string()])),
            Kind::Vim | Kind::TakesLine => drop(shell.arg(format!("+{line}"))),
            Kind::Other => {}
        }
    }
}

/// What an editor is, by the name of its program, or of the one that a link leads to: `vi` is vim on many systems.
fn kind(program: &str) -> Kind {
    let of = |name: &str| match name {
        "vim" | "nvim" | "gvim" | "vimx" => Kind::Vim,
        name if name.starts_with("vim.") => Kind::Vim,
        "vi" | "nvi" => Kind::Vi,
        "nano" | "emacs" | "emacsclient" | "joe" | "mg" | "micro" | "kak" => Kind::TakesLine,
        _ => Kind::Other,
    };
    let name = |path: &Path| path.file_name().map_or(Kind::Other, |name| of(&name.to_string_lossy()));
    let target = in_path(program).and_then(|path| fs::resolve(&path).ok());
    match target.map(|path| name(&path)) {
        Some(Kind::Vim) => Kind::Vim,
        _ => name(Path::new(program)),
    }
}

/// Where a program lies.
fn in_path(program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|path| path.is_file());
    }
    let path: OsString = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(OsStr::new(program))).find(|path| path.is_file())
}

/// Whether keys that interrupt come from a terminal that the editor has too.
fn is_at_terminal() -> bool {
    use std::io::IsTerminal as _;
    io::stdin().is_terminal()
}

/// Until it has ended, or was ended.
fn watch(mut child: Child, at_terminal: bool) -> Result<ExitStatus, EditorError> {
    loop {
        if let Some(status) = child.try_wait()? {
            // What came right before the end counts: the text may be half of what was to be written.
            return if Interrupts::ends() { Err(EditorError::Interrupted) } else { Ok(status) };
        }
        if Interrupts::ends() || (Interrupts::came() && !at_terminal) {
            end(&mut child)?;
            return Err(EditorError::Interrupted);
        }
        std::thread::sleep(TICK);
    }
}

/// Asks the editor and all that it started to end, and ends what does not.
fn end(child: &mut Child) -> io::Result<()> {
    let deadline = Instant::now() + TO_END;
    signal_children(child, Way::Asked);
    while Instant::now() < deadline && child.try_wait()?.is_none() {
        std::thread::sleep(TICK);
    }
    signal_children(child, Way::AtOnce);
    child.wait().map(drop)
}

#[derive(Clone, Copy)]
enum Way {
    Asked,
    AtOnce,
}

/// Whoever loses its parent in the editor's tree becomes a child of this process, so that it is found when all has to end.
fn adopt_orphans(yes: bool) {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{getpid, set_child_subreaper};
        // Where the system does not know it, the editor itself is ended all the same.
        let _ = set_child_subreaper(yes.then(getpid));
    }
    #[cfg(not(target_os = "linux"))]
    let _ = yes;
}

#[cfg(unix)]
fn signal_children(child: &mut Child, way: Way) {
    use rustix::process::{Pid, Signal, kill_process};
    let signal = match way {
        Way::Asked => Signal::TERM,
        Way::AtOnce => Signal::KILL,
    };
    let mut all = descendants(std::process::id());
    // Once it was waited for, its number may be another process's.
    if matches!(child.try_wait(), Ok(None)) {
        all.push(Pid::from_child(child));
    }
    for process in all {
        let _ = kill_process(process, signal); // or it has ended
    }
}

#[cfg(not(unix))]
fn signal_children(child: &mut Child, _: Way) {
    let _ = child.kill();
}

/// Who descends from a process, as far as the kernel tells (proc(5), `children`).
#[cfg(target_os = "linux")]
fn descendants(process: u32) -> Vec<rustix::process::Pid> {
    const MOST: usize = 64 * 1024;
    let mut found = Vec::new();
    let mut open = vec![process];
    while let Some(parent) = open.pop() {
        let children = fs::read_public(Path::new(&format!("/proc/{parent}/task/{parent}/children")), MOST);
        let text = children.ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
        for child in text.split_ascii_whitespace().filter_map(|number| number.parse::<i32>().ok()) {
            found.extend(rustix::process::Pid::from_raw(child));
            open.extend(u32::try_from(child).ok());
        }
    }
    found
}

#[cfg(all(unix, not(target_os = "linux")))]
fn descendants(_: u32) -> Vec<rustix::process::Pid> {
    Vec::new()
}
