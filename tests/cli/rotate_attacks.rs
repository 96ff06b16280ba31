//! What may go wrong around a rotation: hooks that misbehave, files that others change, and command lines that contradict
//! themselves.

use crate::harness::Sandbox;

#[test]
fn values_that_wait_or_are_handed_out_are_not_shown_either() {
    let sandbox = Sandbox::with(&[("A", "a-secret-1"), ("WAITS", "a-secret-2"), ("GRACE", "a-secret-3")]);
    sandbox.envsec(["rotate", "WAITS", "--on-set", "false"]).stdin("it-waits-4").refuses(7);
    sandbox.envsec(["rotate", "GRACE", "--grace", "1h"]).stdin("in-use-5").succeeds();
    let hook = "echo a-secret-1 a-secret-2 a-secret-3 it-waits-4 in-use-5 a-new-one-6";
    let shown = "[A] [WAITS] [GRACE] [WAITS] [GRACE] [A]\n";
    sandbox.envsec(["rotate", "A", "--on-set", hook]).stdin("a-new-one-6").says(shown);
}
