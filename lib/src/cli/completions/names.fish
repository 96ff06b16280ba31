# Names of variables, as the sealed file has them.
function __envsec_names
    set -g __envsec_names (commandline -opc | envsec completions --names 2>/dev/null)
    test -n "$__envsec_names"
end
complete -c envsec -n __envsec_names -f -a '$__envsec_names'
