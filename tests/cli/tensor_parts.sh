#!/usr/bin/env bash
# Parts of a tensor with an initializer of their own: in model files and rules, in the metadata, and under inspection.
# test_items.c holds their bits to those of whole tensors wherever they are cut.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"

# ---- What is refused ----
# wrong WORD PARTS [FIELDS]: in a model file, of a tensor of 10 x 6 without a layout.
wrong() {
  printf '{"tensors": [{"name": "w", "shape": [10, 6], "init": "normal", "parts": %s%s}]}' "$2" "${3:-}" >m.json
  refuse 2 "m.json: tensors[0]$1" init m.json -o out.safetensors
}
# part RANGE [FIELDS]
part() { printf '[{"range": "%s", "init": "zeros"%s}]' "$1" "${2:-}"; }
wrong ".parts: is an object" '{}'
wrong ".parts: is empty" '[]'
wrong ".parts[0]: is a text" '["0"]'
wrong ".parts[0]: needs a 'range'" '[{"init": "zeros"}]'
wrong ".parts[0]: needs an 'init'" '[{"range": "0"}]'
wrong ".parts[0].range: is a number with a fraction, but must be a text as" '[{"range": 0.5, "init": "zeros"}]'
wrong ".parts[0].range: is an array" '[{"range": [0, 1], "init": "zeros"}]'
wrong " ('w'): parts[0].range '10': is outside of dimension 0" '[{"range": 10, "init": "zeros"}]'
wrong " ('w'): parts[0].range '-11': -11 is outside" '[{"range": -11, "init": "zeros"}]'
wrong " ('w'): parts[0].range '1.5': 1.5 must be a whole number, in digits alone" "$(part 1.5)"
wrong " ('w'): parts[0].range '1..2.5': 2.5 must be a whole number, in digits alone" "$(part 1..2.5)"
wrong " ('w'): parts[0].range '-1e+20..2': -1e+20 must be a whole number, in digits alone" "$(part -1e+20..2)"
wrong ".parts[0]: unknown key 'dim'" "$(part 0 ', "dim": 1')"
wrong ".parts[0].dimension: is a text" "$(part 0 ', "dimension": "1"')"
wrong ".parts[0].dimension: is -1" "$(part 0 ', "dimension": -1')"
wrong ".parts[0].dimension: is 8" "$(part 0 ', "dimension": 8')"
wrong " ('w'): parts[0]: lies along dimension 2, and the tensor has 2" "$(part 0 ', "dimension": 2')"
wrong ".parts[1].init: " '[{"range": "0", "init": "zeros"}, {"range": "1", "init": "zeroes"}]'
wrong " ('w'): part 0..1: " '[{"range": "0", "init": "he_normal"}]'
for range in '' x 1...2 0x1.8 inf 1e5e 0-4 1/2 1/0..1 +1..2 -..2 -1/2..1 0..1/ ' 1' '1 ' 1..2..3 18446744073709551616; do
  wrong " ('w'): parts[0].range '$range': write FIRST..END" "$(part "$range")"
done
wrong " ('w'): parts[0].range '1/4..2/4': dimension 0 has the extent 10, which cannot be divided by 4" "$(part 1/4..2/4)"
wrong " ('w'): parts[0].range '1/4..2/4': dimension 1 has the extent 6, which" "$(part 1/4..2/4 ', "dimension": 1')"
wrong " ('w'): parts[0].range '1/2..3/2': 3/2 is more than 1" "$(part 1/2..3/2)"
wrong " ('w'): parts[0].range '10': is outside of dimension 0, whose extent is 10" "$(part 10)"
wrong " ('w'): parts[0].range '6': is outside of dimension 1, whose extent is 6" "$(part 6 ', "dimension": 1')"
wrong " ('w'): parts[0].range '0..11': 11 is outside of dimension 0" "$(part 0..11)"
wrong " ('w'): parts[0].range '-11': -11 is outside" "$(part -11)"
wrong " ('w'): parts[0].range '-0': is outside" "$(part -0)"
wrong " ('w'): parts[0].range '3..3': is empty: it goes from 3 to before 3" "$(part 3..3)"
wrong " ('w'): parts[0].range '-1..4': is empty: it goes from 9 to before 4" "$(part -1..4)"
wrong " ('w'): parts: 0..5 and 4..6 overlap" '[{"range": "4..6", "init": "zeros"}, {"range": "..1/2", "init": "ones"}]'
wrong " ('w'): parts: 2..3 and 2..3 overlap" '[{"range": "2", "init": "zeros"}, {"range": "-8", "init": "ones"}]'
wrong " ('w'): parts[1]: lies along dimension 1, and those before it along dimension 0, so that they overlap" \
  '[{"range": "4..6", "init": "zeros"}, {"range": "0", "init": "ones", "dimension": 1}]'
