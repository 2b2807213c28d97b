#!/usr/bin/env bash
# Every mistake in a model file is refused with the place that it is at; the shipped files have the right tensors.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"

# wrong WORD JSON: refused with the word, and with the file's name.
wrong() {
  printf '%s' "$2" >m.json
  refuse 2 "m.json: $1" init m.json -o out.safetensors
}

# tensor FIELDS: a file with one good tensor, then one with these fields.
tensor() {
  printf '{"tensors": [{"name": "a", "shape": [2], "init": "zeros"}, {%s}]}' "$1"
}

good='"name": "w", "shape": [3, 5], "layout": "OI", "init": "he_normal"'

wrong "line 1, column" ''
wrong "line 1, column" '{"tensors": ['
wrong "line 1, column" '{"tensors": [], "tensors": []}'
wrong "line 1, column" "$(tensor '"name": "w", "shape": [99999999999999999999], "init": "zeros"')"
wrong "the file: is an array" '[]'
wrong "the file: needs 'tensors'" '{}'
wrong "tensors: is empty" '{"tensors": []}'
wrong "tensors: is an object" '{"tensors": {}}'
wrong "tensors[0]: is a text" '{"tensors": ["w"]}'
wrong "the file: unknown key 'tensor'" '{"tensor": []}'
wrong "name: is a whole number" '{"name": 1, "tensors": []}'
wrong "comment: is true" '{"comment": true, "tensors": []}'
wrong "defaults: is a text" '{"defaults": "f32", "tensors": []}'
wrong "defaults: unknown key 'layout'" '{"defaults": {"layout": "OI"}, "tensors": []}'
wrong "defaults.dtype: " '{"defaults": {"dtype": "f31"}, "tensors": []}'
wrong "defaults.init: " '{"defaults": {"init": "he_nrmal"}, "tensors": []}'
wrong "tensors[1]: needs a 'name'" "$(tensor '"shape": [3]')"
wrong "tensors[1].name: is null" "$(tensor '"name": null')"
wrong "tensors[1] (''): the tensor's name is empty" "$(tensor '"name": "", "shape": [3], "init": "zeros"')"
wrong "tensors[1].name: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...' is longer than 512 bytes" "$(tensor "\"name\": \"$(printf 'x%.0s' {1..513})\", \"shape\": [3]")"
wrong "tensors[1] ('__metadata__'): no tensor" "$(tensor '"name": "__metadata__", "shape": [3], "init": "zeros"')"
wrong "two tensors have the name 'a'" "$(tensor '"name": "a", "shape": [3], "init": "zeros"')"
wrong "tensors[1].name: '{' has a brace" "$(tensor '"name": "w{", "shape": [3]')"
wrong "tensors[1].name: '}' has a brace" "$(tensor '"name": "w}", "shape": [3]')"
wrong "tensors[1].name: nothing is called 'i' here" "$(tensor '"name": "w{i}", "shape": [3]')"
wrong "tensors[1]: needs a 'shape'" "$(tensor '"name": "w"')"
wrong "tensors[1].shape: is a whole number" "$(tensor '"name": "w", "shape": 3')"
wrong "tensors[1].shape: has 9 dimensions" "$(tensor '"name": "w", "shape": [1,1,1,1,1,1,1,1,1]')"
wrong "tensors[1].shape[1]: is 0" "$(tensor '"name": "w", "shape": [3, 0]')"
wrong "tensors[1].shape[0]: is -3" "$(tensor '"name": "w", "shape": [-3, 1]')"
wrong "tensors[1].shape[0]: is a number with a fraction" "$(tensor '"name": "w", "shape": [3.0]')"
wrong "tensors[1].shape[0]: is '3.0', but must be" "$(tensor '"name": "w", "shape": ["3.0"]')"
wrong "tensors[1] ('w'): " "$(tensor '"name": "w", "shape": [4294967296, 4294967296], "init": "zeros"')"
wrong "tensors[1]: needs an 'init'" "$(tensor '"name": "w", "shape": [3]')"
wrong "tensors[1].init: is an array" "$(tensor '"name": "w", "shape": [3], "init": []')"
wrong "tensors[1].init: " "$(tensor '"name": "w", "shape": [3], "init": "normal:sdt=1"')"
wrong "tensors[1] ('w'): " "$(tensor '"name": "w", "shape": [3], "init": "he_normal"')"
wrong "tensors[1].dtype: " "$(tensor '"name": "w", "shape": [3], "dtype": "f31", "init": "zeros"')"
wrong "tensors[1].layout: is a whole number" "$(tensor '"name": "w", "shape": [3], "layout": 3, "init": "zeros"')"
wrong "tensors[1] ('w'): layout" "$(tensor '"name": "w", "shape": [3], "layout": "OI", "init": "zeros"')"
wrong "tensors[1] ('w'): layout" "$(tensor '"name": "w", "shape": [3, 5], "layout": "WW", "init": "zeros"')"
wrong "tensors[1].groups: is 0" "$(tensor "$good, \"groups\": 0")"
wrong "tensors[1].groups: is a number with" "$(tensor "$good, \"groups\": 1.5")"
wrong "tensors[1].splits: is 4294967296" "$(tensor "$good, \"splits\": 4294967296")"
wrong "tensors[1] ('w'): groups" "$(tensor "$good, \"groups\": 2")"
wrong "tensors[1] ('w'): splits" "$(tensor "$good, \"splits\": 2")"
wrong "tensors[1]: unknown key 'lay\"out'" "$(tensor "$good, \"lay\\\"out\": 0")"

