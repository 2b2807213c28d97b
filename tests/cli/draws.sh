#!/usr/bin/env bash
# Numbers of the initializers in the sets keras and flax beside those that Keras and Flax draw, recorded in data/draws.csv.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"
have_python || exit 0

PYTHONDONTWRITEBYTECODE=1 python3 "$SRC/tests/cli/draws.py" "$FANIN" "$SRC/tests/data/draws.csv" "$SRC/share/rules"
