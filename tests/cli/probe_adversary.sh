#!/usr/bin/env bash
# 'fanin probe' of files that are made to fool it: no verdict is false.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"
have_python || exit 0
FANIN=$FANIN python3 "$SRC/tests/cli/probe_adversary.py"
