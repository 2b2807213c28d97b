# What the tests of the command share. $FANIN is the command, $SRC the source tree. Sourced, after set -euo pipefail.
: "${FANIN:?the command}" "${SRC:?the source tree}"

unset COLUMNS
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
  head -1 "$err" | grep -qE '^fanin(: [a-z]+)?: .' || die "fanin $*: does not begin with its name: $(cat "$err")"
  [ ! -s "$out" ] || die "fanin $*: wrote to stdout: $(cat "$out")"
  [ "$before" = "$after" ] || die "fanin $*: left files behind: $after"
}

# have_python [MODULE]: whether python3 is there, and the module.
have_python() {
  python3 -c "import ${1:-json}" 2>/dev/null || { echo "skipped: no python3 with ${1:-json}" && return 1; }
}
