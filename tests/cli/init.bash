# What the tests of 'fanin init' that look at what it says share. Sourced after common.bash.

# said PATTERN: a line of said.txt, or of err.txt, matches.
said() {
  grep -qE -e "$1" said.txt err.txt || die "no '$1' in: $(cat said.txt err.txt)"
}

# init ARGUMENT...: it works; said.txt and err.txt have what it says.
init() {
  "$FANIN" init "$@" --seed 5 >said.txt 2>err.txt || die "fanin init $*: $(cat err.txt)"
}

# kept COMMAND ARGUMENT...: keep.py, which makes and compares files.
kept() {
  PYTHONDONTWRITEBYTECODE=1 python3 "$SRC/tests/cli/keep.py" "$@"
}
