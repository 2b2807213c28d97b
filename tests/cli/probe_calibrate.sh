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
grep -q 'weights of c.safetensors as he_normal, calibrated (its metadata) in f32' probe.txt || die "$(cat probe.txt)"
"$FANIN" inspect c.safetensors >inspect.txt || die "inspect: $(cat inspect.txt)"

# Once more changes nothing, and keeps the factors.
"$FANIN" probe --weights c.safetensors --activation tanh --input "$digits" --batch 60 --seed 5 --calibrate \
  -o again.safetensors >again.txt
cmp c.safetensors again.safetensors || die "calibrated twice: $(cat again.txt)"

# The paper's start: orthonormal weights, and the file says so.
"$FANIN" probe "${network[@]}" --init orthogonal --calibrate -o orthogonal.safetensors >orthogonal.txt
"$FANIN" probe --weights orthogonal.safetensors --activation tanh --input "$digits" --batch 60 >probe.txt ||
  die "$(cat probe.txt)"
grep -q 'weights of orthogonal.safetensors: layer 1 as orthogonal (its metadata), layers 2 to 3 as orthogonal, calib' probe.txt || die "$(cat probe.txt)"

# Weights of a file: every other tensor is copied as it is, biases are calibrated with, and metadata stays; a transposed
# layer stays transposed, and what the file says of its maker becomes a factor.
"$FANIN" init --tensor mask:f16:BOI:5x3x2 --init normal:std=1 --tensor layer1.weight:f32:IO:64x40 --init he_normal \
  --tensor layer1.bias:f32::40 --init normal:std=0.3 --tensor layer2.weight:f32:OI:10x40 --init lecun_uniform \
  --tensor layer2.bias:bf16::10 --init uniform:lo=-1,hi=1 --tensor norm:f32::7 --init ones -o whole.safetensors >/dev/null
"$FANIN" probe --weights whole.safetensors --activation tanh --input "$digits" --batch 60 --calibrate \
  --criterion second_moment --tolerance 0.001 -o copied.safetensors >copied.txt || die "$(cat copied.txt)"
"$FANIN" probe --weights copied.safetensors --activation tanh --input "$digits" --batch 60 --json >copied.json ||
  die "$(cat copied.json)"
"$FANIN" probe --weights copied.safetensors --activation tanh --input "$digits" --batch 60 >heading.txt || true
head -1 heading.txt | grep ': layer 1 as he_normal, calibrated (its metadata), layer 2 as lecun_uniform, calibrated (' >/dev/null ||
  die "$(head -1 heading.txt)"

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

# Room on the disk is looked for first: 64 x 40, 40 x 30 and 30 x 10 numbers, or the file as large as it is.
before() { FANIN=$SHIMMED SHIM_FREE=$1 refuse 2 "$2" probe "${@:3}" --activation tanh --input "$digits" --batch 60; }
before 16240 'room.safetensors: 16.2 kB are to be written, and the disk has 16.2 kB free (16240 and 16240 bytes)' \
  --mlp 64,40,30,10 --calibrate -o room.safetensors
size=$(stat -c %s whole.safetensors)
before $((size - 1)) "free ($size and $((size - 1)) bytes)" --weights whole.safetensors --calibrate -o room.safetensors
[ ! -e room.safetensors ] || die "a file was written where there is no room"

# Schemes stand before --init: each layer has its own factor, and the file says the whole.
"$FANIN" probe --mlp 64,48,32,10 --init 'times:factor=2 fan_in normal' --seed 3 --activation tanh >scheme.txt || die "$(cat scheme.txt)"
head -1 scheme.txt | grep 'weights times:factor=2 fan_in normal in f32' >/dev/null || die "$(cat scheme.txt)"
"$FANIN" probe --mlp 64,48,32,10 --init variance_scaling:scale=4 --seed 3 --activation tanh >plain.txt || die "$(cat plain.txt)"
cmp <(tail -n +2 scheme.txt) <(tail -n +2 plain.txt) || die "$(cat scheme.txt plain.txt)"
"$FANIN" probe "${network[@]}" --init 'fan_in normal' --calibrate -o scheme.safetensors >/dev/null
"$FANIN" probe --weights scheme.safetensors --activation tanh --input "$digits" --batch 60 >probe.txt || die "$(cat probe.txt)"
refuse 2 "residual needs layers" probe --mlp 64,10 --init 'residual normal'
refuse 2 "no scheme is called 'nothing'" probe --mlp 64,10 --init 'nothing normal'

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

def read(path):
    data = open(path, 'rb').read()
    n = struct.unpack('<Q', data[:8])[0]
    assert n % 8 == 0
    header = json.loads(data[8:8 + n])
    note = header.pop('__metadata__')
    return header, {k: data[8 + n + e['data_offsets'][0]:8 + n + e['data_offsets'][1]] for k, e in header.items()}, note

(before, old, said), (after, new, says) = read('whole.safetensors'), read('copied.safetensors')
assert list(before.items()) == list(after.items()), (before, after)
assert [k for k in old if old[k] != new[k]] == ['layer1.weight', 'layer2.weight'], 'others are not copied'
for name in ('layer1.weight', 'layer2.weight'):  # in the file's own orientation: one factor for every number
    factor = float(says.pop(f'fanin.factor.{name}'))
    assert says.pop(f'fanin.calibrated.{name}') == said.pop(f'fanin.init.{name}')
    a, b = (struct.unpack(f'<{len(x[name]) // 4}f', x[name]) for x in (old, new))
    assert all(abs(v - u * factor) <= 1e-5 * abs(v) for u, v in zip(a, b)), name
assert said == says, (said, says)
assert all(abs(y['q_measured'] - 1) <= 0.0011 for y in json.load(open('copied.json'))['layers'])

second, probe = json.load(open('second.json')), json.load(open('probe.json'))
assert second['criterion'] == 'second_moment' and second['target'] == 2
for a, b in zip(second['layers'], probe['layers']):
    assert abs(a['after'] / 2 - 1) <= 0.001 and a['iterations'] >= 1 and a['name'].endswith('.weight'), a
    assert abs(b['q_measured'] / 2 - 1) <= 0.0011, b
assert probe['conforms'] is True
PYTHON

# A factor that is no number is named; the layer is not judged by a guess instead.
LC_ALL=C sed 's/\("fanin\.factor\.layer1\.weight": *"\)[0-9]/\1x/' copied.safetensors >spoilt.safetensors
cmp -s copied.safetensors spoilt.safetensors && die "no factor was spoilt"
refuse 2 "tensor 'layer1.weight': its factor in the metadata is not a number above 0" probe --weights spoilt.safetensors
