#!/usr/bin/env bash
# 'fanin probe': a row a layer that agrees with theory, a verdict, and an exit status that follows it.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"

digits=$SRC/share/data/digits.csv

"$FANIN" probe --mlp 64,300,100,10 >default.txt || die "the default does not conform: $(cat default.txt)"
grep -q '^CONFORMS: every |z| is at most [0-9.]* (12 tests' default.txt || die "$(cat default.txt)"
grep -q '^HEALTHY' default.txt || die "$(cat default.txt)"
[ "$(grep -cE '^ +[123] .* ok$' default.txt)" = 3 ] || die "not a row a layer: $(cat default.txt)"
"$FANIN" probe --mlp 64,300,100,10 --activation relu --init he_normal --seed 0 --batch 256 --input normal \
  --dtype f32 --bias-std 0 --require both | cmp - default.txt || die "the defaults are not what --help says"
"$FANIN" probe --mlp 64,300,10 --input "$digits" --batch 5000 >digits.txt || die "digits: $(cat digits.txt)"
grep -q "^Input: 1797 rows x 64 columns of $digits, less.*; columns left out: 1$" digits.txt || die "$(cat digits.txt)"
"$FANIN" probe --mlp 16,32,8 --activation leaky_relu --slope 0.3 --init he_normal:a=0.3 --bias-std 0.2 --dtype bf16 \
  --seed 0xffffffffffffffff >leaky.txt || die "leaky: $(cat leaky.txt)"
grep -q 'leaky_relu with slope 0.3, bias std 0.2, weights he_normal:a=0.3 in bf16, seed 18446744073709551615' leaky.txt ||
  die "$(cat leaky.txt)"
"$FANIN" probe --mlp 32,32,32,8 --activation tanh --norm layer --residual >norm.txt || die "norm: $(cat norm.txt)"
grep -q 'MLP 32-32-32-8, tanh, layer norm, residual, weights' norm.txt || die "$(cat norm.txt)"

# ---- Two verdicts and an exit status ----
# verdict STATUS CONFORMS HEALTHY ARGUMENT...: the status, and how the two lines begin.
verdict() {
  local want=$1 conforms=$2 healthy=$3 got=0
  shift 3
  "$FANIN" probe "$@" >verdict.txt || got=$?
  [ "$got" = "$want" ] || die "probe $*: status $got, not $want: $(cat verdict.txt)"
  grep -q "^$conforms:" verdict.txt || die "probe $*: not '$conforms': $(cat verdict.txt)"
  grep -q "^$healthy:" verdict.txt || die "probe $*: not '$healthy': $(cat verdict.txt)"
}
sigmoid=(--mlp '64,128,128,128,128,128,10' --activation sigmoid --init xavier_normal)
verdict 1 CONFORMS 'NOT HEALTHY' "${sigmoid[@]}"
grep -q '^BACKWARD_VANISH, layers 1 to [0-9]: by theory' verdict.txt || die "no finding: $(cat verdict.txt)"
grep -q '^  do: choose gain' verdict.txt || die "no remedy: $(cat verdict.txt)"
verdict 0 CONFORMS 'NOT HEALTHY' "${sigmoid[@]}" --require conforms
verdict 1 CONFORMS 'NOT HEALTHY' "${sigmoid[@]}" --require healthy
verdict 0 CONFORMS 'NOT HEALTHY' "${sigmoid[@]}" --require none
# Patterns have no verdict, which is not the one that is asked for; --require none shows them all the same.
verdict 1 'NOT JUDGED' 'NOT PREDICTED' --mlp 64,10 --init identity # its last columns are 0, all of them
verdict 1 'NOT JUDGED' 'NOT PREDICTED' --mlp 64,64,64 --init hadamard --require conforms
verdict 0 'NOT JUDGED' 'NOT PREDICTED' --mlp 64,64,64 --init hadamard --require none
if grep -qE '^(CONFORMS|HEALTHY)' verdict.txt; then die "a verdict on hadamard: $(cat verdict.txt)"; fi
# 30 ReLU layers of 100 train (docs/probe.md): how much seeds differ is a warning.
verdict 0 CONFORMS HEALTHY --mlp "64$(printf ',100%.0s' {1..30}),10"
grep -q '^WIDTH_NOISE (a warning), layers 1 to 31: at these widths ln q of layer 31' verdict.txt || die "$(cat verdict.txt)"
# The layer is named once, and one sample is one.
verdict 1 CONFORMS 'NOT HEALTHY' --mlp 64,64,64 --init normal:std=1e-5 --activation linear --batch 1
grep -qE '^FP16_RANGE, layers? [0-9 to]+: in f16, a share of' verdict.txt || die "$(cat verdict.txt)"
grep -q '^Input: 1 sample of' verdict.txt || die "$(cat verdict.txt)"
verdict 1 CONFORMS 'NOT HEALTHY' --mlp 8,8,8,8,8,8,8 --init zeros
grep -q '^NOT HEALTHY:.* SYMMETRY' verdict.txt || die "zeros: $(cat verdict.txt)"
[ "$(grep -c '^SYMMETRY' verdict.txt)" = 3 ] || die "three in full: $(cat verdict.txt)"
grep -q '^  and 3 more, up to layer 6$' verdict.txt || die "the rest in one line: $(cat verdict.txt)"