wrong " ('w'): parts[0].init: nothing is called 'x' here" '[{"range": "0", "init": "constant:value={x}"}]'
wrong " ('w'): parts[0].range: '{shape[0]/4}" "$(part '{shape[0]/4}..4')"
printf '{"tensors": [{"name": "w", "shape": [], "init": "ones", "parts": %s}]}' "$(part 0)" >m.json
refuse 2 "m.json: tensors[0] ('w'): parts[0]: lies along dimension 0, and the tensor has 0" init m.json -o out.safetensors
rm m.json

have_python || exit 0

# ---- Bits, and the metadata ----
# The oracle: the whole tensor by the part's initializer, in a file of its own.
cat >bits.py <<'PYTHON'
import json, os, subprocess, sys
sys.path.insert(0, os.environ['SRC'] + '/tests/cli')
import read_safetensors
read_safetensors.SIZES.update({'F8_E4M3': 1, 'F8_E5M2': 1})
parts = read_safetensors.read(sys.argv[1])[1]
model = json.load(open(sys.argv[2]))
wanted = json.load(open(sys.argv[3]))  # {tensor: [dimension, [[first, end, init], ...]]}: all of the tensor
for t in model['tensors']:
    t.pop('parts', None)
for text in {i for _, slabs in wanted.values() for _, _, i in slabs}:
    json.dump({'tensors': [{**t, 'init': text} for t in model['tensors']
                           if text in {i for _, _, i in wanted[t['name']][1]}]}, open('one.json', 'w'))
    subprocess.run([os.environ['FANIN'], 'init', 'one.json', '-o', 'one.safetensors', '--seed', '3'] + sys.argv[4:],
                   check=True, stdout=subprocess.DEVNULL)
    for name, one in read_safetensors.read('one.safetensors')[1].items():
        dimension, slabs = wanted[name]
        shape, got = one['shape'], parts[name]
        assert got['dtype'] == one['dtype'] and got['shape'] == shape, name
        size = len(one['data']) // one['count']
        for extent in shape[dimension + 1:]:
            size *= extent
        for k in range(len(one['data']) // size):
            at = k % shape[dimension]
            if not any(first <= at < end and i == text for first, end, i in slabs):
                continue
            assert got['data'][k * size:(k + 1) * size] == one['data'][k * size:(k + 1) * size], (name, k, text)
PYTHON
cat >m.json <<'JSON'
{"defaults": {"init": "uniform:lo=-0.1,hi=0.1"}, "tensors": [
  {"name": "lstm.bias_ih_l0", "shape": [2048], "parts": [{"range": "1/4..2/4", "init": "ones", "comment": "forget"}]},
  {"name": "embed.weight", "shape": [700, 40], "init": "normal:std=0.02", "parts": [{"range": "0", "init": "zeros"}]},
  {"name": "qkv.weight", "shape": [96, 64], "layout": "OI", "splits": 3, "init": "xavier_uniform",
   "parts": [{"range": "2/3..", "init": "times:factor=0.5 xavier_uniform"}]},
  {"name": "conv.weight", "shape": [3, 3, 16, 24], "layout": "HWIO", "init": "he_normal",
   "parts": [{"range": "-8..", "dimension": 3, "init": "zeros"}, {"range": "0..4", "dimension": 3, "init": "he_uniform"}]}]}
JSON
cat >wanted.json <<'JSON'
{"lstm.bias_ih_l0": [0, [[0, 512, "uniform:lo=-0.1,hi=0.1"], [512, 1024, "ones"], [1024, 2048, "uniform:lo=-0.1,hi=0.1"]]],
 "embed.weight": [0, [[0, 1, "zeros"], [1, 700, "normal:std=0.02"]]],
 "qkv.weight": [0, [[0, 64, "xavier_uniform"], [64, 96, "times:factor=0.5 xavier_uniform"]]],
 "conv.weight": [3, [[0, 4, "he_uniform"], [4, 16, "he_normal"], [16, 24, "zeros"]]]}
JSON
for dtype in f64 f16 bf16 f8_e4m3 f8_e5m2 f32; do
  "$FANIN" init m.json -o p.safetensors --seed 3 --dtype $dtype >/dev/null
  python3 bits.py p.safetensors m.json wanted.json --dtype $dtype
done
python3 "$SRC/tests/cli/read_safetensors.py" p.safetensors | grep -E '^fanin\.(init|parts|layout)' >notes.txt
diff - notes.txt <<'TEXT'
fanin.layout.conv.weight HWIO
fanin.layout.qkv.weight OI,splits=3
fanin.parts.conv.weight [{"range":"0..4","dimension":3,"init":"he_uniform"},{"range":"4..16","dimension":3,"init":"he_normal"},{"range":"16..24","dimension":3,"init":"zeros"}]
fanin.parts.embed.weight [{"range":"0..1","init":"zeros"},{"range":"1..700","init":"normal:std=0.02"}]
fanin.parts.lstm.bias_ih_l0 [{"range":"0..512","init":"uniform:lo=-0.1,hi=0.1"},{"range":"512..1024","init":"ones"},{"range":"1024..2048","init":"uniform:lo=-0.1,hi=0.1"}]
fanin.parts.qkv.weight [{"range":"0..64","init":"xavier_uniform"},{"range":"64..96","init":"xavier_uniform:gain=0.5"}]
TEXT

# Numbers that the file computes.
cat >e.json <<'JSON'
{"values": {"hidden": 4}, "tensors": [{"repeat": {"i": [0, 1]}, "tensors": [
  {"name": "b{i}", "shape": ["{4*hidden}"], "dtype": "bf16", "init": "zeros", "parts": [
    {"range": "{hidden}..{2*hidden}", "init": "constant:value={i+1}"}, {"range": "{shape[0]-1-i}", "init": "ones"}]}]}]}
JSON
"$FANIN" init e.json -o e.safetensors >/dev/null
python3 "$SRC/tests/cli/read_safetensors.py" e.safetensors | grep -F fanin.parts >notes.txt
diff - notes.txt <<'TEXT'
fanin.parts.b0 [{"range":"0..4","init":"zeros"},{"range":"4..8","init":"constant:value=1"},{"range":"8..15","init":"zeros"},{"range":"15..16","init":"ones"}]
fanin.parts.b1 [{"range":"0..4","init":"zeros"},{"range":"4..8","init":"constant:value=2"},{"range":"8..14","init":"zeros"},{"range":"14..15","init":"ones"},{"range":"15..16","init":"zeros"}]
TEXT

# A whole number is one coordinate.
for range in 3 '"3"' -5; do
  echo '{"tensors": [{"name": "w", "shape": [8], "init": "zeros", "parts": [{"range": '"$range"', "init": "ones"}]}]}' >one.json
  "$FANIN" init one.json -o one.safetensors >/dev/null
  python3 "$SRC/tests/cli/read_safetensors.py" one.safetensors | grep -F '{"range":"3..4","init":"ones"}' >/dev/null || die "range $range"
done

# ---- Inspection: each part by its own law ----
"$FANIN" inspect p.safetensors --require judged,unsuspicious >report.txt || die "$(cat report.txt)"
grep -q '^p.safetensors: safetensors, 4 tensors, ' report.txt || die "$(cat report.txt)"
grep -q '^HOLDS: 10 of 10 tensors and parts hold, 0 fail, 0 are' report.txt || die "$(cat report.txt)"
grep -q '^Tensors and parts whose initializer is named: 10 by the metadata (4 tensors, of which 4 in parts)$' report.txt || die "$(cat report.txt)"
for name in 'lstm.bias_ih_l0[512..1024]' 'embed.weight[1..700]' 'conv.weight[:,:,:,0..4]' 'qkv.weight[64..96]'; do
  grep -qF "$name " report.txt || die "no $name: $(cat report.txt)"
done
"$FANIN" inspect p.safetensors --json >said.json
python3 - <<'PYTHON'
import json
said = {t['name']: t for t in json.load(open('said.json'))['tensors']}
part = said['lstm.bias_ih_l0[512..1024]']
assert part['part_of'] == 'lstm.bias_ih_l0' and part['shape'] == [512] and part['init'] == 'ones', part
assert said['conv.weight[:,:,:,4..16]']['shape'] == [3, 3, 16, 12] and said['conv.weight[:,:,:,4..16]']['init'] == 'he_normal'
assert abs(said['qkv.weight[64..96]']['std_expected'] * 2 / said['qkv.weight[0..64]']['std_expected'] - 1) < 1e-6
PYTHON
# The model and rules say the same; the metadata are not needed.
strip() { # strip FROM TO CHANGE: the file with other metadata, and other bytes: Python on `notes` and `data(name)`.
  python3 - "$@" <<'PYTHON'
import json, struct, sys
raw = open(sys.argv[1], 'rb').read()
n, = struct.unpack_from('<Q', raw)
header, body = json.loads(raw[8:8 + n]), bytearray(raw[8 + n:])
notes = header.get('__metadata__', {})
def put(name, at, values):  # f32
    begin = header[name]['data_offsets'][0] + 4 * at
    body[begin:begin + 4 * len(values)] = struct.pack(f'<{len(values)}f', *values)
def get(name, at, count):
    return list(struct.unpack_from(f'<{count}f', body, header[name]['data_offsets'][0] + 4 * at))
exec(sys.argv[3])
text = json.dumps(header).encode()
open(sys.argv[2], 'wb').write(struct.pack('<Q', len(text)) + text + bytes(body))
PYTHON
}
strip p.safetensors bare.safetensors 'notes.clear()'
"$FANIN" inspect bare.safetensors --like m.json --require judged >report.txt || die "$(cat report.txt)"
grep -q '^HOLDS: 10 of 10 tensors and parts hold, 0 fail, 0 are' report.txt || die "$(cat report.txt)"

# fails NAME CHANGE: that part fails by the change, and nothing else.
fails() {
  strip p.safetensors bad.safetensors "$2"
  "$FANIN" inspect bad.safetensors >report.txt && die "held: $2"
  grep -E '^[^ ]+\[.* fails:' report.txt | cut -d' ' -f1 >failed.txt
  [ "$(cat failed.txt)" = "$1" ] || die "$1, $2: $(cat report.txt)"
}
fails 'lstm.bias_ih_l0[512..1024]' "put('lstm.bias_ih_l0', 700, [0.05])"
fails 'lstm.bias_ih_l0[1024..2048]' "put('lstm.bias_ih_l0', 1024, [1.0])"
fails 'embed.weight[0..1]' "put('embed.weight', 39, [0.01])"
fails 'embed.weight[1..700]' "put('embed.weight', 40, [0.0] * 40)"
fails 'conv.weight[:,:,:,16..24]' "put('conv.weight', 16, [0.01])"
fails 'conv.weight[:,:,:,4..16]' "[put('conv.weight', 24 * k + 4, [2 * x for x in get('conv.weight', 24 * k + 4, 12)]) for k in range(144)]"
fails 'conv.weight[:,:,:,0..4]' "put('conv.weight', 0, [float('nan')])"
fails 'qkv.weight[64..96]' "put('qkv.weight', 64 * 64, [2 * x for x in get('qkv.weight', 64 * 64, 2048)])"
fails 'lstm.bias_ih_l0[1024..2048]' "put('lstm.bias_ih_l0', 1024, get('lstm.bias_ih_l0', 0, 512))"

# Notes that are not parts of the tensor: it is not judged, and the reason is there.
unjudged() {
  strip p.safetensors bad.safetensors "notes['fanin.parts.embed.weight'] = $2"
  "$FANIN" inspect bad.safetensors >report.txt || die "$2: $(cat report.txt)"
  grep -F 'note: embed.weight: not judged: ' report.txt | grep -F "$1" >/dev/null || die "$2: $(cat report.txt)"
}
unjudged "metadata: line 1" "'['"
unjudged "parts: is empty" "'[]'"
unjudged "parts: they are not all of the tensor" "'[{\"range\": \"0..1\", \"init\": \"zeros\"}]'"
unjudged "range '0..701': 701 is outside" "'[{\"range\": \"0..701\", \"init\": \"zeros\"}]'"
unjudged "parts[0].init: " "'[{\"range\": \"0..700\", \"init\": \"zeroes\"}]'"
strip p.safetensors bad.safetensors "notes['fanin.parts.embed.weight'] = '[{\"range\": \"0..1\", \"init\": \"he_normal\"}, {\"range\": \"1..700\", \"init\": \"normal:std=0.02\"}]'"
"$FANIN" inspect bad.safetensors >report.txt || die "$(cat report.txt)"
grep -qF 'note: embed.weight[0..1]: not judged: ' report.txt || die "$(cat report.txt)"

# What follows from an element's place follows from that in the whole.
echo '{"tensors": [{"name": "eye", "shape": [24, 24], "layout": "OI", "init": "identity",
  "parts": [{"range": "8..16", "init": "normal", "dimension": 1}]}]}' >eye.json
