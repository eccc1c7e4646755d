#compdef rousectl
# Completion of rousectl in zsh; see rousectl completion --help.

_rousectl() {
  local line value
  local -a whole stems
  for line in "${(@f)$("${(Q)words[1]}" __complete "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}"; do
    value=${line%%$'\t'*}
    [[ -n $value ]] || continue
    if [[ $value == :file ]]; then
      _files
      return
    fi
    line="${value//:/\\:}:${line#*$'\t'}"
    # A value follows an equals sign without a space.
    if [[ $value == *= ]]; then stems+=("$line"); else whole+=("$line"); fi
  done
  _describe -t values rousectl whole -- stems -S ''
}

if [[ ${funcstack[1]} == _rousectl ]]; then _rousectl "$@"; else compdef _rousectl rousectl; fi
