#!/usr/bin/env bash
# fanin-mpi(1) has the options that --help shows beside those of fanin init, and no other.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/mpi/common.bash"
page=$SRC/mpi/fanin-mpi.1

options() { "$1" init --help | grep -oE '^ +(-[a-z], )?--[a-z0-9-]+' | grep -oE -- '--.*' | sort -u; }
diff <(comm -23 <(options "$MPI") <(options "$FANIN")) <(sed -nE 's/^\.It Fl -([a-z0-9-]+).*/--\1/p' "$page" | sort -u) ||
  die "fanin-mpi(1) has other options of its own than --help"
if command -v mandoc >/dev/null; then
  mandoc -T lint -W warning "$page" || die "mandoc complains"
else
  echo "skipped: no mandoc"
fi