"$FANIN" init eye.json -o eye.safetensors >/dev/null
"$FANIN" inspect eye.safetensors --require judged >report.txt || die "$(cat report.txt)"
strip eye.safetensors bad.safetensors "put('eye', 24 * 20 + 20, [0.0]); put('eye', 24 * 20 + 21, [1.0])"
"$FANIN" inspect bad.safetensors >report.txt && die "another diagonal holds"
grep -q 'eye\[:,16..24\] .* fails: exact' report.txt || die "$(cat report.txt)"

# A part of a matrix that is made as a whole is not judged, and never said to hold.
cat >q.json <<'JSON'
{"tensors": [{"name": "q", "shape": [64, 48], "layout": "OI", "init": "orthogonal", "parts": [{"range": "0..1/2", "init": "zeros"}]}]}
JSON
"$FANIN" init q.json -o q.safetensors >/dev/null
"$FANIN" inspect q.safetensors >report.txt || die "$(cat report.txt)"
grep -q 'note: q\[32..64\]: not judged: it is a part of' report.txt || die "$(cat report.txt)"
grep -q '^HOLDS AS FAR AS JUDGED: 1 of 2 tensors and parts holds' report.txt || die "$(cat report.txt)"

# ---- Rules ----
cat >rules.json <<'JSON'
{"name": "mine", "values": {"pad": null, "layers": {"count": "lstm.bias*"}}, "rules": [
  {"match": "embed.weight", "init": "normal:std=0.02", "parts": [{"range": "{pad}", "init": "zeros"}]},
  {"match": "lstm.bias*", "init": "uniform:lo=-0.1,hi=0.1", "parts": [{"range": "1/4..2/4", "init": "constant:value={layers}"}]},
  {"match": "conv.weight", "layout": "HWIO", "init": "he_normal", "parts": [
    {"range": "0..4", "dimension": 3, "init": "he_uniform"}, {"range": "-8..", "dimension": 3, "init": "zeros"}]},
  {"match": "qkv.weight", "layout": "OI,splits=3", "init": "xavier_uniform",
   "parts": [{"range": "2/3..", "init": "residual:layers=2,branches=2 xavier_uniform"}]}]}
