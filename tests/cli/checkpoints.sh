#!/usr/bin/env bash
# 'fanin init --like': well-known models get what their reference implementations' code gives them, in one file or in the
# checkpoint's own; rules and checkpoints with mistakes are refused.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"
have_python || exit 0

lists=$SRC/tests/data/checkpoints
helper() {
  PYTHONDONTWRITEBYTECODE=1 python3 "$SRC/tests/cli/checkpoints.py" "$@"
}

# ---- Every tensor of every list has the reference's law; only headers are read, so that full sizes cost nothing ----
for pair in gpt2:gpt2 t5-small:t5 t5-v1_1-small:t5 resnet50:resnet vit:vit vit-torchvision:vit vit-timm:vit llama:llama \
  pytorch:pytorch; do
  list=$lists/${pair%:*}.csv
  helper make "$list" whole.safetensors
  "$FANIN" init --like whole.safetensors --rules "${pair#*:}" --explain --json | helper laws "$list" || die "$pair"
  rm whole.safetensors
done

# ---- And the values follow it: parts of the models that are quickly filled ----
# values LIST RULES PATTERN OPTION...
values() {
  local list=$lists/$1.csv rules=$2 pattern=$3
  shift 3
  helper make "$list" part.safetensors "$pattern"
  "$FANIN" init --like part.safetensors --rules "$rules" -o made.safetensors --seed 1 "$@" >said.txt
  "$FANIN" inspect made.safetensors --json | helper files "$list" || die "$rules, $pattern: $(cat said.txt)"
}
values pytorch pytorch '*'
grep -qE '^ *52 +1 +2,400 +normal +embedding\.weight +\*embed_in\.weight or \*embed_tokens\*\.weight or 11 others$' said.txt || die "$(cat said.txt)"
values gpt2 gpt2 'h.3.*' --set layers=12
values t5-small t5 '*coder.block.0.*' --set d_model=512
values resnet50 resnet 'layer1.*'

# ---- What the file says: the convention "format", and nothing of what the old weights were ----
"$FANIN" inspect made.safetensors --json >said.txt
said() {
  grep -qE -e "$1" said.txt || die "no '$1' in: $(cat said.txt)"
}
said '"format": "pt"'
said '"fanin.rules": "resnet"'
grep -q 'for weeks' said.txt && die "metadata about the old weights was kept"

# ---- Sharded: the same bits, in files of the same names beside the index ----
mkdir hub out
helper shards "$lists/vit.csv" hub 3 '*layer.*'
index=model.safetensors.index.json
"$FANIN" init --like hub/$index --rules vit -o one.safetensors --seed 9 >/dev/null
"$FANIN" init --like hub/$index --rules vit -o out/$index --seed 9 >/dev/null
[ "$(ls out)" = "$(ls hub)" ] || die "not the same files: $(ls out)"
PYTHONPATH=$SRC/tests/cli PYTHONDONTWRITEBYTECODE=1 python3 - <<'PYTHON'
import json
import read_safetensors
_, one = read_safetensors.read('one.safetensors')
index = json.load(open('out/model.safetensors.index.json'))
assert set(index['weight_map']) == set(one) and len(set(index['weight_map'].values())) == 3
assert index['metadata']['total_size'] == sum(len(entry['data']) for entry in one.values())
for shard in set(index['weight_map'].values()):
    for name, entry in read_safetensors.read('out/' + shard)[1].items():
        assert index['weight_map'].pop(name) == shard and entry['data'] == one[name]['data'], name
assert not index['weight_map']
PYTHON
refuse 2 "would overwrite the checkpoint" init --like hub/$index --rules vit -o hub/$index
refuse 2 "would overwrite the checkpoint" init --like hub/$index --rules vit -o hub/model-00002-of-00003.safetensors
ln -s "$PWD/hub" link
refuse 2 "would overwrite the checkpoint" init --like hub/$index --rules vit -o link/$index

# ---- A file that cannot be written: no index, not even the one from before, and the files before it are whole ----
rm out/model-00003-of-00003.safetensors
mkdir out/model-00003-of-00003.safetensors
cp out/model-00001-of-00003.safetensors first.safetensors
refuse 2 "model-00003-of-00003.safetensors: is a directory" init --like hub/$index --rules vit -o out/$index --seed 9
[ "$(ls -A out)" = $'model-00001-of-00003.safetensors\nmodel-00002-of-00003.safetensors\nmodel-00003-of-00003.safetensors' ] ||
  die "left: $(ls -A out)"