# ---- The table: narrow terminals, deep networks ----
deep=64$(printf ',32%.0s' {1..40}),10
"$FANIN" probe --mlp "$deep" --require none >deep.txt
grep -q '^MLP 64-40x32-10, ' deep.txt || die "the heading: $(head -1 deep.txt)"
[ "$(grep -cE '^ +[0-9]+ .* (ok|NO)$' deep.txt)" = 24 ] || die "24 rows of 41: $(cat deep.txt)"
grep -q '^(24 of 41 layers; --all' deep.txt || die "$(cat deep.txt)"
"$FANIN" probe --mlp "$deep" --require none --all >all.txt
[ "$(grep -cE '^ +[0-9]+ .* (ok|NO)$' all.txt)" = 41 ] || die "--all: $(cat all.txt)"
for columns in 80 120 160; do
  script -qec "stty cols $columns; '$FANIN' probe --mlp 64,300,100,10 2>/dev/null" /dev/null </dev/null |
    tr -d '\r' >narrow.txt
  [ "$(grep -E '^ *layer|^ +[0-9]' narrow.txt | wc -L)" -le "$columns" ] || die "wider than $columns: $(cat narrow.txt)"
  grep -q 'forward q *backward G' narrow.txt || die "at $columns columns without q or G: $(cat narrow.txt)"
done

# ---- What cannot be probed ----
refuse 2 "'0' is not a whole number of at least 1" probe --mlp 64,0,10
refuse 2 "at least two widths" probe --mlp 64
refuse 2 "--norm is 'bach', did you mean batch? Accepted are layer, batch" probe --mlp 64,10 --norm bach
refuse 2 "no activation is called 'rellu', did you mean relu? There are linear, relu" probe --mlp 64,10 --activation rellu
refuse 2 "accepted are layer, batch" probe --mlp 64,10 --norm group
refuse 2 "at least 2" probe --mlp 64,10 --norm batch --batch 1
refuse 2 "accepted are both, conforms, healthy, stable, mup, none" probe --mlp 64,10 --require luck
refuse 2 "weights of at most 32 bits" probe --mlp 64,10 --dtype f64
refuse 2 "belongs to --weights" probe --mlp 64,10 --layer-names a
SHIM_BUFFER=1000000000 FANIN=$SHIMMED refuse 3 "clCreateBuffer of 2116000000 elements for weights: CL_MEM_OBJECT_ALLOCATION_FAILURE" \
  probe --mlp 46000,46000 --batch 1
refuse 2 "layer 1 has 100000000 x 100000000 weights, and the batch is 256; a probe takes matrices of at most 2^48" \
  probe --mlp 100000000,100000000,10

