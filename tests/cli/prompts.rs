//! What envsec asks at a terminal, and what a person can do there. Every test also expects the terminal's modes to be
//! the same after it as before ([`Terminal::ends`]).

use crate::harness::{PASSWORD, Sandbox};
use crate::terminal::Terminal;
use rustix::process::{Pid, Signal, kill_process};

const CTRL_C: &str = "\u{3}";
const CTRL_D: &str = "\u{4}";
const CTRL_U: &str = "\u{15}";
const CTRL_Z: &str = "\u{1a}";
const BACKSPACE: &str = "\u{7f}";

const INIT: &str = "envsec init --work-factor 15";
const NEW_PASSWORD: &str = "New password (empty: generate one): ";
const PASSWORD_PROMPT: &str = "Password for .env.enc: ";
const INTERRUPTED: &str = "error: interrupted\n";
const MADE: &str = "made .env.enc; next: envsec set NAME, envsec run -- COMMAND\n";

/// A file whose credential is nowhere but in somebody's head.
fn with_password_only(entries: &[(&str, &str)]) -> Sandbox {
    let mut sandbox = Sandbox::with(entries);
    sandbox.unset_variable("ENVSEC_KEY");
    sandbox
}

#[test]
fn a_typed_value_arrives_as_it_was_typed_and_is_not_shown() {
    let sandbox = Sandbox::sealed();
    for (typed, value) in [
        ("va\tlue é #$\r", "va\tlue é #$"),
        (" blanks stay \n", " blanks stay "),
        ("without a line end\u{4}", "without a line end"),
        (&format!("wrong{CTRL_U}right\r"), "right"),
        (&format!("né{BACKSPACE}{BACKSPACE}o\u{8}ö日{BACKSPACE}x\r"), "öx"),
    ] {
        let mut terminal = Terminal::start(&sandbox, "envsec set A");
        let ended = terminal.sees("Value for A: ").types(typed).ends();
        assert_eq!((ended.shown.as_str(), ended.status, ended.left.as_str()), ("Value for A: \n", 0, ""), "{typed:?}");
        sandbox.envsec(["get", "A"]).prints(value);
    }
}

#[test]
fn what_cannot_be_typed_is_refused_and_not_left_to_the_shell() {
    let sandbox = Sandbox::with(&[("A", "old")]);
    let several = "error: several lines were pasted; pipe them in instead; nothing was taken\n";
    let control = "error: a control character was typed (an arrow key?); nothing was taken\n";
    for (typed, error) in [
        ("line one\rline two\r", several),
        ("line one\nline two", several),
        ("line one\r\r", several),
        ("a\u{1b}[Ab\r", control),
        ("a\u{1b}[A\rrm -r .\r", control),
        (&"a line of a key\r".repeat(2000), several),
        (&"x".repeat(300_000), "error: the line is too long; nothing was taken\n"),
    ] {
        let mut terminal = Terminal::start(&sandbox, "envsec set A");
        let ended = terminal.sees("Value for A: ").types(typed).ends();
        assert_eq!(ended.shown, format!("Value for A: \n{error}"), "{typed:?}");
        assert_eq!((ended.status, ended.left.as_str()), (1, ""), "{typed:?}");
    }
    sandbox.envsec(["get", "A"]).prints("old");
}

#[test]
fn a_new_password_is_typed_twice_and_opens_the_file() {
    let sandbox = Sandbox::new();
    let typed = "mein geheimes Caf\u{e9}\r";
    let mut terminal = Terminal::start(&sandbox, INIT);
    let ended = terminal.sees(NEW_PASSWORD).types(typed).sees("Again: ").types(typed).ends();
    assert_eq!((ended.shown, ended.status), (format!("{NEW_PASSWORD}\nAgain: \n{MADE}"), 0));
    sandbox.envsec(["run", "--", "true"]).variable("ENVSEC_PASSWORD", "mein geheimes Cafe\u{301}").succeeds();
}

#[test]
fn two_answers_that_differ_write_nothing() {
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::start(&sandbox, INIT);
    let ended =
        terminal.sees(NEW_PASSWORD).types("one long password\r").sees("Again: ").types("another password\r").ends();
    let error = "error: the two answers differ; nothing was written\n";
    assert_eq!((ended.shown, ended.status), (format!("{NEW_PASSWORD}\nAgain: \n{error}"), 1));
    assert!(sandbox.files().is_empty());
}

#[test]
fn a_weak_password_is_refused_before_it_is_asked_for_again() {
    let sandbox = Sandbox::new();
    let ended = Terminal::start(&sandbox, INIT).sees(NEW_PASSWORD).types("elevenchars\r").ends();
    let error = "error: the new password has 11 characters, at least 12 are needed\n";
    assert!(ended.shown.starts_with(&format!("{NEW_PASSWORD}\n{error}hint: ")), "{}", ended.shown);
    assert_eq!((ended.status, ended.shown.contains("Again")), (2, false));
    assert!(sandbox.files().is_empty());
}