cmp first.safetensors out/model-00001-of-00003.safetensors || die "another file after a failure"
refuse 2 "No such file or directory" init --like hub/$index --rules vit -o none/$index

# ---- Integers, ties, values, conditions: a checkpoint and rules of our own ----
# checkpoint TENSOR...: x.safetensors of NAME:DTYPE:SHAPE:BYTES.
checkpoint() {
  local tensor name dtype shape bytes header='' end=0
  for tensor; do
    IFS=: read -r name dtype shape bytes <<<"$tensor"
    header+="${header:+,}\"$name\":{\"dtype\":\"$dtype\",\"shape\":[$shape],\"data_offsets\":[$end,$((end + bytes))]}"
    end=$((end + bytes))
  done
  header="{$header}"
  while [ $((${#header} % 8)) != 0 ]; do header+=' '; done
  printf '%b' "$(printf '\\x%02x' $((${#header} & 255)) $((${#header} >> 8)) 0 0 0 0 0 0)" >x.safetensors
  printf '%s' "$header" >>x.safetensors
  truncate -s +$end x.safetensors
}
checkpoint a.w:F32:6,400:9600 tied.w:F32:6,400:9600 steps:I64::8 ids:I32:3:12 half.w:F16:5:10 mask:BOOL:7:7 odd.w:BF16:3:6
cat >r.json <<'JSON'
{"values": {"n": {"count": "*.w"}, "rows": {"size": ["a.*", 0]}, "c": 0.5, "given": null},
 "rules": [
  {"match": "mask", "stored_dtype": ["U8", "BOOL"], "skip": "made by the code"},
  {"match": "*", "stored_dtype": ["I64", "I32"], "init": "zeros"},
  {"match": "tied.w", "same_as": "a.w"},
  {"match": "*.w", "shape": [6, null], "layout": "OI", "init": "he_normal", "scale": ["times:factor={c}", "residual:layers={n},branches={rows}"]},
  {"match": ["half.w", "none"], "rank": 1, "init": "constant:value={given}"},
  {"match": "*.w", "rank": 1, "init": "normal:std={n}"}]}
JSON
refuse 2 "the value 'given' must be given; give --set given=NUMBER" init --like x.safetensors --rules r.json -o y.safetensors
"$FANIN" init --like x.safetensors --rules r.json --set given=1.5 -o y.safetensors >/dev/null
"$FANIN" inspect y.safetensors >said.txt || die "a declared tie is a finding: $(cat said.txt)"
PYTHONPATH=$SRC/tests/cli PYTHONDONTWRITEBYTECODE=1 python3 - <<'PYTHON'
import read_safetensors
read_safetensors.SIZES |= {'I64': 8, 'I32': 4}
notes, tensors = read_safetensors.read('y.safetensors')
assert {name: t['dtype'] for name, t in tensors.items()} == {
    'steps': 'I64', 'a.w': 'F32', 'tied.w': 'F32', 'ids': 'I32', 'half.w': 'F16', 'odd.w': 'BF16'}, tensors
assert list(tensors)[0] == 'steps', 'larger elements are not first: readers want them aligned'
assert tensors['a.w']['data'] == tensors['tied.w']['data'] and notes['fanin.key.tied.w'] == 'a.w'
assert not any(tensors['steps']['data']) and not any(tensors['ids']['data'])
assert tensors['half.w']['data'] == b'\x00\x3e' * 5
assert notes['fanin.init.odd.w'] == 'normal:std=4'
# he_normal times 0.5 / sqrt(6 * 4): scale 2 / (4 * 24)
kind, scale = notes['fanin.init.a.w'].split('=')
assert kind == 'variance_scaling:scale' and abs(float(scale) * 48 - 1) < 1e-14, notes['fanin.init.a.w']
PYTHON
"$FANIN" init --like x.safetensors --rules r.json --set given=1.5 --set n=9 --dtype f64 --explain >said.txt
said '^tied\.w +6x400 +f64 +2 +OI +[0-9.]+ +as a\.w'
said '^steps +scalar +I64 +1 +0 +zeros'
said '^odd\.w +3 +f64 +5 +9 +normal:std=9'
said 'skipped: made by the code'

# ---- Mistakes ----
refuse 2 "x.safetensors: no rule of pytorch takes 7 of its 7 tensors: 'a.w'" init --like x.safetensors -o z.safetensors
sets=$(cd "$SRC/share/rules" && printf '%s\n' *.json | LC_ALL=C sort | sed 's/\.json$//' | paste -sd, | sed 's/,/, /g')
refuse 2 "no set of rules is called 'none'; there are $sets" init --like x.safetensors --rules none -o z.safetensors
refuse 2 "called 'lama', did you mean llama? There are $sets" init --like x.safetensors --rules lama -o z.safetensors
refuse 2 "none.json: cannot open" init --like x.safetensors --rules none.json -o z.safetensors
refuse 2 "none.safetensors: cannot open" init --like none.safetensors -o z.safetensors
refuse 2 "must end in .safetensors or" init --like r.json -o z.safetensors
refuse 2 "--set: rules r.json have no value 'gven', did you mean given? They have n, rows, c, given" init --like x.safetensors --rules r.json --set gven=2 --explain
refuse 2 "--set: rules r.json have no value 'layers'; they have n, rows, c, given" init --like x.safetensors --rules r.json --set layers=2 --explain
refuse 2 "write NAME=NUMBER" init --like x.safetensors --set layers -o z.safetensors
refuse 2 "give a finite number" init --like x.safetensors --set layers=x -o z.safetensors
refuse 2 "given twice" init --like x.safetensors --set n=1 --set n=2 -o z.safetensors
refuse 2 "go with --like" init --rules gpt2 "$SRC/share/models/gpt2-124m.json" -o z.safetensors
refuse 2 "--json goes with --explain" init --like x.safetensors --json -o z.safetensors
refuse 2 "not more than one of them" init --like x.safetensors "$SRC/share/models/gpt2-124m.json" -o z.safetensors
refuse 2 "no output is given; give -o FILE" init --like x.safetensors
refuse 2 "only --like writes several files" init "$SRC/share/models/gpt2-124m.json" -o z.safetensors.index.json
refuse 2 "is one file, so that the output is one" init --like x.safetensors --rules r.json -o z.safetensors.index.json
refuse 2 "would overwrite the checkpoint" init --like x.safetensors --rules r.json --set given=1 -o x.safetensors
refuse 2 "an npy file holds one tensor" init --like x.safetensors --rules r.json --set given=1 -o z.npy

# wrong WORD RULE [TEXT]: refused where a rule, or what goes before the rules, is wrong.
wrong() {
  printf '{%s"rules": [%s, {"match": "mask", "skip": "no"}, {"match": "*", "init": "zeros"}]}' "${3:-}" "$2" >w.json
  refuse 2 "$1" init --like x.safetensors --rules w.json -o z.safetensors
}
wrong "rules[0]: needs a 'match'" '{"init": "zeros"}'
wrong "rules[0]: needs an 'init', a 'same_as', a 'norm_of', a 'skip' or a 'refuse'" '{"match": "*"}'
wrong "and one of them only" '{"match": "*", "init": "zeros", "skip": "no"}'
wrong "rules[0]: unknown key 'std'" '{"match": "*", "init": "zeros", "std": 1}'
wrong "rules[0].match: is a whole number" '{"match": 1, "init": "zeros"}'
wrong "rules[0].match[1]: is null" '{"match": ["a", null], "init": "zeros"}'
wrong "rules[0].rank: is 9, but must be from 0 to 8" '{"match": "*", "rank": 9, "init": "zeros"}'
wrong "rules[0].shape[1]: is a text" '{"match": "*", "shape": [1, "x"], "init": "zeros"}'
wrong "rules[0].init: no initializer is called 'he_nrmal'" '{"match": "none", "init": "he_nrmal"}'
wrong "rules[0].fans_of: must be" '{"match": "*", "fans_of": ["bias"], "init": "zeros"}'
wrong "go with 'init' only" '{"match": "*", "same_as": "a.w", "layout": "OI"}'
wrong "values.n: must be a number" '{"match": "*", "init": "zeros"}' '"values": {"n": "x"}, '
wrong "values.n.size: must be [PATTERN, DIMENSION]" '{"match": "*", "init": "zeros"}' '"values": {"n": {"size": "a"}}, '
wrong "tensor 'a.w': rules w.json have no value 'm'" '{"match": "a.w", "init": "normal:std={m}"}'
for config in '1' '{}' '{"a": {}, "b": {}}' '{"a": {}}' '{"a": 1}' '{"a": {"x": "y"}}'; do
  wrong 'must be {KEY: {TEXT: NUMBER, ...}}' '{"match": "*", "init": "zeros"}' '"values": {"n": {"ask": "which?", "config": '"$config"'}}, '
done
wrong "values.n: must be a number" '{"match": "*", "init": "zeros"}' '"values": {"n": {"config": {"a": {"x": 1}}}}, '
wrong "the value 'n' cannot be read off" '{"match": "a.w", "init": "normal:std={n}"}' '"values": {"n": {"count": "b.*"}}, '
wrong "tensor 'a.w': he_normal needs a layout" '{"match": "a.w", "init": "he_normal"}'
wrong "tensor 'a.w': layout 'OIX,groups=0'" '{"match": "a.w", "layout": "OIX,groups=0", "init": "he_normal"}'
wrong "tensor 'a.w': no scheme is called 'none'" '{"match": "a.w", "init": "zeros", "scale": "none:x=1"}'
wrong "has a brace that does not belong to an {expression}" '{"match": "a.w", "init": "normal:std={"}'
wrong "tensor 'steps': has dtype I64, of which fanin writes zeros only" '{"match": "steps", "init": "ones"}'
wrong "tensor 'mask': has dtype BOOL, which fanin does not write; let a rule before this one skip it" '{"match": "mask", "init": "zeros"}'
wrong "does not have the shape of 'half.w'" '{"match": "a.w", "same_as": "half.w"}'
wrong "same_as 'steps', which no rule gives" '{"match": "a.w", "same_as": "steps"}'
for dtype in F8_E4M3FNUZ F4; do # not the library's: --dtype puts one in their place that is
  checkpoint "a.w:$dtype:6,400:$([ $dtype = F4 ] && echo 1200 || echo 2400)"
  wrong "tensor 'a.w': has dtype $dtype, which fanin does not write: give --dtype" '{"match": "a.w", "init": "ones"}'
  "$FANIN" init --like x.safetensors --rules w.json --dtype f8_e5m2 --explain >said.txt
  said '^a\.w +6x400 +f8_e5m2 +0 +0 +ones'
done
printf '{"rules": []}' >w.json
refuse 2 "needs 'rules'" init --like x.safetensors --rules w.json -o z.safetensors
printf '{"rules": [{"match": "*", "skip": "all"}]}' >w.json
refuse 2 "skip every tensor" init --like x.safetensors --rules w.json -o z.safetensors

# lists WORD JSON: an index that is refused.
index_is() {
  printf '%s' "$2" >hub/bad.safetensors.index.json
  refuse 2 "$1" init --like hub/bad.safetensors.index.json --rules vit -o z.safetensors
}
index_is "needs a 'weight_map'" '{}'
index_is "weight_map: is an array" '{"weight_map": []}'
index_is "weight_map: is empty" '{"weight_map": {}}'
index_is "weight_map.a: is null" '{"weight_map": {"a": null}}'
index_is "is not the name of a .safetensors file beside the index" '{"weight_map": {"a": "../x.safetensors"}}'
index_is "is not the name of a .safetensors file beside the index" '{"weight_map": {"a": "x.bin"}}'
index_is "none.safetensors: cannot open" '{"weight_map": {"a": "none.safetensors"}}'
index_is "but here missing" '{"weight_map": {"a": "model-00001-of-00003.safetensors"}}'
sed 's/"weight_map": {/&"more": "model-00001-of-00003.safetensors", /' hub/$index >hub/bad.json
index_is "tensor 'more' is not in model-00001-of-00003.safetensors" "$(cat hub/bad.json)"
sed 's/-00002-/-00003-/' hub/$index >hub/bad.json
index_is "is in model-00002-of-00003.safetensors, but here in model-00003-of-00003.safetensors" "$(cat hub/bad.json)"
