#!/usr/bin/env bash
# Numbers by each random initializer of the sets of rules beside those that the packages draw, recorded in data/draws.csv and
# data/model_draws.json.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"
have_python numpy || exit 0

PYTHONDONTWRITEBYTECODE=1 python3 "$SRC/tests/cli/draws.py" "$FANIN" "$SRC/tests/data/draws.csv" \
  "$SRC/tests/data/model_draws.json" "$SRC/share/rules"
