#!/usr/bin/env bash
# right_or_refused.sh FANIN: the self-test of a driver that may do two things wrong. Mesa 25's rounds a double fma twice: then f64
# is refused with that sentence, by the self-test and by a fill. Mesa 22's ends long loops early: then orthogonal and sparse are,
# and a probe. Where it does not, or has no doubles, nothing is refused. Whatever is not refused has the bits of stream v1.
set -euo pipefail
fanin=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

status=0
"$fanin" selftest --json ${FANIN_TEST_FULL:+--full} >"$work/said.json" 2>"$work/errors" || status=$?
cat "$work/errors"
python3 - "$work/said.json" "$status" >"$work/refused" <<'PYTHON'
import json, re, sys

said, status = json.load(open(sys.argv[1])), int(sys.argv[2])
faults = {
    "doubles": r"f64 tensors cannot be filled on device .*: its double fma rounds twice",
    "loops": r"(orthogonal|sparse) needs kernels with long loops, and device .* ends a loop before its 70000 passes are done",
}
long_loops = {"orthogonal", "delta_orthogonal", "sparse"}
found = set()
assert said["holds"] and said["wrong"] == 0, [r for r in said["results"] if r["wrong"]]
for r in said["results"]:
    if not r["refused"]:
        assert r["fills"] > 0, r
        continue
    fault = next(name for name, sentence in faults.items() if re.match(sentence, r["sentence"]))
    found.add(fault)
    if fault == "doubles":
        assert r["dtype"] == "f64" and r["fills"] == 0, r
    else:
        assert (r["fills"] == 0) == (r["check"] in long_loops), r
assert status == (3 if found else 0), status
filled = {r["dtype"] for r in said["results"] if r["check"] == "normal" and not r["refused"]}
assert {"f32", "f16", "bf16", "f8_e4m3", "f8_e5m2"} <= filled, filled
print(f"{said['driver']}: {said['fills']} fills right, refused: {', '.join(sorted(found)) or 'nothing'}", file=sys.stderr)
print(*sorted(found), sep="\n")
PYTHON

# refused SENTENCE ARGUMENTS...: the command, too.
refused() {
  local sentence=$1 status=0
  shift
  "$fanin" "$@" >/dev/null 2>"$work/errors" || status=$?
  [ "$status" = 3 ] && grep -q "$sentence" "$work/errors" && [ ! -e "$work/w.npy" ]
}
if grep -q doubles "$work/refused"; then
  refused 'its double fma rounds twice' init --tensor w:f64:OI:3x4 --init he_normal -o "$work/w.npy"
fi
if grep -q loops "$work/refused"; then
  refused 'ends a loop before' init --tensor w:f32:OI:3x4 --init orthogonal -o "$work/w.npy"
  refused 'ends a loop before' probe --mlp 4,4,4
fi
