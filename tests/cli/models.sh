#!/usr/bin/env bash
# Every model of data/models with every set of rules: what its own code prescribes, or a refusal.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"
have_python || exit 0

PYTHONDONTWRITEBYTECODE=1 python3 "$SRC/tests/cli/models.py" "$FANIN" "$SRC/tests/data/models"
