#!/usr/bin/env bash
# 'fanin probe': a row a layer that agrees with theory, a verdict, and an exit status that follows it.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"

digits=$SRC/data/digits.csv

"$FANIN" probe --mlp 64,300,100,10 >default.txt || die "the default does not conform: $(cat default.txt)"
grep -q '^CONFORMS: every |z| is at most [0-9.]* (6 tests' default.txt || die "$(cat default.txt)"
[ "$(grep -cE '^ +[123] .* ok$' default.txt)" = 3 ] || die "not a row a layer: $(cat default.txt)"
[ "$(grep -E '^ *layer|^ +[0-9]' default.txt | wc -L)" -le 96 ] || die "the table is too wide"
"$FANIN" probe --mlp 64,300,100,10 --activation relu --init he_normal --seed 0 --batch 256 --input normal \
  --dtype f32 --bias-std 0 | cmp - default.txt || die "the defaults are not what --help says"
"$FANIN" probe --mlp 64,300,10 --input "$digits" --batch 5000 >digits.txt || die "digits: $(cat digits.txt)"
grep -qF "1797 rows x 64 columns of $digits, less their mean" digits.txt || die "$(cat digits.txt)"
"$FANIN" probe --mlp 16,32,8 --activation leaky_relu --slope 0.3 --init he_normal:a=0.3 --bias-std 0.2 --dtype bf16 \
  --seed 0xffffffffffffffff >leaky.txt || die "leaky: $(cat leaky.txt)"
grep -q 'leaky_relu with slope 0.3, weights he_normal:a=0.3 in bf16, bias std 0.2, seed 18446744073709551615' leaky.txt ||
  die "$(cat leaky.txt)"

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
csv '1,1\n1,1\n' "cannot be standardised"
printf ' 1, 2 \r\n\n-3,4e0' >in.csv
"$FANIN" probe --mlp 2,2 --input in.csv --json >in.json || true

have_python || exit 0
python3 - <<'PYTHON'
import json
assert json.load(open('in.json'))['batch'] == 2
PYTHON
"$FANIN" probe --mlp 64,300,100,10 --json >default.json
python3 - <<'PYTHON'
import json, math
root = json.load(open('default.json'))
assert root['conforms'] is True and 3.5 < root['z_bound'] < 4 and root['widths'] == [64, 300, 100, 10]
assert [(y['fan_in'], y['fan_out']) for y in root['layers']] == [(64, 300), (300, 100), (100, 10)]
for y in root['layers']:
    assert set(y) == {'fan_in', 'fan_out', 'weight_std', 'weight_std_expected', 'weight_z', 'q_measured', 'q_meanfield',
                      'q_predicted', 'q_z', 'conforms'}
    assert abs(y['weight_std_expected'] - math.sqrt(2 / y['fan_in'])) < 1e-9
    z = (y['weight_std'] / y['weight_std_expected'] - 1) * math.sqrt(2 * y['fan_in'] * y['fan_out'])
    assert abs(z - y['weight_z']) < 0.01, (z, y)  # of a sample std of normals: 1 / sqrt(2 N)
    assert abs(y['weight_z']) < root['z_bound'] and abs(y['q_z']) < root['z_bound'] and y['conforms'] is True
# He's fixed point: a ReLU network keeps q, here 2 from an input of mean square 1, apart from the sampled input.
assert all(abs(y['q_meanfield'] - root['layers'][0]['q_meanfield']) < 1e-6 for y in root['layers'])
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
if [ "$status" != 1 ] || ! grep -q '^DOES NOT CONFORM: .*layer' overflow.txt; then die "overflow: $status: $(cat overflow.txt)"; fi
"$FANIN" probe --mlp 64,64,64,64 --init normal:std=1e15 --json >overflow.json || true
python3 -c '
import json
root = json.load(open("overflow.json"))
assert root["conforms"] is False and len(root["layers"]) < 3, root'

# ---- Progress on a terminal: the long first step is told, and nothing of it in a pipe ----
"$FANIN" probe --mlp 64,10 >/dev/null 2>err.txt || true
[ ! -s err.txt ] || die "stderr in a pipe: $(cat err.txt)"
