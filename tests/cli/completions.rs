//! The Tab key, in the shells themselves.

use crate::harness::{Sandbox, VERBS};

/// A project with names in two environments, and the scripts of all shells.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with(&[("DATABASE_URL", "1"), ("DATABASE_USER", "2"), ("PORT", "3")]);
    let key = sandbox.make(".env.production.enc", Some("production"));
    sandbox.envsec(["set", "-e", "production", "ONLY_HERE"]).variable("ENVSEC_KEY", key).stdin("4").succeeds();
    for shell in ["bash", "zsh", "fish"] {
        sandbox.write(shell, sandbox.envsec(["completions", shell]).output().stdout);
    }
    sandbox
}

/// What bash offers for the line, one a line. bash splits at `=`, so the words are given.
fn bash(sandbox: &Sandbox, words: &[&str]) -> String {
    let script = r#"source ./bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); function=$(complete -p envsec)
        function=${function#*-F }; ${function%% *} envsec "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
        printf '%s\n' "${COMPREPLY[@]}""#;
    let quoted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
    answer(sandbox, &format!("set -- {}\n{script}", quoted.join(" ")))
}

fn fish(sandbox: &Sandbox, line: &str) -> String {
    answer(sandbox, &format!("fish --no-config -c 'source ./fish; complete -C \"{line}\"'"))
}

/// What stands on zsh's line after Tab.
fn zsh(sandbox: &Sandbox, line: &str) -> String {
    sandbox.write(
        "drive.zsh",
        format!(
            r#"zmodload zsh/zpty; TERM=dumb; zpty shell zsh -f -i
            say() {{ zpty -w shell "$1"; }}
            say "PS1=; unsetopt zle_bracketed_paste; autoload -U compinit; compinit -u -D; source ./zsh"
            say 'show() {{ print -r -- "<<$BUFFER>>"; }}; zle -N show; bindkey "^X" show; print -r ready$((1))'
            until zpty -r shell out && [[ $out = *ready1* ]]; do :; done
            zpty -w -n shell $'{line}\t\x18'
            until zpty -r shell out && [[ $out = *'<<'*'>>'* ]]; do :; done
            out=${{out#*<<}}; print -r -- ${{out%%>>*}}"#
        ),
    );
    answer(sandbox, "zsh -f drive.zsh")
}

#[track_caller]
fn answer(sandbox: &Sandbox, script: &str) -> String {
    let output = sandbox.shell(script).output();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{script}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn bash_completes_the_names_of_the_sealed_file() {
    let sandbox = sandbox();
    assert_eq!(bash(&sandbox, &["envsec", "get", "DATA"]), "DATABASE_URL\nDATABASE_USER\n");
    assert_eq!(bash(&sandbox, &["envsec", "unset", "PORT", ""]), "DATABASE_URL\nDATABASE_USER\nPORT\n");
    assert_eq!(bash(&sandbox, &["envsec", "get", "-e", "production", ""]), "ONLY_HERE\n");
    assert_eq!(bash(&sandbox, &["envsec", "get", "--env", "=", "production", ""]), "ONLY_HERE\n");
    assert_eq!(bash(&sandbox, &["envsec", "-f", ".env.production.enc", "set", ""]), "ONLY_HERE\n");
}

#[test]
fn bash_completes_verbs_and_flags() {
    let sandbox = sandbox();
    assert_eq!(bash(&sandbox, &["envsec", "imp"]), "import\n");
    assert_eq!(bash(&sandbox, &["envsec", "set", "--gen"]), "--generate\n");
}

#[test]
fn no_name_is_offered_where_a_value_belongs() {
    let sandbox = sandbox();
    for typed in ["envsec\nset\nPORT", "envsec\nget\n-e", "envsec\nrun\n--", "envsec\nget\nPORT", ""] {
        sandbox.envsec(["completions", "--names"]).stdin(typed).succeeds();
    }
    sandbox
        .envsec(["completions", "--names"])
        .stdin("envsec\nset\nA=1\n")
        .prints("DATABASE_URL\nDATABASE_USER\nPORT\n");
}

#[test]
fn fish_completes_the_names_of_the_sealed_file() {
    let sandbox = sandbox();
    assert_eq!(fish(&sandbox, "envsec get DATA"), "DATABASE_URL\nDATABASE_USER\n");
    assert_eq!(fish(&sandbox, "envsec -e production unset "), "ONLY_HERE\n");
    assert_eq!(fish(&sandbox, "envsec imp"), "import\tBring a plaintext file in\n");
}

#[test]
fn zsh_completes_names_and_verbs() {
    let sandbox = sandbox();
    assert_eq!(zsh(&sandbox, "envsec get PO"), "envsec get PORT \n");
    assert_eq!(zsh(&sandbox, "envsec -e production unset "), "envsec -e production unset ONLY_HERE \n");
    assert_eq!(zsh(&sandbox, "envsec imp"), "envsec import \n");
}

#[test]
fn every_script_names_every_verb() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = sandbox.envsec(["completions", shell]).output();
        let script = String::from_utf8(output.stdout).unwrap();
        for verb in VERBS {
            let mut words = script.split(|c: char| !c.is_ascii_alphanumeric());
            assert!(words.any(|word| word == verb), "{shell}: {verb}");
        }
    }
}

#[test]
fn a_shell_has_to_be_named() {
    let sandbox = Sandbox::new();
    assert!(sandbox.envsec(["completions"]).refuses(2).starts_with("error: "));
    assert!(sandbox.envsec(["completions", "tcsh"]).refuses(2).starts_with("error: "));
}
