#!/usr/bin/env bash
# Arithmetic in braces: model files and rules give the numbers that Python's arithmetic gives, and mistakes are refused with
# their places.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"

# ---- Mistakes ----
values='"values": {"d": 4, "twice": "{2*d}"}'

# wrong SENTENCE INIT: an initializer of a model file.
wrong() {
  printf '{%s, "tensors": [{"name": "h.3.w", "shape": [3, 5], "init": "%s"}]}' "$values" "$2" >m.json
  refuse 2 "m.json: tensors[0].init: $1" init m.json -o out.safetensors
}
wrong "'{1/0}': is not a finite number" 'normal:std={1/0}'
wrong "'{sqrt(-d)}': is not a finite number" 'normal:std={sqrt(-d)}'
wrong "'{1e308*10}': is not a finite number" 'normal:std={1e308*10}'
wrong "'{min(0/(d-4),3)}': is not a finite number" 'constant:value={min(0/(d-4),3)}'
wrong "'{max(sqrt(-1),0.02)}': is not a finite number" 'constant:value={max(sqrt(-1),0.02)}'
wrong "'{1/(1/0)}': is not a finite number" 'constant:value={1/(1/0)}'
wrong "'{1e400}': is not a finite number" 'constant:value={1e400}'
wrong "'{0x10}': expected a decimal number at '0x10'" 'constant:value={0x10}'
wrong "'{sqrt(d' has a brace that does not belong to an {expression}" 'normal:std={sqrt(d'
wrong "'}' has a brace that does not belong to an {expression}" 'normal:std=1}'
wrong "'{sqrt(d}': expected ')' at the end" 'normal:std={sqrt(d}'
wrong "'{(d+1}': expected ')' at the end" 'normal:std={(d+1}'
wrong "'{sqr(d)}': no function is called 'sqr', did you mean sqrt? There are sqrt, floor, ceil, min, max" 'normal:std={sqr(d)}'
wrong "nothing is called 'twic' here, did you mean twice? There are d, twice, layer, shape, fan_in, fan_out" 'normal:std={twic}'
wrong "'{1/sqrt({layer}': braces do not nest" 'normal:std={1/sqrt({layer}+1)}'
wrong "'{min(1)}': expected ',' at ')'" 'normal:std={min(1)}'
wrong "'{min(1,2,3)}': expected ')' at ',3)'" 'normal:std={min(1,2,3)}'
wrong "'{1 2}': expected an operator at '2'" 'normal:std={1 2}'
wrong "'{1+}': expected a number, a name or '(' at the end" 'normal:std={1+}'
wrong "'{+1}': expected a number, a name or '(' at '+1'" 'normal:std={+1}'
wrong "'{}': expected a number" 'normal:std={}'
wrong "'{#}': expected a number, a name or '(' at '#'" 'normal:std={#}'
wrong 'layout "" has no fans' 'normal:std={fan_in}'
wrong "'shape' needs a dimension, as in shape[0]" 'normal:std={shape}'
wrong "'shape[2]': the tensor has 2 dimensions" 'normal:std={shape[2]}'
wrong "'shape[-3]': the tensor has 2 dimensions" 'normal:std={shape[-3]}'
wrong "'{shape[0}': expected ']' at the end" 'normal:std={shape[0}'
wrong "'{shape[d]}': expected a whole number at 'd]'" 'normal:std={shape[d]}'
wrong "'{shape[9999999999]}': the number between '[' and ']' is too long" 'normal:std={shape[9999999999]}'
wrong "'d[1]': only shape has numbers in brackets" 'normal:std={d[1]}'
wrong "'layer[1]': only shape has numbers in brackets" 'normal:std={layer[1]}'
wrong "'{(-d)^0.5}': the number before '^' must be above 0" 'normal:std={(-d)^0.5}'
wrong "'{$(printf '(%.0s' {1..70})}': is nested too deeply" "normal:std={$(printf '(%.0s' {1..70})}"
wrong "'{$(printf -- '-%.0s' {1..70})1}': is nested too deeply" "normal:std={$(printf -- '-%.0s' {1..70})1}"
wrong "'normal:std={1}xxxxx" "normal:std={1}$(printf 'x%.0s' {1..600})"
wrong "'{$(printf 'x%.0s' {1..70})}': a name has more than 63 letters" "normal:std={$(printf 'x%.0s' {1..70})}"

