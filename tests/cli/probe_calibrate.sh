#!/usr/bin/env bash
# 'fanin probe --calibrate': weights whose preactivations have the variance that was asked for, in a file that says so.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"

digits=$SRC/share/data/digits.csv
network=(--mlp '64,40,30,10' --activation tanh --input "$digits" --batch 60 --seed 5)
"$FANIN" probe "${network[@]}" --calibrate -o c.safetensors >table.txt || die "$(cat table.txt)"
[ "$(grep -cE '^ +[123] .* layer[123]\.weight$' table.txt)" = 3 ] || die "not a row a layer: $(cat table.txt)"
grep -q 'variance of the preactivations, to be 1 within 1 %' table.txt || die "$(cat table.txt)"
"$FANIN" probe "${network[@]}" --calibrate -o second.safetensors --criterion second_moment --target 2 --tolerance 0.001 \
  --json >second.json

# The probe of the file: q is the target, and what the file says of itself makes it conform.
"$FANIN" probe --weights second.safetensors --activation tanh --input "$digits" --batch 60 --json >probe.json
"$FANIN" probe --weights c.safetensors --activation tanh --input "$digits" --batch 60 >probe.txt || die "$(cat probe.txt)"
grep -q 'weights of c.safetensors as he_normal, calibrated in f32' probe.txt || die "$(cat probe.txt)"
"$FANIN" inspect c.safetensors >inspect.txt || die "inspect: $(cat inspect.txt)"

# Once more changes nothing, and keeps the factors.
"$FANIN" probe --weights c.safetensors --activation tanh --input "$digits" --batch 60 --seed 5 --calibrate \
  -o again.safetensors >again.txt
cmp c.safetensors again.safetensors || die "calibrated twice: $(cat again.txt)"

# The paper's start: orthonormal weights, and the file says so.
"$FANIN" probe "${network[@]}" --init orthogonal --calibrate -o orthogonal.safetensors >orthogonal.txt
"$FANIN" probe --weights orthogonal.safetensors --activation tanh --input "$digits" --batch 60 >probe.txt ||
  die "$(cat probe.txt)"
grep -q 'weights of orthogonal.safetensors as orthogonal, calibrated in f32' probe.txt || die "$(cat probe.txt)"

refuse 2 "give -o FILE" probe "${network[@]}" --calibrate
refuse 2 "must end in .safetensors" probe "${network[@]}" --calibrate -o x.npy
refuse 2 "belong to --calibrate" probe "${network[@]}" -o x.safetensors
refuse 2 "give a number above 0" probe "${network[@]}" --calibrate -o x.safetensors --target 0
refuse 2 "give 1 to 1000000" probe "${network[@]}" --calibrate -o x.safetensors --iterations 0
refuse 2 "accepted are variance, s" probe "${network[@]}" --calibrate -o x.safetensors --criterion std
refuse 2 "takes one --init" probe "${network[@]}" --calibrate -o x.safetensors --init zeros --init ones
refuse 2 "neither --csv nor --plot" probe "${network[@]}" --calibrate -o x.safetensors --csv x.csv
refuse 2 "layer 1" probe "${network[@]}" --calibrate -o x.safetensors --init zeros
refuse 2 "layer 1" probe "${network[@]}" --calibrate -o x.safetensors --dtype bf16 --tolerance 1e-9 --iterations 2
refuse 2 "cannot create a file there" probe "${network[@]}" --calibrate -o nowhere/x.safetensors

have_python || exit 0
DIGITS=$digits python3 - <<'PYTHON'
import json, math, os, struct

# The variance by hand: the file's weights, the same rows, in double.
data = open('c.safetensors', 'rb').read()
length = struct.unpack('<Q', data[:8])[0]
header = json.loads(data[8:8 + length])
rows = [[float(v) for v in line.split(',')[:64]] for line in open(os.environ['DIGITS'])][:60]
flat = [v for row in rows for v in row]
mean = sum(flat) / len(flat)
std = math.sqrt(sum((v - mean) ** 2 for v in flat) / len(flat))
h = [[(v - mean) / std for v in row] for row in rows]
for l in (1, 2, 3):
    entry = header[f'layer{l}.weight']
    n, n_in = entry['shape']
    begin, end = entry['data_offsets']
    w = struct.unpack(f'<{n * n_in}f', data[8 + length + begin:8 + length + end])
    z = [[sum(w[i * n_in + j] * x[j] for j in range(n_in)) for i in range(n)] for x in h]
    values = [v for row in z for v in row]
    m = sum(values) / len(values)
    variance = sum((v - m) ** 2 for v in values) / len(values)
    assert abs(variance - 1) < 0.01, (l, variance)
    h = [[math.tanh(v) for v in row] for row in z]
note = header['__metadata__']
assert note['fanin.calibrated.layer1.weight'] == 'he_normal' and 'fanin.init.layer1.weight' not in note, note
assert 0.3 < float(note['fanin.factor.layer1.weight']) < 1, note

second, probe = json.load(open('second.json')), json.load(open('probe.json'))
assert second['criterion'] == 'second_moment' and second['target'] == 2
for a, b in zip(second['layers'], probe['layers']):
    assert abs(a['after'] / 2 - 1) <= 0.001 and a['iterations'] >= 1 and a['name'].endswith('.weight'), a
    assert abs(b['q_measured'] / 2 - 1) <= 0.0011, b
assert probe['conforms'] is True
PYTHON