# repeat REPEAT: a file with one repetition.
repeat() {
  printf '{"defaults": {"init": "zeros"}, "tensors": [{"repeat": %s, "tensors": [{"name": "w{i}", "shape": [2]}]}]}' "$1"
}
wrong "tensors[0].repeat: is an array" "$(repeat '[0, 1]')"
wrong "tensors[0].repeat: has 0 variables" "$(repeat '{}')"
wrong "tensors[0].repeat: has 2 variables" "$(repeat '{"i": [0, 1], "j": [0, 1]}')"
wrong "tensors[0].repeat: 'I' is not a variable" "$(repeat '{"I": [0, 1]}')"
wrong "tensors[0].repeat: '' is not a variable" "$(repeat '{"": [0, 1]}')"
for range in 3 '[0]' '[0, 1, 2]' '{}'; do
  wrong "tensors[0].repeat: 'i' must be [first, last]" "$(repeat "{\"i\": $range}")"
done
wrong "tensors[0].repeat.i[1]: is a number with a fraction, but must be a whole number" "$(repeat '{"i": [0, 1.0]}')"
wrong "tensors[0].repeat.i[0]: is -1, but must be at least 0" "$(repeat '{"i": [-1, 0]}')"
for range in '[1, 0]' '[0, 1000000]' '[0, 9223372036854775807]'; do
  wrong "tensors[0].repeat: 'i' goes from" "$(repeat "{\"i\": $range}")"
done
wrong "tensors[0].tensors[0].name: nothing is called 'i' here" "$(repeat '{"j": [0, 1]}')"
wrong "tensors[0]: needs 'tensors'" '{"tensors": [{"repeat": {"i": [0, 1]}}]}'
wrong "tensors[0].tensors: is empty" '{"tensors": [{"repeat": {"i": [0, 999999]}, "tensors": []}]}'
wrong "tensors[0]: unknown key 'name'" '{"tensors": [{"repeat": {"i": [0, 1]}, "name": "w", "tensors": []}]}'
wrong "two tensors have the name 'w'" \
  '{"tensors": [{"repeat": {"i": [0, 1]}, "tensors": [{"name": "w", "shape": [2], "init": "zeros"}]}]}'
wrong "tensors[0].tensors[0].repeat: the variable 'i' is taken" '{"tensors": [{"repeat": {"i": [0, 1]}, "tensors": [
  {"repeat": {"i": [0, 1]}, "tensors": [{"name": "w{i}", "shape": [2], "init": "zeros"}]}]}]}'
wrong "tensors[0].tensors[0].tensors[0] ('w1000,0'): more than 1000000 tensors" \
  '{"tensors": [{"repeat": {"i": [0, 999999]}, "tensors": [{"repeat": {"j": [0, 999]}, "tensors": [
  {"name": "w{i},{j}", "shape": [2], "init": "zeros"}]}]}]}'
deep='{"name": "w", "shape": [1], "init": "zeros"}'
for i in {1..100}; do deep="{\"repeat\": {\"i$i\": [0, 0]}, \"tensors\": [$deep]}"; done
wrong "tensors: repetitions are nested too deeply" "{\"tensors\": [$deep]}"

# ---- What is right ----
cat >m.json <<'JSON'
{"name": "nested", "comment": "for the test", "defaults": {"dtype": "bf16", "init": "ones", "comment": "so"}, "tensors": [
  {"repeat": {"i": [3, 4]}, "comment": "outer", "tensors": [
    {"repeat": {"j_2": [0, 1]}, "tensors": [{"name": "{j_2}.w.{i}.{i}", "shape": [2]}]},
    {"name": "s{i}", "shape": [], "dtype": "f64", "comment": "a scalar"}]},
  {"name": "last", "shape": [6, 4], "layout": "OI", "groups": 2, "splits": 3, "init": "xavier_normal"}]}