JSON
refuse 2 "tensor 'embed.weight': parts[0].range: the value 'pad' must be given" init --like p.safetensors --rules rules.json -o out.safetensors
refuse 2 "tensor 'embed.weight': parts[0].range '1.5': 1.5 must be a whole number, in digits alone" init --like p.safetensors --rules rules.json --set pad=1.5 -o out.safetensors
"$FANIN" init --like bare.safetensors --rules rules.json --set pad=0 -o r.safetensors --seed 3 >said.txt
grep -qF 'normal:std=0.02; 0..1: zeros' said.txt || die "$(cat said.txt)"
python3 bits.py r.safetensors m.json wanted.json # 1 layer: ones; 1 / sqrt(2 * 2) = 0.5
strip p.safetensors a 'notes.clear()'
strip r.safetensors b 'notes.clear()'
"$FANIN" inspect bare.safetensors --rules rules.json --set pad=0 --require judged >report.txt || die "$(cat report.txt)"
grep -q '^HOLDS: 10 of 10 tensors and parts hold, 0 fail, 0 are' report.txt || die "$(cat report.txt)"
# Metadata and rules say the same, or do not.
"$FANIN" inspect p.safetensors --rules rules.json --set pad=0 --require judged,unsuspicious >report.txt || die "$(cat report.txt)"
"$FANIN" inspect p.safetensors --rules rules.json --set pad=1 >report.txt || die "$(cat report.txt)"
grep -qF 'suspicious: embed.weight[0..1]: its metadata say 0..1: zeros; 1..700: normal:std=0.02, and rules' report.txt || die "$(cat report.txt)"
echo '{"rules": [{"match": "*bias*", "init": "zeros"}]}' >plain.json
"$FANIN" inspect p.safetensors --rules plain.json >report.txt || die "$(cat report.txt)"
grep -qF 'and rules plain.json say zeros' report.txt || die "$(cat report.txt)"

