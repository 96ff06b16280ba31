//! A declaration, variables, and what is said of them: tables over the whole of [`Schema`].

use super::*;

/// The variables of a sealed file, all encrypted, all handed over.
fn stored<'a>(variables: &[(&'a str, &'a str)]) -> Environment<'a> {
    let entry = |&(name, value): &(&'a str, &'a str)| Entry {
        name,
        value: Some(value),
        source: Source::File,
        stored: Some(Stored::Secret),
    };
    Environment {
        entries: variables.iter().map(entry).collect(),
        label: None,
        names_only: false,
        is_selected: &|_| true,
    }
}

/// Problems and warnings as they are printed, then the defaults; or why nothing was checked.
fn said(schema: &str, environment: &Environment<'_>) -> Vec<String> {
    match Schema::load(schema.as_bytes()).and_then(|schema| schema.check(environment, false)) {
        Ok(Verdict { problems, warnings, defaults }) => {
            let warnings = warnings.iter().map(|warning| format!("warning: {warning}"));
            let defaults = defaults.iter().map(|(name, text)| format!("default: {name}={text}"));
            problems.iter().map(Problem::to_string).chain(warnings).chain(defaults).collect()
        }
        Err(error) => vec![format!("refused: {error}")],
    }
}

/// A declaration, variables, and all that is said of them.
type Row<'r> = (&'r str, &'r [(&'r str, &'r str)], &'r [&'r str]);

#[track_caller]
fn assert_said(rows: &[Row<'_>]) {
    for (schema, variables, expected) in rows {
        assert_eq!(said(schema, &stored(variables)), *expected, "{schema} {variables:?}");
    }
}

/// Of each branch: only the first was looked at.
#[test]
fn the_default_of_every_branch_is_a_text_that_a_child_may_get() {
    let of_branches =
        r#"{"anyOf": [{"properties": {"A": {"default": "a"}}}, {"properties": {"A": {"default": "\u0000"}}}]}"#;
    let wrong = "refused: /anyOf/1/properties/A/default: is no text that a variable can hold";
    assert_said(&[(of_branches, &[], &[wrong])]);
}

/// What pydantic prints for `PYTHONPATH: str | None = None` was refused.
#[test]
fn null_is_no_default_and_sets_nothing() {
    let of = |name: &str, default: &str| {
        format!(
            r#"{{"properties": {{"{name}": {{"anyOf": [{{"type": "string"}}, {{"type": "null"}}], "default": {default}}}}}}}"#
        )
    };
    assert_said(&[
        (&of("PYTHONPATH", "null"), &[], &[]),
        (&of("ENVSEC_FILE", "null"), &[("ENVSEC_FILE", "x")], &[]),
        (
            &of("PYTHONPATH", "\"null\""),
            &[],
            &["refused: /properties/PYTHONPATH/default: no declaration sets a variable that makes programs run code"],
        ),
        (
            &of("ENVSEC_FILE", "\"\""),
            &[],
            &["refused: /properties/ENVSEC_FILE/default: no declaration sets a variable of envsec's own"],
        ),
    ]);
}