JSON
"$FANIN" init m.json -o m.safetensors --seed 18446744073709551615
"$FANIN" inspect m.safetensors >/dev/null
if have_python; then
  python3 "$SRC/tests/cli/read_safetensors.py" m.safetensors >m.txt
  diff - m.txt <<'TEXT'
fanin.init.0.w.3.3 ones
fanin.init.0.w.4.4 ones
fanin.init.1.w.3.3 ones
fanin.init.1.w.4.4 ones
fanin.init.last xavier_normal
fanin.init.s3 ones
fanin.init.s4 ones
fanin.layout.last OI,groups=2,splits=3
fanin.model nested
fanin.seed 18446744073709551615
fanin.stream_version 1
0.w.3.3 BF16 [2] 803f803f
1.w.3.3 BF16 [2] 803f803f
s3 F64 [] 000000000000f03f
0.w.4.4 BF16 [2] 803f803f
1.w.4.4 BF16 [2] 803f803f
s4 F64 [] 000000000000f03f
last BF16 [6, 4]
tensors 7 parameters 34
TEXT
fi

# count FILE TENSORS PARAMETERS: what 'fanin init' says that it made.
count() {
  "$FANIN" init "$SRC/share/models/$1.json" --dtype f16 -o "$1.safetensors" | grep -F "$2 tensors, $3 parameters" >/dev/null ||
    die "$1: not $2 tensors with $3 parameters"
}
count lenet-300-100 6 266,610
count resnet50 161 25,557,032
count gpt2-124m 148 124,439,808

# Known names, shapes and initializers: those that a network's own code loads.
if have_python; then
  for model in lenet-300-100 resnet50 gpt2-124m; do
    python3 "$SRC/tests/cli/read_safetensors.py" "$model.safetensors" >"$model.txt"
  done
  for line in 'fanin.init.conv1.weight he_normal:mode=fan_out' 'fanin.layout.conv1.weight OIHW' \
    'fanin.init.bn1.weight ones' 'fanin.init.layer4.2.bn3.bias zeros' 'conv1.weight F16 [64, 3, 7, 7]' \
    'layer1.0.downsample.0.weight F16 [256, 64, 1, 1]' 'layer2.3.conv1.weight F16 [128, 512, 1, 1]' \
    'layer3.5.conv3.weight F16 [1024, 256, 1, 1]' 'layer4.0.downsample.0.weight F16 [2048, 1024, 1, 1]' \
    'layer4.2.conv2.weight F16 [512, 512, 3, 3]' 'fc.weight F16 [1000, 2048]' 'fc.bias F16 [1000]'; do
    grep -qxF "$line" resnet50.txt || die "resnet50: no '$line'"
  done
  for line in 'wte.weight F16 [50257, 768]' 'wpe.weight F16 [1024, 768]' 'h.0.attn.c_attn.weight F16 [768, 2304]' \
    'h.11.mlp.c_proj.weight F16 [3072, 768]' 'ln_f.bias F16 [768]' 'fanin.init.wte.weight normal:std=0.02' \
    'fanin.layout.h.3.attn.c_attn.weight IO,splits=3' 'fanin.init.h.3.attn.c_attn.weight normal:std=0.02' \
    'fanin.init.h.7.attn.c_proj.bias zeros' 'fanin.init.h.7.ln_2.weight ones'; do
    grep -qxF "$line" gpt2-124m.txt || die "gpt2-124m: no '$line'"
  done
  python3 - gpt2-124m.txt resnet50.txt <<'PYTHON'
import math, sys
notes = dict(line.split(' ', 1) for path in sys.argv[1:] for line in open(path) if line.startswith('fanin.init.'))
for layer in range(12):
    for part in 'attn', 'mlp':
        std = float(notes[f'fanin.init.h.{layer}.{part}.c_proj.weight'].split('=')[1])
        assert abs(std / (0.02 / math.sqrt(2 * 12)) - 1) < 1e-15, std
bound = float(notes['fanin.init.fc.bias'].split('hi=')[1])
assert abs(bound * math.sqrt(2048) - 1) < 1e-15, bound
slope = float(notes['fanin.init.fc.weight'].split('a=')[1])
assert notes['fanin.init.fc.weight'].startswith('he_uniform:') and abs(slope ** 2 - 5) < 1e-14, slope
PYTHON
fi
