#!/usr/bin/env bash
# A virtual environment in VENV with what requirements.txt says, from PyPI, over the system's packages. Made once.
set -euo pipefail
venv=$1 wanted=$(dirname "$0")/requirements.txt
cmp -s "$wanted" "$venv/requirements.txt" && exit 0
rm -rf "$venv"
/usr/bin/python3 -m venv --system-site-packages "$venv"
"$venv/bin/pip" install -q --disable-pip-version-check -r "$wanted" ||
  { echo "could not install from PyPI; cmake -DFANIN_TEST_PYPI=OFF leaves these tests out"; exit 1; }
cp "$wanted" "$venv/requirements.txt"