"$FANIN" init --like bare.safetensors --rules rules.json --set pad=-1 --explain --json >said.json
python3 - <<'PYTHON'
import json
said = {t['name']: t for t in json.load(open('said.json'))['tensors']}
assert said['embed.weight']['parts'] == [{'range': '0..699', 'init': 'normal:std=0.02'}, {'range': '699..700', 'init': 'zeros'}]
bias = said['lstm.bias_ih_l0']  # three quarters of variance 0.01 / 3 around 0, a quarter at 1
assert abs(bias['mean'] - 0.25) < 1e-6 and bias['hi'] == 1 and abs(bias['lo'] + 0.1) < 1e-6, bias
assert abs(bias['std'] ** 2 - (0.75 * 0.01 / 3 + 0.25 - 0.25 ** 2)) < 1e-6, bias
PYTHON

# A tied tensor has the parts of the other one.
echo '{"rules": [{"match": "qkv.weight", "layout": "OI", "init": "normal", "parts": [{"range": "-1", "init": "zeros"}]},
  {"match": "twin", "same_as": "qkv.weight"}, {"match": "*", "skip": "else"}]}' >tied.json
strip bare.safetensors two.safetensors "header['twin'] = {**header['qkv.weight'], 'data_offsets': [len(body), len(body) + 4 * 6144]}; body += bytes(4 * 6144)"
"$FANIN" init --like two.safetensors --rules tied.json -o t.safetensors >/dev/null
"$FANIN" inspect t.safetensors --require judged >report.txt || die "$(cat report.txt)"
strip t.safetensors bad.safetensors "put('twin', 7, [0.5])"
"$FANIN" inspect bad.safetensors >report.txt && die "a tied tensor that differs holds"
grep -q 'twin\[0..95\] .* fails: exact' report.txt || die "$(cat report.txt)"

