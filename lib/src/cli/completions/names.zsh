# Names of variables, as the sealed file has them; else what is written above.
functions[_envsec_without_names]=$functions[_envsec]
_envsec() {
    local -a names
    names=(${(f)"$(print -rl -- ${(Q)words[1,CURRENT-1]} | envsec completions --names 2>/dev/null)"})
    if (( $#names )) && [[ $PREFIX != -* ]]; then
        compadd -a names
    else
        _envsec_without_names "$@"
    fi
}
