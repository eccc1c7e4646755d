# shellcheck shell=dash
# Shared by init and its tests: the command line, the console, and the calls to the appliance. busybox sh.

SPENT=2       # what report returns when the appliance no longer takes this boot's token
MAX_TRIES=30  # with the back-off below about two and a half minutes

cmdline=$(cat "${AGENT_ROOT:-}/proc/cmdline")

# argument NAME: the value of the last NAME=value on the kernel command line, or nothing.
argument() {
  set -f
  value=
  for word in $cmdline; do
    case $word in "$1="*) value=${word#*=} ;; esac
  done
  set +f
  printf '%s\n' "$value"
}

flag() { case " $cmdline " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

# say TEXT: on every console the kernel has (/dev/console is only the last one named), even with "quiet".
say() {
  for console in $(cat "${AGENT_ROOT:-}/sys/class/tty/console/active" 2>/dev/null || echo console); do
    printf '\rrouse: %s\n' "$*" >"${AGENT_ROOT:-}/dev/$console"
  done 2>/dev/null
}

# http_post BODY: the status code of the answer, or nothing when none came.
# This busybox wget has no timeout of its own. -S prints the status line also of an answer that it counts as a failure.
# shellcheck disable=SC2154 # url and token are set by the caller
http_post() {
  timeout 10 wget -S -O /dev/null --header "Authorization: Bearer $token" --header "Content-Type: application/json" \
    --post-data "$1" "$url/agent/report" 2>&1 | sed -n 's|.*HTTP/1\.[01] \([0-9][0-9][0-9]\).*|\1|p' | tail -n 1
}

# report STAGE BODY_FUNCTION: tell the appliance. The body is made anew for each try, so its uptime is true.
report() {
  try=1 pause=1
  while :; do
    status=$(http_post "$($2)")
    case $status in
      200 | 204) return 0 ;;
      401 | 403 | 410)
        say "the appliance refused the token of this boot (HTTP $status): it is spent. Boot the machine again for a new one."
        return $SPENT ;;
    esac
    [ $try -lt $MAX_TRIES ] || break
    [ $((try % 5)) -ne 1 ] || say "$url gave ${status:-no answer} to '$1' (try $try of $MAX_TRIES); trying on"
    # Up to a second more or less keeps a rack that was powered on at once from asking at once.
    # shellcheck disable=SC3028 # busybox sh has RANDOM
    usleep $((pause * 1000000 + ${RANDOM:-0} * 30))
    try=$((try + 1))
    [ $pause -ge 5 ] || pause=$((pause + 1))
  done
  say "giving up on '$1' after $MAX_TRIES tries: is the appliance running and $url reachable from this network?"
  return 1
}