# bad_rule WORD RULE
bad_rule() {
  echo "{\"rules\": [$2, {\"match\": \"*\", \"skip\": \"else\"}]}" >bad.json
  refuse 2 "$1" init --like bare.safetensors --rules bad.json -o out.safetensors
}
bad_rule "rules[0].parts[0].init: " '{"match": "e*", "init": "zeros", "parts": [{"range": "0", "init": "zeroes"}]}'
bad_rule "rules[0].parts: is empty" '{"match": "e*", "init": "zeros", "parts": []}'
bad_rule "parts go with 'init' only" '{"match": "e*", "skip": "so", "parts": [{"range": "0", "init": "ones"}]}'
bad_rule "tensor 'embed.weight': parts[0].range '1/3..2/3': dimension 0 has the extent 700" \
  '{"match": "e*", "init": "zeros", "parts": [{"range": "1/3..2/3", "init": "ones"}]}'
bad_rule "tensor 'embed.weight': parts[0].init: rules bad.json have no value 'x'" \
  '{"match": "e*", "init": "zeros", "parts": [{"range": "0", "init": "constant:value={x}"}]}'
strip bare.safetensors int.safetensors "header['n'] = {'dtype': 'I64', 'shape': [4], 'data_offsets': [len(body), len(body) + 32]}; body += bytes(32)"
echo '{"rules": [{"match": "n", "init": "zeros", "parts": [{"range": "0", "init": "ones"}]}, {"match": "*", "skip": "else"}]}' >bad.json
refuse 2 "of which fanin writes zeros only" init --like int.safetensors --rules bad.json -o out.safetensors

# ---- A probe does not take a matrix with parts for one of a single law ----
cat >net.json <<'JSON'
{"tensors": [{"name": "w0", "shape": [32, 16], "layout": "OI", "init": "he_normal", "parts": [{"range": "0", "init": "zeros"}]}]}
JSON
"$FANIN" init net.json -o net.safetensors >/dev/null
"$FANIN" probe --weights net.safetensors --activation relu >report.txt || die "$(cat report.txt)"
head -1 report.txt | grep -F '(a guess' >/dev/null || die "not a guess: $(cat report.txt)"
sed 's/"tensors"/"rules"/; s/"name"/"match"/; s/"shape": \[32, 16\], //' net.json >net_rules.json
strip net.safetensors plain.safetensors 'notes.clear()'
"$FANIN" probe --weights plain.safetensors --rules net_rules.json --activation relu >report.txt 2>&1 || true
if grep -q '(rules' report.txt; then die "one law by the rules: $(cat report.txt)"; fi
# What is calibrated was not made by its parts' initializers any more.
"$FANIN" probe --weights net.safetensors --activation relu --calibrate -o calibrated.safetensors >/dev/null || die "calibrate"
if grep -qa 'fanin.parts' calibrated.safetensors; then die "a calibrated tensor keeps its parts"; fi

