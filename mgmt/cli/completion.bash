# shellcheck shell=bash
# Completion of rousectl in bash; see rousectl completion --help.

_rousectl() {
  local line=${COMP_LINE:0:COMP_POINT} words=() breaks=${COMP_WORDBREAKS//[^:=]/} stem='' candidate
  # Not COMP_WORDS, in which a MAC address is eleven words.
  read -ra words <<<"$line"
  [[ $line != *[[:space:]] ]] || words+=('')
  local word=${words[-1]} program=${words[0]/#\~/$HOME}
  # Readline replaces only what follows the last colon or equals sign.
  [[ -z $breaks ]] || stem=${word%"${word##*["$breaks"]}"}
  COMPREPLY=()
  while IFS=$'\t' read -r candidate _; do
    if [[ $candidate == :file ]]; then
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -f -- "${word#"$stem"}")
      return
    fi
    COMPREPLY+=("${candidate#"$stem"}")
  done < <("$program" __complete "${words[@]:1}" 2>/dev/null)
  [[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace
}
complete -F _rousectl rousectl
