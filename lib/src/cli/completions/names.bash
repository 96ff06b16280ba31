# Names of variables, as the sealed file has them; else what is written above.
_envsec_names() {
    local names typed
    # bash takes --env=NAME for three words.
    typed=$(printf '%s\n' "${COMP_WORDS[@]:0:COMP_CWORD}")
    names=$(envsec completions --names 2>/dev/null <<<"${typed//$'\n='$'\n'/=}")
    if [[ -n $names && $2 != -* ]]; then
        COMPREPLY=($(compgen -W "$names" -- "$2"))
    else
        _envsec "$@"
    fi
}
complete -F _envsec_names -o bashdefault -o default envsec
