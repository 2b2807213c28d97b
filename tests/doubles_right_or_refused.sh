#!/usr/bin/env bash
# doubles_right_or_refused.sh FANIN: the self-test of a driver that may round its double fma twice. Where it does, f64 is refused
# with that sentence, by the self-test and by a fill; where it does not, or has no doubles, nothing is refused. Every other
# dtype has the bits of stream v1 in both cases.
set -euo pipefail
fanin=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
lie='f64 tensors cannot be filled on device .*: its double fma rounds twice'

status=0
"$fanin" selftest --json >"$work/said.json" 2>"$work/errors" || status=$?
cat "$work/errors"
python3 - "$work/said.json" "$status" "$lie" <<'PYTHON'
import json, re, sys

said, status, lie = json.load(open(sys.argv[1])), int(sys.argv[2]), sys.argv[3]
refused = [r for r in said["results"] if r["refused"]]
assert said["holds"] and said["wrong"] == 0, [r for r in said["results"] if r["wrong"]]
assert {r["dtype"] for r in refused} <= {"f64"}, refused
assert all(re.match(lie, r["sentence"]) for r in refused), refused
assert status == (3 if refused else 0), status
dtypes = {r["dtype"] for r in said["results"] if not r["refused"]}
assert {"f32", "f16", "bf16", "f8_e4m3", "f8_e5m2"} <= dtypes, dtypes
assert all(r["fills"] > 0 for r in said["results"] if not r["refused"])
doubles = "refused" if refused else "right" if "f64" in dtypes else "not there"
print(f"{said['driver']}: {said['fills']} fills right, doubles {doubles}")
PYTHON

if [ "$status" = 3 ]; then
  status=0
  "$fanin" init --tensor w:f64:OI:3x4 --init he_normal -o "$work/w.npy" 2>"$work/errors" || status=$?
  [ "$status" = 3 ] && grep -q "$lie" "$work/errors" && [ ! -e "$work/w.npy" ]
fi