# ---- Tables and patterns in parts: every element is compared, and the whole tensor's averages say nothing of a slab ----
cat >m.json <<'JSON'
{"tensors": [
  {"name": "pos", "shape": [64, 32], "init": "sinusoidal", "parts": [{"range": "0", "init": "zeros"}]},
  {"name": "A_log", "shape": [16, 16], "init": "s4d_real", "parts": [{"range": "8..", "init": "zeros", "dimension": 1}]},
  {"name": "eye", "shape": [16, 32], "layout": "OI", "init": "identity", "parts": [{"range": "16..", "init": "zeros", "dimension": 1}]},
  {"name": "slopes", "shape": [12], "init": "alibi", "parts": [{"range": "..3", "init": "ones"}]},
  {"name": "octets", "shape": [64, 32], "dtype": "f8_e4m3", "init": "sinusoidal"}]}
JSON
"$FANIN" init m.json -o tables.safetensors >/dev/null
"$FANIN" inspect --require judged tables.safetensors >said.txt || die "$(cat said.txt)"
# A table in numbers of one byte may have been rounded twice, and so be the next number; two steps are none.
for step in 1 2; do
  python3 - "$step" <<'PYTHON'
import json, struct, sys
data = bytearray(open('tables.safetensors', 'rb').read())
size, = struct.unpack_from('<Q', data)
at = 8 + size + json.loads(data[8:8 + size])['octets']['data_offsets'][0]
places = [k for k in range(64 * 32) if 0x20 < data[at + k] < 0x30][:50]
assert len(places) == 50
for k in places:
    data[at + k] += int(sys.argv[1])
open('moved.safetensors', 'wb').write(data)
PYTHON
  status=0
  "$FANIN" inspect moved.safetensors >said.txt || status=$?
  [ "$status" = $((step - 1)) ] || die "by $step: $(cat said.txt)"
done
# Two tables are not one for having the same bounds.
echo '{"rules": [{"match": "octets", "init": "sinusoidal:base=500,form=halves"}]}' >r.json
"$FANIN" inspect tables.safetensors --rules r.json >said.txt
grep -q 'octets: its metadata say sinusoidal, and rules r.json say sinusoidal:base=500,form=halves' said.txt || die "$(cat said.txt)"

# ---- A tie is compared also where the law is not tested: a part of an orthogonal matrix ----
cat >r.json <<'JSON'
{"rules": [{"match": "head.weight", "same_as": "emb.weight"},
           {"match": "emb.weight", "layout": "OI", "init": "orthogonal", "parts": [{"range": "0", "init": "zeros"}]},
           {"match": "*.bias", "fans_of": ["bias", "weight"], "init": "uniform:lo=-1,hi=1", "scale": "fan_in"}]}
JSON
python3 - <<'PYTHON'
import json, struct
header = {'emb.weight': {'dtype': 'F32', 'shape': [100, 64], 'data_offsets': [0, 25600]},
          'head.bias': {'dtype': 'F32', 'shape': [100], 'data_offsets': [25600, 26000]},
          'head.weight': {'dtype': 'F32', 'shape': [100, 64], 'data_offsets': [26000, 51600]}}
text = json.dumps(header).encode()
open('like.safetensors', 'wb').write(struct.pack('<Q', len(text)) + text + bytes(51600))
PYTHON
"$FANIN" init --like like.safetensors --rules r.json -o tied.safetensors >/dev/null # the bias by the fans of the twin's layout
"$FANIN" inspect --rules r.json tied.safetensors >said.txt || die "$(cat said.txt)"
python3 - <<'PYTHON'
import json, struct
data = bytearray(open('tied.safetensors', 'rb').read())
size, = struct.unpack_from('<Q', data)
at = 8 + size + json.loads(data[8:8 + size])['head.weight']['data_offsets'][0]
data[at + 60 * 256:at + 25600] = data[at + 30 * 256:at + 30 * 256 + 40 * 256]
open('broken.safetensors', 'wb').write(data)
PYTHON
if "$FANIN" inspect --rules r.json broken.safetensors >said.txt; then die "a broken tie: $(cat said.txt)"; fi