/// Waits for generated words and returns them.
fn words(terminal: &mut Terminal) -> String {
    let before = "Your new password, shown this once; keep it in a password manager:\n\n    ";
    let shown = terminal.sees(before).sees("\n\nType it to confirm: ").shown();
    shown.split_once(before).unwrap().1.lines().next().unwrap().to_owned()
}

#[test]
fn generated_words_are_shown_once_at_the_terminal_and_confirmed() {
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::start(&sandbox, &format!("{INIT} >out 2>err"));
    terminal.sees(NEW_PASSWORD).types("\r");
    let words = words(&mut terminal);
    assert_eq!(words.split(['-', ' ']).count(), 7, "{words}");
    let ended = terminal.types(&format!("{words}\r")).ends();
    assert_eq!((ended.shown.matches(&words).count(), ended.status), (1, 0));
    assert_eq!((sandbox.text("out").as_str(), sandbox.text("err").as_str()), ("", ""));
    sandbox.envsec(["run", "--", "true"]).variable("ENVSEC_PASSWORD", &words).succeeds();
}

#[test]
fn generated_words_that_are_not_confirmed_write_nothing() {
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::start(&sandbox, INIT);
    terminal.sees(NEW_PASSWORD).types("\r");
    words(&mut terminal);
    let ended = terminal.types("I did not look\r").ends();
    assert!(ended.shown.ends_with("error: the two answers differ; nothing was written\n"), "{}", ended.shown);
    assert_eq!((ended.status, sandbox.files().len()), (1, 0));
}

#[test]
fn without_a_setting_the_password_is_asked_for() {
    let sandbox = with_password_only(&[("A", "secret value")]);
    let ended = Terminal::start(&sandbox, "envsec get A").sees(PASSWORD_PROMPT).types(&format!("{PASSWORD}\r")).ends();
    assert_eq!((ended.shown, ended.status), (format!("{PASSWORD_PROMPT}\nsecret value\n"), 0));
    for (typed, error) in [
        ("wrong password", "error: .env.enc: no slot opens with this password or key\n"),
        ("", "error: the terminal: the password is empty\n"),
    ] {
        let ended = Terminal::start(&sandbox, "envsec get A").sees(PASSWORD_PROMPT).types(&format!("{typed}\r")).ends();
        assert!(ended.shown.starts_with(&format!("{PASSWORD_PROMPT}\n{error}")), "{}", ended.shown);
        assert_eq!(ended.status, 4);
    }
}

#[test]
fn prompts_go_to_the_terminal_whatever_is_redirected() {
    let sandbox = with_password_only(&[("A", "secret value")]);
    let mut terminal = Terminal::start(&sandbox, "envsec get A >out 2>err </dev/null");
    let ended = terminal.sees(PASSWORD_PROMPT).types(&format!("{PASSWORD}\r")).ends();
    assert_eq!((ended.shown, ended.status), (format!("{PASSWORD_PROMPT}\n"), 0));
    assert_eq!((sandbox.text("out").as_str(), sandbox.text("err").as_str()), ("secret value", ""));
}

#[test]
fn a_value_comes_through_the_pipe_while_the_password_is_typed() {
    let mut sandbox = with_password_only(&[]);
    let mut terminal = Terminal::start(&sandbox, "printf 'two\\nlines' | envsec set A");
    let ended = terminal.sees(PASSWORD_PROMPT).types(&format!("{PASSWORD}\r")).ends();
    assert_eq!((ended.shown, ended.status), (format!("{PASSWORD_PROMPT}\n"), 0));
    sandbox.set_variable("ENVSEC_PASSWORD", PASSWORD);
    sandbox.envsec(["get", "A"]).prints("two\nlines");
}

#[test]
fn get_adds_a_newline_for_a_terminal_only() {
    let sandbox = Sandbox::with(&[("A", "1")]);
    sandbox.shell("envsec get A").prints("1");
    let ended = Terminal::start(&sandbox, "envsec get A").ends();
    assert_eq!((ended.shown.as_str(), ended.status), ("1\n", 0));
}

#[test]
fn leaving_a_prompt_changes_nothing() {
    for key in [CTRL_C, CTRL_D] {
        let sandbox = with_password_only(&[("A", "old")]);
        let before = sandbox.read(".env.enc");
        for verb in ["get A", "set A", "unset A", "run -- touch started"] {
            let ended = Terminal::start(&sandbox, &format!("envsec {verb}")).sees(PASSWORD_PROMPT).types(key).ends();
            assert!(ended.shown.starts_with(&format!("{PASSWORD_PROMPT}\n{INTERRUPTED}")), "{verb}: {}", ended.shown);
            assert_eq!(ended.status, if verb.starts_with("run") { 125 } else { 1 }, "{verb}");
        }
        let mut terminal = Terminal::start(&sandbox, "envsec set A");
        let ended =
            terminal.sees(PASSWORD_PROMPT).types(&format!("{PASSWORD}\r")).sees("Value for A: ").types(key).ends();
        assert_eq!(ended.shown, format!("{PASSWORD_PROMPT}\nValue for A: \n{INTERRUPTED}"));
        assert!(sandbox.read(".env.enc") == before && sandbox.files() == [".env.enc"]);
    }
}