# place PLACE SENTENCE JSON: elsewhere in a model file.
place() {
  printf '%s' "$3" >m.json
  refuse 2 "m.json: $1: $2" init m.json -o out.safetensors
}
# shape SENTENCE SIZE
shape() { place 'tensors[0].shape[1]' "$1" "{$values, \"tensors\": [{\"name\": \"w\", \"shape\": [2, $2], \"init\": \"zeros\"}]}"; }
shape "'{d/3}': is 1.3333333333333333, but must be a whole number below 2^53" '"{d/3}"'
shape "'{d-5}': is -1, but must be a whole number" '"{d-5}"'
shape "'{2^54}': is 18014398509481984, but must be a whole number" '"{2^54}"'
shape "is 0, but must be at least 1" '"{d-4}"'
shape "'{2^53+1}': is 9007199254740992, but must be a whole number below 2^53" '"{2^53+1}"'
shape "is 0, but must be at least 1" '"{0*(0-1)}"'
shape "is '4x', but must be a whole number, or the text of one" '"{d}x"'
shape "nothing is called 'layer' here" '"{layer}"'
place values.c "must be given by --set c=NUMBER" '{"values": {"c": null}, "tensors": []}'
place values.c "is an array, but must be a number" '{"values": {"c": []}, "tensors": []}'
place values.c "nothing is called 'e' here" '{"values": {"c": "{e}", "e": 1}, "tensors": []}'
printf '{"values": {"c": "d"}, "tensors": []}' >m.json
refuse 2 "m.json: values.c: is 'd', but must be a number, or the text of one as in \"{4*d}\"" init m.json -o out.safetensors
place values.n-c "a value's name has letters, digits and _" '{"values": {"n-c": 1}, "tensors": []}'
place values.layer "expressions have this name for a number of each tensor" '{"values": {"layer": 1}, "tensors": []}'
place 'tensors[0].name' "'{d/8}': is 0.5, but must be a whole number" "{$values, \"tensors\": [{\"name\": \"w{d/8}\", \"shape\": [2], \"init\": \"zeros\"}]}"
place 'tensors[0].repeat.i[1]' "'{d/8}': is 0.5" "{$values, \"tensors\": [{\"repeat\": {\"i\": [0, \"{d/8}\"]}, \"tensors\": []}]}"
printf '{%s, "tensors": [{"name": "w", "shape": [2], "init": "zeros"}]}' "$values" >m.json
refuse 2 "--set: nothing is called 'twic' here, did you mean twice? There are d, twice" init m.json --set twic=1 -o out.safetensors
printf '{"tensors": [{"name": "w", "shape": [2], "init": "constant:value={layer}"}]}' >m.json
refuse 2 "'layer' is the first whole number between the dots of a tensor's name, and 'w' has none" init m.json -o out.safetensors
refuse 2 "--set: nothing is called 'd' here" init m.json --set d=1 -o out.safetensors
refuse 2 "--set goes with a model file, or with --like" init --tensor w:f32::4 --init ones --set d=1 -o out.safetensors
[ ! -e out.safetensors ] || die "a file was written"

# ---- Numbers ----
have_python || exit 0
cat >numbers.py <<'PYTHON'
# One expression a line, and what Python makes of it. The four operations and roots are rounded correctly everywhere: equal
# to the last bit. Powers with a fraction are the library's own.
import json, math, subprocess, sys
exact = ['1+2*3', '(1+2)*3', '7-2-1', '8/2/2', '-2^2', '2^3^2', '2^-3', '-3--2', '0.1+0.2*3-4/7', '1e-3*.5', 'sqrt(2*layers)',
         '0.02/sqrt(2*layers)', '1/sqrt(2*(layer+1))', 'min(layers, 3) * max(d,1)', 'floor(-7/2)', 'ceil(7/2)', '64*ceil(50257/64)',
         'shape[0]*10+shape[-1]', 'fan_in', 'fan_out/fan_in', '2^53-1', '0.1^3', 'd^0', ' 1 + 1 ', 'ff', 'sqrt(sqrt(16))', '3*-2']
near = ['d^-0.5', 'd^0.5', '(8*layers)^(-1/4)', '10000^(2/128)', '2^0.5^2', '7^100.5']
layers, d = 12, 768
names = {'layers': layers, 'd': d, 'ff': 4 * d, 'layer': 7, 'fan_in': 5, 'fan_out': 3, 'shape': [3, 5], 'sqrt': math.sqrt,
         'min': min, 'max': max, 'floor': math.floor, 'ceil': math.ceil}
power = lambda text: text.replace('^', '**').strip()
json.dump({'values': {'layers': 6, 'd': d, 'ff': '{4*d}'}, 'defaults': {'dtype': 'f64'},
           'tensors': [{'name': f'block.7.{k}.1', 'shape': [3, '{2+3}'], 'layout': 'OI', 'init': 'constant:value={%s}' % text}
                       for k, text in enumerate(exact + near)]}, open('m.json', 'w'))