# ---- Input that cannot be used ----
refuse 2 "has 65 columns, but --mlp begins with 66" probe --mlp 66,10 --input "$digits"
# csv TEXT WORD
csv() {
  printf "%b" "$1" >in.csv
  refuse 2 "$2" probe --mlp 2,2 --input in.csv
}
csv '' 'there are no numbers'
csv '\n\n' 'there are no numbers'
csv 'x,y\n1,2\n' "line 1, field 1: 'x' is no"
csv '1,2\n1,\n' "line 2, field 2: '' is no"
csv '1,2\n1,nan\n' "line 2, field 2: 'nan' is no"
csv '1,2\n1,2x\n' "line 2, field 2: '2x' is no"
csv '1,2\n1,1e999\n' "line 2, field 2: '1e999' is no"
csv '1,2\n1,2,3\n' "line 2 has 3 fields"
csv 'x,y\n1,2\n' 'if it is a line of titles, leave it out'
csv '1,1\n1,1\n' "cannot be standardised"
refuse 2 "column 65 looks like a class label (whole numbers 0 to 9): begin --mlp with 64" probe --mlp 65,10 \
  --input "$digits"
sed -E 's/^(.*),([0-9]+)$/\2,\1/' "$digits" >first.csv
refuse 2 "column 1 looks like a class label" probe --mlp 64,10 --input first.csv
refuse 2 "column 1 looks like a class label" probe --mlp 65,10 --input first.csv
"$FANIN" probe --mlp 65,10 --input "$digits" --keep-label >kept.txt || die "--keep-label: $(cat kept.txt)"
printf ' 1, 2 \r\n\n-3,4e0' >in.csv
"$FANIN" probe --mlp 2,2 --input in.csv --json >in.json || true

have_python || exit 0
python3 - <<'PYTHON'
import json
root = json.load(open('in.json'))
assert root['batch'] == 2 and abs(root['input_correlation'] - 0.6) < 1e-6, root # (0, 1) and (-4, 3)
PYTHON

# The first layer's q by hand: the same weights, from 'fanin init', times the same digits.
if have_python numpy; then
  "$FANIN" init --tensor layer1.weight:f32:OI:300x64 --init he_normal -o w.npy --seed 5 >/dev/null
  "$FANIN" probe --mlp 64,300,10 --seed 5 --input "$digits" --batch 100 --json >q.json
  DIGITS=$digits python3 - <<'PYTHON'
import json, numpy, os
x = numpy.loadtxt(os.environ['DIGITS'], delimiter=',')[:100, :64]
x = (x - x.mean()) / x.std()
numpy.save('x.npy', numpy.pad(x, ((0, 0), (0, 1))))
z = x @ numpy.load('w.npy').astype(float).T
q = json.load(open('q.json'))['layers'][0]['q_measured']
assert abs(q / (z ** 2).mean() - 1) < 1e-5, (q, (z ** 2).mean())
PYTHON
  "$FANIN" probe --mlp 64,300,10 --seed 5 --input x.npy --json >x.json
  python3 -c 'import json; a, b = (json.load(open(f))["layers"] for f in ("q.json", "x.json")); assert a == b, (a, b)'
  python3 -c 'import numpy; numpy.save("i.npy", numpy.eye(3, dtype=int)); numpy.save("n.npy", numpy.full((3, 3), numpy.nan))'
  refuse 2 "of two dimensions of f4 or f8" probe --mlp 3,3 --input i.npy
  refuse 2 "row 0, column 0 is not finite" probe --mlp 3,3 --input n.npy
fi

# ---- Weights that overflow: the layers before, a verdict and status 1 ----
status=0
"$FANIN" probe --mlp 64,64,64,64 --init normal:std=1e15 >overflow.txt || status=$?
if [ "$status" != 1 ] || ! grep -q '^DOES NOT CONFORM: the values of layer 3 overflow' overflow.txt ||
  ! grep -q '^FORWARD_EXPLODE, layer 3' overflow.txt; then die "overflow: $status: $(cat overflow.txt)"; fi
"$FANIN" probe --mlp 64,64,64,64 --init normal:std=1e15 --json >overflow.json || true
python3 -c '
import json
root = json.load(open("overflow.json"))
assert root["conforms"] is False and root["overflow_layer"] == 3 and len(root["layers"]) == 2, root'

# ---- Progress on a terminal: the long first step is told, and nothing of it in a pipe ----
"$FANIN" probe --mlp 64,10 >/dev/null 2>err.txt || true
[ ! -s err.txt ] || die "stderr in a pipe: $(cat err.txt)"