#[test]
fn ctrl_c_after_some_letters_leaves_too() {
    let sandbox = Sandbox::with(&[("A", "old")]);
    let ended = Terminal::start(&sandbox, "envsec set A").sees("Value for A: ").types(&format!("abc{CTRL_C}")).ends();
    assert_eq!((ended.shown, ended.status), (format!("Value for A: \n{INTERRUPTED}"), 1));
    sandbox.envsec(["get", "A"]).prints("old");
}

#[test]
fn leaving_init_makes_nothing() {
    let sandbox = Sandbox::new();
    for key in [CTRL_C, CTRL_D] {
        let leave = |terminal: &mut Terminal| {
            let ended = terminal.types(key).ends();
            assert!(ended.shown.ends_with(&format!("\n{INTERRUPTED}")), "{}", ended.shown);
            assert_eq!((ended.status, sandbox.files().len()), (1, 0));
        };
        leave(Terminal::start(&sandbox, INIT).sees(NEW_PASSWORD));
        leave(Terminal::start(&sandbox, INIT).sees(NEW_PASSWORD).types("one long password\r").sees("Again: "));
        leave(Terminal::start(&sandbox, INIT).sees(NEW_PASSWORD).types("\r").sees("Type it to confirm: "));
    }
}

/// Waits at a prompt, in a process whose number stands in the file `pid`.
const WAITS: &str = "sh -c 'echo $$ >pid; exec envsec set A'";

fn signal(sandbox: &Sandbox, signal: Signal) {
    kill_process(Pid::from_raw(sandbox.text("pid").trim().parse().unwrap()).unwrap(), signal).unwrap();
}

#[test]
fn a_signal_at_a_prompt_ends_it_and_leaves_the_terminal_as_it_was() {
    let sandbox = Sandbox::with(&[("A", "old")]);
    for (sent, status) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130), (Signal::QUIT, 131)] {
        let mut terminal = Terminal::start(&sandbox, WAITS);
        terminal.sees("Value for A: ").types("abc");
        signal(&sandbox, sent);
        let ended = terminal.ends();
        assert_eq!((ended.status, ended.left.as_str()), (status, ""), "{sent:?}: {}", ended.shown);
        assert!(!ended.shown.contains("abc"), "{}", ended.shown);
    }
    sandbox.envsec(["get", "A"]).prints("old");
}

#[test]
fn a_signal_that_is_ignored_is_ignored_at_a_prompt_too() {
    let sandbox = Sandbox::sealed();
    let mut terminal = Terminal::start(&sandbox, &format!("trap '' HUP INT; {WAITS}"));
    terminal.sees("Value for A: ");
    signal(&sandbox, Signal::HUP);
    signal(&sandbox, Signal::INT);
    assert_eq!(terminal.types("typed\r").ends().status, 0);
    sandbox.envsec(["get", "A"]).prints("typed");
}

#[test]
fn a_prompt_that_is_stopped_gives_the_terminal_back_and_asks_again() {
    let sandbox = Sandbox::sealed();
    let echo = "stty -a | grep -ow -e '-\\?echo' -e '-\\?icanon' | tr '\\n' ' '; printf ready; read -r typed";
    for by_key in [true, false] {
        let mut terminal = Terminal::start(&sandbox, &format!("set -m; {WAITS}; {echo}; fg >/dev/null"));
        terminal.sees("Value for A: ");
        if by_key {
            terminal.types(&format!("be{CTRL_Z}"));
        } else {
            signal(&sandbox, Signal::TSTP);
        }
        terminal.sees("icanon echo ready").types("seen\n").sees("seen");
        let ended = terminal.sees("\nValue for A: ").types("hind\r").ends();
        assert_eq!(ended.status, 0, "{}", ended.shown);
        assert!(!ended.shown.contains("hind"), "{}", ended.shown);
        sandbox.envsec(["get", "A"]).prints(if by_key { "behind" } else { "hind" });
    }
}

/// bash, for one, gives a job that goes on no modes of its own.
#[test]
fn a_prompt_that_goes_on_after_a_stop_that_nobody_can_catch_is_hidden_again() {
    let sandbox = Sandbox::sealed();
    let script = format!("set -m; {WAITS}; stty echo icanon; printf ready; read -r _; fg >/dev/null");
    let mut terminal = Terminal::start(&sandbox, &script);
    terminal.sees("Value for A: ");
    signal(&sandbox, Signal::STOP);
    let ended = terminal.sees("ready").types("\n").sees("\nValue for A: ").types("hidden\r").sees("[status").shown();
    assert!(!ended.contains("hidden"), "{ended}");
    sandbox.envsec(["get", "A"]).prints("hidden");
}

#[test]
fn ctrl_z_where_nobody_could_have_it_go_on_does_nothing() {
    let sandbox = Sandbox::sealed();
    let mut terminal = Terminal::start(&sandbox, "envsec set A");
    let ended = terminal.sees("Value for A: ").types(&format!("a{CTRL_Z}")).sees("\nValue for A: ").types("b\r").ends();
    assert_eq!((ended.shown.as_str(), ended.status), ("Value for A: \nValue for A: \n", 0));
    sandbox.envsec(["get", "A"]).prints("ab");
}
