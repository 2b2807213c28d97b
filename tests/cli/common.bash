# What the tests of the command share. $FANIN is the command, $SHIMMED the same with shim.c before its libraries, $SRC the
# source tree. Sourced, after set -euo pipefail.
: "${FANIN:?the command}" "${SHIMMED:?the command with a shim}" "${SRC:?the source tree}"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/work" # where a test runs; what it writes is looked at
cd "$scratch/work" || exit

die() {
  echo "FAILED: $*" >&2
  exit 1
}

# refuse STATUS WORD ARGUMENT...: the command must end with that status, say the word on stderr after its own name, print
# nothing on stdout and leave no new file behind.
refuse() {
  local status=$1 word=$2 got=0 before after out=$scratch/out err=$scratch/err
  shift 2
  before=$(ls -A)
  "$FANIN" "$@" >"$out" 2>"$err" || got=$?
  after=$(ls -A)
  [ "$got" = "$status" ] || die "fanin $*: status $got, not $status: $(cat "$err")"
  grep -qF -e "$word" "$err" || die "fanin $*: no '$word' in: $(cat "$err")"
  head -1 "$err" | grep -E '^fanin(: [a-z]+)?: .' >/dev/null || die "fanin $*: does not begin with its name: $(cat "$err")"
  [ ! -s "$out" ] || die "fanin $*: wrote to stdout: $(cat "$out")"
  [ "$before" = "$after" ] || die "fanin $*: left files behind: $after"
}

# start ARGUMENT...: the command in the background, silent, with signals as a terminal's program has them: nohup and bash
# itself have some of them ignored. Sets pid.
start() {
  env --default-signal=HUP,INT,QUIT,TERM "$@" >/dev/null 2>&1 &
  pid=$!
}

# start_and_write_half ARGUMENT...: the same of the command with a shim, until it has written half of its first large piece,
# where it stays. However long that takes: ctest has a limit.
start_and_write_half() {
  rm -f "$scratch/paused"
  SHIM_PAUSE=$scratch/paused start "$SHIMMED" "$@"
  until [ -s "$scratch/paused" ]; do
    kill -0 "$pid" 2>/dev/null || die "fanin $*: ended before it had written half"
    sleep 0.05
  done
}

# end_by SIGNAL: sends it to $pid, which must end by it.
end_by() {
  local status=0
  kill -s "$1" "$pid"
  wait "$pid" 2>/dev/null || status=$?
  [ "$status" = $((128 + $(kill -l "$1"))) ] || die "after SIG$1: status $status"
}

# The system's Python, which has the packages, and not one of the user's own that comes before it.
if [ -x /usr/bin/python3 ]; then
  python3() { /usr/bin/python3 "$@"; }
fi

# have_python [MODULE]: whether python3 is there, and the module.
have_python() {
  python3 -c "import ${1:-json}" 2>/dev/null || { echo "skipped: no python3 with ${1:-json}" && return 1; }
}