subprocess.run([sys.argv[1], 'init', 'm.json', '--set', 'layers=12', '-o', 'm.safetensors'], check=True, stdout=subprocess.DEVNULL)
import read_safetensors
notes, _ = read_safetensors.read('m.safetensors')
for k, text in enumerate(exact + near):
    said = notes[f'fanin.init.block.7.{k}.1']
    said = float(said.partition('value=')[2] or 0)
    want = float(eval(power(text), {}, names))
    bound = 0 if text in exact and '0.1^3' != text else 4e-16 * abs(want)
    assert abs(said - want) <= bound, (text, said, want)
PYTHON
PYTHONPATH=$SRC/tests/cli python3 numbers.py "$FANIN"

# A whole family of models from a few values: names, repetitions and shapes follow.
cat >m.json <<'JSON'
{"values": {"layers": null, "d": 32, "vocab": 100},
 "defaults": {"init": "zeros"},
 "tensors": [
  {"name": "embed", "shape": ["{64*ceil(vocab/64)}", "{d}"]},
  {"repeat": {"layer": [0, "{layers-1}"]}, "tensors": [
    {"name": "h.{layer+1}.up", "shape": ["{4*d}", "{d}"], "init": "normal:std={0.02/sqrt(2*(layer+1))}"}]}]}
JSON
"$FANIN" init m.json --set layers=2 --set d=8 -o m.safetensors
python3 "$SRC/tests/cli/read_safetensors.py" m.safetensors >said.txt
for line in 'fanin.init.h.1.up normal:std=0.014142135623730949' 'fanin.init.h.2.up normal:std=0.01' 'embed F32 \[128, 8\]' 'h.2.up F32 \[32, 8\]'; do
  grep "^$line" said.txt >/dev/null || die "no '$line' in $(cat said.txt)"
done
"$FANIN" inspect --like m.json --set layers=2 --set d=8 m.safetensors >said.txt || die "$(cat said.txt)"
refuse 2 "m.json: values.layers: must be given by --set layers=NUMBER" inspect --like m.json m.safetensors

# ---- Rules ----
# BEiT: the std of what ends a branch is divided by sqrt(2 (layer + 1)), layers from 0.
printf '{"values": {"std": 0.02, "layers": {"count": "*.down.weight"}}, "rules": [
  {"match": "*.down.weight", "layout": "OI", "init": "normal:std={std/sqrt(2*(layer+1))}"},
  {"match": "*.up.weight", "layout": "OI", "init": "normal:std=1", "scale": "times:factor={(fan_in*fan_out)^-0.25*layers}"},
  {"match": "*.bias", "fans_of": ["bias", "weight"], "init": "constant:value={fan_in*1000+shape[0]}"},
  {"match": "*", "init": "normal:std={shape[1]/100}"}]}' >r.json
python3 - <<'PYTHON'
import json, struct
shapes = {'embed': [10, 6]} | {f'h.{i}.{n}': s for i in range(3) for n, s in (('down.weight', [4, 9]), ('up.weight', [9, 4]), ('up.bias', [9]))}
header = {name: {'dtype': 'F32', 'shape': shape, 'data_offsets': [0, 0]} for name, shape in shapes.items()}
at = 0
for h in header.values():
    n = 4
    for s in h['shape']: n *= s
    h['data_offsets'] = [at, at + n]
    at += n
text = json.dumps(header).encode()
open('x.safetensors', 'wb').write(struct.pack('<Q', len(text)) + text + bytes(at))
PYTHON
"$FANIN" init --like x.safetensors --rules r.json --explain --json >said.json
python3 - <<'PYTHON'
import json, math
said = {t['name']: t for t in json.load(open('said.json'))['tensors']}
near = lambda x, y: abs(x - y) <= 1e-12 * abs(y)
for i in range(3):
    assert near(said[f'h.{i}.down.weight']['std'], 0.02 / math.sqrt(2 * (i + 1))), said
    assert near(said[f'h.{i}.up.weight']['std'], 3 * 36 ** -0.25), said
    assert said[f'h.{i}.up.bias']['mean'] == 4009, said
assert near(said['embed']['std'], 0.06)
PYTHON
printf '{"values": {"n-c": 1}, "rules": [{"match": "*", "init": "zeros"}]}' >r.json
refuse 2 "r.json: values.n-c: a value's name has letters, digits and _" init --like x.safetensors --rules r.json --explain
printf '{"values": {"fan_in": 1}, "rules": [{"match": "*", "init": "zeros"}]}' >r.json
refuse 2 "r.json: values.fan_in: expressions have this name" init --like x.safetensors --rules r.json --explain
printf '{"rules": [{"match": "*", "init": "normal:std={layer}"}]}' >r.json
refuse 2 "rules r.json: rules[0], tensor 'embed': 'layer' is the first whole number" init --like x.safetensors --rules r.json --explain
printf '{"values": {"std": 1}, "rules": [{"match": "*", "init": "normal:std={stdd}"}]}' >r.json
refuse 2 "rules r.json have no value 'stdd', did you mean std? They have std" init --like x.safetensors --rules r.json --explain
