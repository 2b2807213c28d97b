#!/usr/bin/env bash
# What the documentation shows of model files, rules and the commands that read them, run as it stands there (documents.py).
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"
have_python || exit 0

python3 "$SRC/tests/cli/documents.py"
