#!/usr/bin/env bash
# Tensors that have the norms of another one, in model files and rules: to the bit those of the values that are written,
# whatever made them; what has no norms is refused; and 'fanin inspect' knows.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"
# shellcheck disable=SC1091
. "$SRC/tests/cli/init.bash"
have_python numpy || exit 0

helper() {
  PYTHONDONTWRITEBYTECODE=1 python3 "$SRC/tests/cli/weight_norm.py" "$@"
}
# holds FILE ARGUMENT...: every tensor holds.
holds() {
  "$FANIN" inspect --require judged "$@" >said.txt 2>err.txt || die "fanin inspect $*: $(cat said.txt err.txt)"
}

fails() { # fails WORDS FILE ARGUMENT...
  local status=0
  "$FANIN" inspect "${@:2}" >said.txt 2>err.txt || status=$?
  [ "$status" = 1 ] || die "fanin inspect ${*:2}: status $status: $(cat said.txt err.txt)"
  said "$1"
}

# ---- Every dtype of both, every dimension, before and behind the other tensor; whatever draws it ----
cat >m.json <<'JSON'
{"values": {"n": 7},
 "defaults": {"init": "normal:std=0.3"},
 "tensors": [
  {"name": "first", "shape": [7, 1, 1], "norm_of": "f32"},
  {"repeat": {"i": [0, 1]}, "tensors": [
    {"name": "layer.{i}.weight_g", "shape": ["{n-2}", 1], "norm_of": "layer.{i}.weight_v"},
    {"name": "layer.{i}.weight_v", "shape": [5, 33], "layout": "OI", "dtype": "bf16", "init": "he_normal"}]},
  {"name": "f32", "shape": ["{n}", 3, 5]},
  {"name": "f32_1", "shape": [1, 3, 1], "dtype": "f16", "norm_of": "f32"},
  {"name": "f32_2", "shape": [1, 1, 5], "dtype": "bf16", "norm_of": "f32"},
  {"name": "f32_02", "shape": [7, 1, 5], "dtype": "f64", "norm_of": "f32"},
  {"name": "f32_01", "shape": [7, 3, 1], "dtype": "f8_e4m3", "norm_of": "f32"},
  {"name": "f32_rows", "shape": [7], "norm_of": "f32"}, {"name": "parts_rows", "shape": [12], "dtype": "f64", "norm_of": "parts"},
  {"name": "f32_all", "shape": [], "dtype": "f32", "norm_of": "f32"},
  {"name": "f16", "shape": [11, 13], "dtype": "f16"}, {"name": "f16_g", "shape": [11, 1], "norm_of": "f16"},
  {"name": "f64", "shape": [11, 13], "dtype": "f64"}, {"name": "f64_g", "shape": [1, 13], "dtype": "f64", "norm_of": "f64"},
  {"name": "e4m3", "shape": [11, 13], "dtype": "f8_e4m3"}, {"name": "e4m3_g", "shape": [11, 1], "dtype": "f8_e4m3", "norm_of": "e4m3"},
  {"name": "e5m2", "shape": [11, 13], "dtype": "f8_e5m2"}, {"name": "e5m2_g", "shape": [1, 13], "dtype": "f8_e5m2", "norm_of": "e5m2"},
  {"name": "ortho", "shape": [24, 40], "layout": "OI", "init": "orthogonal:gain=3"}, {"name": "ortho_g", "shape": [1, 40], "norm_of": "ortho"},
  {"name": "sparse", "shape": [24, 40], "layout": "OI", "init": "sparse:sparsity=0.5"}, {"name": "sparse_g", "shape": [24, 1], "norm_of": "sparse"},
  {"name": "parts", "shape": [12, 10], "parts": [{"range": "1/4..2/4", "init": "ones"}, {"range": "-1", "init": "zeros"}]},
  {"name": "parts_g", "shape": [12, 1], "norm_of": "parts"},
  {"name": "eight", "shape": [2, 3, 1, 2, 1, 5, 2, 3]}, {"name": "eight_g", "shape": [1, 3, 1, 1, 1, 5, 1, 3], "norm_of": "eight"}]}
JSON
init m.json -o m.safetensors
for pair in first:f32 layer.0.weight_g:layer.0.weight_v layer.1.weight_g:layer.1.weight_v f32_1:f32 f32_2:f32 f32_02:f32 f32_01:f32 f32_all:f32 f32_rows:f32 parts_rows:parts \
  f16_g:f16 f64_g:f64 e4m3_g:e4m3 e5m2_g:e5m2 ortho_g:ortho sparse_g:sparse parts_g:parts eight_g:eight; do
  helper norms m.safetensors "${pair%:*}" "${pair#*:}"
done
holds m.safetensors
# What is drawn has the bits that it has without, in other files, and with one dtype for all.
python3 -c '
import json
m = json.load(open("m.json"))
m["tensors"] = [t for t in m["tensors"] if "norm_of" not in t]
m["tensors"][0]["tensors"] = [t for t in m["tensors"][0]["tensors"] if "norm_of" not in t]
json.dump(m, open("plain.json", "w"))'
init plain.json -o plain.safetensors
kept same plain.safetensors m.safetensors
init m.json --dtype bf16 -o bf16.safetensors
helper norms bf16.safetensors f32_02 f32
helper norms bf16.safetensors f64_g f64
init m.json --explain
said '^f32_02 +7x1x5 +f64 +- +norm of f32$'
init m.json --explain --json
python3 - <<'PYTHON'
import json
t = {entry['name']: entry for entry in json.load(open('said.txt'))['tensors']}
assert t['f32_02'] == {'name': 'f32_02', 'dtype': 'f64', 'shape': [7, 1, 5], 'norm_of': 'f32'}, t['f32_02']
PYTHON

# ---- More than memory has at once: pieces end within rows ----
cat >large.json <<'JSON'
{"tensors": [{"name": "g", "shape": [3001, 1], "norm_of": "v"}, {"name": "v", "shape": [3001, 6007], "init": "normal"},
             {"name": "h", "shape": [1, 6007], "dtype": "f64", "norm_of": "v"}]}
JSON
init large.json -o large.safetensors
helper norms large.safetensors g v
helper norms large.safetensors h v
# Copied ones pass through memory in pieces, too.
printf '{"tensors": [{"name": "h", "shape": [1, 6007], "norm_of": "v"}, {"name": "v", "shape": [3001, 6007], "init": "zeros"}, {"name": "g", "shape": [3001, 1], "norm_of": "v"}]}' >copied.json
printf 'v F32 3001x6007\n' | kept make v.safetensors v
init copied.json --keep v.safetensors -o copied.safetensors
said '^kept: [0-9.]+ MB; 1 tensor copied, 0 resized, 2 drawn; 9,008 elements drawn$'
helper norms copied.safetensors g v v.safetensors
helper norms copied.safetensors h v v.safetensors
rm large.safetensors copied.safetensors v.safetensors

# ---- By rules: one file, several, and what is kept ----
list=$'c.weight_g F32 6x1x1\nc.weight_v F32 6x4x3\nc.bias F32 6\nl.parametrizations.weight.original0 BF16 8x1\nl.parametrizations.weight.original1 BF16 8x20'
cat >r.json <<'JSON'
{"rules": [{"match": "*weight_g", "norm_of": ["weight_g", "weight_v"], "dtype": "f64"}, {"match": "*original0", "norm_of": ["original0", "original1"]},
           {"match": "*bias", "init": "zeros"}, {"match": "*", "init": "normal"}]}
JSON
kept make like.safetensors like <<<"$list"
init --like like.safetensors --rules r.json -o out.safetensors
helper norms out.safetensors c.weight_g c.weight_v
helper norms out.safetensors l.parametrizations.weight.original0 l.parametrizations.weight.original1
said '^ +0 +1 +6 +norm of c\.weight_v +c\.weight_g +\*weight_g$'
init --like like.safetensors --rules r.json --dtype f16 -o out16.safetensors
helper norms out16.safetensors c.weight_g c.weight_v
init --like like.safetensors --rules r.json --explain
said '^c\.weight_g +6x1x1 +f64 +0 +- +norm of c\.weight_v$'
# The same rule as an option, to the bit. It goes before those of the set, which refuses a shape that torch has not, and
# the last FROM of a name is replaced.
init --like like.safetensors --rules r.json --rule '*original0=norm_of:original0->original1' --rule '*.WEIGHT_G=norm_of:_g->_v' --dtype f64 -o option.safetensors
helper norms option.safetensors c.weight_g c.weight_v
helper norms option.safetensors l.parametrizations.weight.original0 l.parametrizations.weight.original1
said "^ +1 +1 +6 +norm of c\\.weight_v +c\\.weight_g +\\*.WEIGHT_G$"
printf 'a_g.w_g F32 6x1x3\na_g.w_v F32 6x4x3\n' | kept make last.safetensors last
init --like last.safetensors --rules r.json --rule 'a_g.w_g=norm_of:_g->_v' -o option.safetensors
helper norms option.safetensors a_g.w_g a_g.w_v
holds option.safetensors
option() { # option WORDS PATTERN=...
  refuse 2 "$1" init --like like.safetensors --rules r.json --rule "$2" -o z.safetensors
}
for text in norm_of: norm_of:weight_v 'norm_of:->weight_v' norm_of:weight_g-weight_v; do
  option "--rule 'c.weight_g=$text': write PATTERN=norm_of:FROM->TO, as in '*.weight_g=norm_of:weight_g->weight_v'" "c.weight_g=$text"
done
option "--rule 'c.weight_g=OI:norm_of:_g->_v': a layout goes with an initializer only" 'c.weight_g=OI:norm_of:_g->_v'
option "--rule: the text is not valid UTF-8" $'c.weight_g=norm_of:_g->\xff'
option "--rule 'c.weight_g=times:factor=2 norm_of:_g->_v': no initializer is called 'norm_of'" 'c.weight_g=times:factor=2 norm_of:_g->_v'
option "--rule 'c.weight_g=norm_of:_g->_w', tensor 'c.weight_g': has the norms of 'c.weight_w', which is not in like.safetensors: give the index" 'c.weight_g=norm_of:_g->_w'
option "--rule 'c.weight_v=norm_of:weight_v->bias', tensor 'c.weight_v': has the shape 6x4x3, which norms of 'c.bias' of shape 6 cannot have" 'c.weight_v=norm_of:weight_v->bias'
option "tensor 'c.weight_g': norm_of 'c.weight_g': that tensor has norms itself" 'c.weight_g=norm_of:_g->_g'
"$FANIN" init --like like.safetensors --rules r.json --rule 'c.weight_g=norm_of:_v->_g' --explain >said.txt 2>err.txt
grep -q "warning: --rule 'c.weight_g=norm_of:_v->_g' takes nothing" err.txt || die "$(cat err.txt)"
mkdir in out
index=model.safetensors.index.json
kept shards in like <<<"$list" # a tensor and its norms are in different files
init --like in/$index --rules r.json -o out/$index
helper norms out/model-00001-of-00002.safetensors c.weight_g c.weight_v out/model-00002-of-00002.safetensors
for k in 1 2; do
  kept same out/model-0000$k-of-00002.safetensors out.safetensors
done
holds out/$index
printf 'c.weight_v F32 6x4x3\n' | kept make v.safetensors v
init --like like.safetensors --rules r.json --keep v.safetensors -o kept.safetensors
helper norms kept.safetensors c.weight_g c.weight_v v.safetensors
printf 'c.weight_g F32 6x1x1\n' | kept make g.safetensors g # trained norms stay
init --like like.safetensors --rules r.json --keep g.safetensors -o trained.safetensors --rule 'c.weight_g=zeros' --dtype f32
kept same g.safetensors trained.safetensors
kept note trained.safetensors fanin.norm_of.c.weight_g
kept note trained.safetensors fanin.kept.c.weight_g g.safetensors
printf 'c.weight_v F32 6x4x3\nc.weight_g F32 6x1x1\n' | kept make both.safetensors both
init --like like.safetensors --rules r.json --keep both.safetensors --skip 'l.*' -o both-out.safetensors
kept same both.safetensors both-out.safetensors

# ---- The set pytorch: what it takes is in models.sh, and this it refuses ----
no() { # no WORDS < LIST
  kept make no.safetensors no
  refuse 2 "$1" init --like no.safetensors --explain
  refuse 2 "$1" init --like no.safetensors -o z.safetensors
}
no "tensor 'c.weight_g': has the norms of 'c.weight_v', which is not in no.safetensors: give the index" <<<'c.weight_g F32 6x1x1'
no "no rule of pytorch takes 1 of its 1 tensors: 'c.weight_v'" <<<'c.weight_v F32 6x4'
no "has the shape 6x1x1, which norms of 'c.weight_v' of shape 5x4x3 cannot have" <<<$'c.weight_g F32 6x1x1\nc.weight_v F32 5x4x3'
no "has the shape 6x1, which norms of 'c.weight_v' of shape 6x4x3 cannot have" <<<$'c.weight_g F32 6x1\nc.weight_v F32 6x4x3'
no "does not have the shape that torch's weight normalization gives norms" <<<$'c.weight_g F32 6x4\nc.weight_v F32 6x4'
no "does not have the shape that torch's" <<<$'c.parametrizations.weight.original0 F32 6x4\nc.parametrizations.weight.original1 F32 6x4'
no "may be of a Conv1d with weight normalization, with layout OIW, or of a Bilinear" <<<$'mix.weight_g F32 6x1x1\nmix.weight_v F32 6x4x3'
no "may be of an Embedding with weight normalization" <<<$'emb.weight_g F32 6x1\nemb.weight_v F32 6x4'
no "DINO and iBOT fill the norms of their last layer with ones" <<<$'head.last_layer.weight_g F32 6x1\nhead.last_layer.weight_v F32 6x4'
no "'sn.weight_u', 'sn.weight_v'" <<<$'sn.weight_orig F32 6x4\nsn.weight_u F32 6\nsn.weight_v F32 4'
no "has dtype I64, of which no norm can be" <<<$'c.weight_g I64 6x1\nc.weight_v F32 6x4'
no "tensor 'l.bias_hh_l0': follows the fans of 'l.weight_hh_l0'" <<<$'l.weight_hh_l0_g F32 80x1\nl.weight_hh_l0_v F32 80x20\nl.bias_hh_l0 F32 80'

# ---- DoRA: norms of rows as a vector, of what is drawn and of what is kept ----
printf '%s\n' 'q.weight F32 5x12' 'q.weight_m_wdecomp.weight F32 5x1' 'q.magnitude BF16 5' 'q.lora_a.weight F32 2x12' 'q.lora_b.weight F32 5x2' | kept make dora.safetensors dora
printf 'q.weight F32 5x12\n' | kept make base.safetensors base
rows=(--rule '*.weight_m_wdecomp.weight=norm_of:weight_m_wdecomp.weight->weight' --rule '*.magnitude=norm_of:magnitude->weight')
init --like dora.safetensors "${rows[@]}" -o drawn.safetensors
init --like dora.safetensors "${rows[@]}" --keep base.safetensors -o frozen.safetensors
for m in q.weight_m_wdecomp.weight q.magnitude; do
  helper norms drawn.safetensors $m q.weight
  helper norms frozen.safetensors $m q.weight base.safetensors
done
holds drawn.safetensors
printf '%s\n' 'p.q.base_layer.weight F32 12x12' 'p.q.lora_A.default.weight F32 2x12' 'p.q.lora_B.default.weight F32 12x2' 'p.q.lora_magnitude_vector.default.weight F32 12' | kept make peft.safetensors peft
init --like peft.safetensors -o drawn.safetensors
helper norms drawn.safetensors p.q.lora_magnitude_vector.default.weight p.q.base_layer.weight
holds drawn.safetensors
helper flip drawn.safetensors flipped.safetensors p.q.lora_magnitude_vector.default.weight
fails '^p\.q\.lora_magnitude_vector\.default\.weight .* fails: exact +norm of p\.q\.base_layer\.weight$' flipped.safetensors
no "has the norms of 'p.q.base_layer.weight', which is not in no.safetensors: give the index" <<<'p.q.lora_magnitude_vector.default.weight F32 12'
no "They are made of a matrix called base_layer.weight, for an adapter called default" <<<$'p.q.lora_magnitude_vector.other.weight F32 12\np.q.base_layer.weight F32 12x12'
no "DoRA has the norms of an embedding's columns there" <<<$'e.lora_magnitude_vector.default.weight F32 8\ne.lora_embedding_A.default F32 2x8\ne.base_layer.weight F32 8x8'
no "GPT-2's Conv1D stores (in, out)" <<<$'c_proj.lora_magnitude_vector.default.weight F32 8\nc_proj.base_layer.weight F32 8x8\nh.c_attn.weight F32 8x24'
no "has the shape 8, which norms of 'p.q.base_layer.weight' of shape 12x8 cannot have" <<<$'p.q.lora_magnitude_vector.default.weight F32 8\np.q.base_layer.weight F32 12x8'

# ---- Refused: files of rules and of models ----
printf 'a F32 3\nb F32 3\n' | kept make ab.safetensors ab
rules() { # rules WORDS RULE
  echo "{\"rules\": [$2, {\"match\": \"*\", \"init\": \"zeros\"}]}" >bad.json
  refuse 2 "$1" init --like ab.safetensors --rules bad.json -o z.safetensors
}
rules "rules[0].norm_of: must be [\"a part of the name\"" '{"match": "a", "norm_of": "b"}'
rules "needs an 'init', a 'same_as', a 'norm_of', a 'skip' or a 'refuse', and one of them only" '{"match": "a", "norm_of": ["a", "b"], "init": "zeros"}'
rules "layout, scale, fans_of and parts go with 'init' only" '{"match": "a", "norm_of": ["a", "b"], "layout": "O"}'
rules "tensor 'a': norm_of 'a': that tensor has norms itself" '{"match": "a", "norm_of": ["a", "a"]}'
rules "rules[1], tensor 'b': same_as 'a', which no rule gives an initializer" '{"match": "a", "norm_of": ["a", "b"]}, {"match": "b", "same_as": "a"}'
rules "rules[0].shape[1][0]: is a text; a size is accepted" '{"match": "a", "shape": [[3], ["3"]], "init": "zeros"}'
echo '{"rules": [{"match": "a", "norm_of": ["a", "b"]}, {"match": "b", "skip": "none"}]}' >bad.json
refuse 2 "tensor 'a': norm_of 'b': no tensor that is written has this name" init --like ab.safetensors --rules bad.json -o z.safetensors
model() { # model WORDS TENSOR... ARGUMENT...: of the tensor g, beside v of 6 x 4 and i
  echo "{\"defaults\": {\"init\": \"normal\"}, \"tensors\": [$2, {\"name\": \"v\", \"shape\": [6, 4]}]}" >bad.json
  refuse 2 "$1" init bad.json -o z.safetensors "${@:3}"
  refuse 2 "$1" init bad.json --explain "${@:3}"
}
model "bad.json: tensor 'g': norm_of 'w': no tensor that is written has this name" '{"name": "g", "shape": [6, 1], "norm_of": "w"}'
model "tensor 'g' of shape 4x1: norm_of 'v', which has the shape 6x4; an extent of 1 in each dimension that is summed over" '{"name": "g", "shape": [4, 1], "norm_of": "v"}'
model "tensor 'g' of shape 4: norm_of 'v', which has the shape 6x4; an extent of 1" '{"name": "g", "shape": [4], "norm_of": "v"}'
model "tensor 'g' of shape 1x6: norm_of 'v', which has the shape 6x4" '{"name": "g", "shape": [1, 6], "norm_of": "v"}'
model "tensor 'g': norm_of 'g': that tensor has norms itself" '{"name": "g", "shape": [6, 1], "norm_of": "g"}'
for key in '"init": "zeros"' '"layout": "OI"' '"groups": 2' '"splits": 1' '"parts": [{"range": "0", "init": "zeros"}]'; do
  model "tensors[0]: has '$(cut -d '"' -f 2 <<<"$key")' beside 'norm_of', which goes with an initializer only" "{\"name\": \"g\", \"shape\": [6, 1], \"norm_of\": \"v\", $key}"
done
model "tensors[0].norm_of: is a whole number, but must be a text" '{"name": "g", "shape": [6, 1], "norm_of": 3}'
refuse 2 "norm_of makes at most 16777216 norms of a tensor; these are 16777217" init <(echo '{"tensors": [{"name": "g", "shape": [16777217, 1], "norm_of": "v"},
  {"name": "v", "shape": [16777217, 1], "init": "zeros"}]}') -o z.safetensors

# ---- Refused: what grows, and numbers that a norm cannot have ----
grow=(--like like.safetensors --rules r.json --keep both.safetensors --skip 'l.*')
refuse 2 "tensor 'c.weight_g': norm_of 'c.weight_v': that tensor grows" \
  init "${grow[@]:0:4}" --keep v.safetensors --skip 'l.*' --resize 'c.weight_v:1:4->5' -o z.safetensors
refuse 2 "tensor 'c.weight_g': norm_of 'c.weight_v': this tensor grows" init "${grow[@]}" --resize 'c.weight_?:0:6->7' -o z.safetensors
printf 'c.weight_v I32 6x4x3\n' | kept make integers.safetensors integers
printf 'c.weight_v I32 6x4x3\nc.weight_g F32 6x1x1\n' | kept make integers-like.safetensors integers
refuse 2 "tensor 'c.weight_g': norm_of 'c.weight_v': that tensor has no floating-point numbers" \
  init --like integers-like.safetensors --rules r.json --keep integers.safetensors -o z.safetensors
echo '{"rules": [{"match": "*g", "norm_of": ["weight_g", "weight_v"]}, {"match": "*", "init": "zeros"}]}' >zeros.json
refuse 2 "tensor 'c.weight_g': norm_of 'c.weight_v': that tensor has no floating-point numbers" \
  init --like integers-like.safetensors --rules zeros.json -o z.safetensors
echo '{"tensors": [{"name": "v", "shape": [2, 3], "dtype": "f64", "init": "constant:value=1e200"}, {"name": "g", "shape": [2, 1], "norm_of": "v"}]}' >over.json
refuse 2 "tensor 'g': the norm number 0 of 'v' is inf, which f32 cannot hold" init over.json -o z.safetensors
sed 's/"f64", "init": "constant:value=1e200"/"f32", "init": "constant:value=50000"/; s/"norm_of"/"dtype": "f16", "norm_of"/' over.json >over16.json
refuse 2 "tensor 'g': the norm number 0 of 'v' is 86602.5, which f16 cannot hold" init over16.json -o z.safetensors
printf 'v F32 2x3 4=nan\n' | PYTHONDONTWRITEBYTECODE=1 python3 "$SRC/tests/cli/around_mean.py" make nan.safetensors nan
sed 's/f64/f32/; s/1e200/1/' over.json >nan.json
refuse 2 "tensor 'g': the norm number 1 of 'v' is nan, which f32 cannot hold" init nan.json --keep nan.safetensors -o z.safetensors
# Whole or not at all.
SHIM_BUFFER=1 FANIN=$SHIMMED refuse 3 clCreateBuffer init m.json -o z.safetensors
SHIM_DISK=1000000 FANIN=$SHIMMED refuse 2 "No space left on device" init large.json -o z.safetensors

# ---- 'fanin inspect' ----
helper flip m.safetensors flipped.safetensors first
fails '^first .* fails: exact +norm of f32$' flipped.safetensors
said "^FAILS: 31 of 32 tensors and parts hold, 1 fails?, 0 are not judged"
helper times m.safetensors scaled.safetensors f32 -1.5 # its norms are no more these
fails '^f32_01 .* fails: exact' scaled.safetensors
python3 - <<'PYTHON'
import sys
sys.dont_write_bytecode = True
import os
sys.path.insert(0, os.environ["SRC"] + "/tests/cli")
import keep
notes, tensors = keep.read("m.safetensors")
keep.write_bytes("alone.safetensors", [("first", *tensors["first"])], notes)
notes["fanin.norm_of.first"] = "f16"
keep.write_bytes("other.safetensors", [(n, *t) for n, t in tensors.items()], notes)
PYTHON
"$FANIN" inspect alone.safetensors >said.txt
said '^note: first: not judged: it should have the norms of f32, which is not here$'
"$FANIN" inspect other.safetensors >said.txt
said '^note: first: not judged: it should have the norms of f16, which has no numbers of such a shape$'
# By rules and by a model file: others sum up in f32, and are right within that.
printf '%s\n' 'conv.weight F32 64x50x7' 'l.weight BF16 32x1000' 'w.weight F32 20x30' 'p.conv.weight F32 16x8x5' |
  helper normed normed.safetensors 64x1x1 32x1 '' 1x1x5
"$FANIN" inspect normed.safetensors --rules pytorch --json >said.json || true
python3 - <<'PYTHON'
import json
t = {entry['name']: entry for entry in json.load(open('said.json'))['tensors']}
for name in ('conv', 'l', 'w', 'p.conv'):
    one = t[name + '.weight_g']
    assert (one['answer'], one['init'], one['by']) == ('holds', f'norm of {name}.weight_v', 'rules'), one
    assert t[name + '.weight_v']['answer'] == 'fails'  # they are normals with a std of 1
PYTHON
helper times normed.safetensors doubled.safetensors conv.weight_g 1.001
fails '^conv\.weight_g .* fails: exact +norm of conv\.weight_v \(rules\)$' doubled.safetensors --rules pytorch
printf '{"tensors": [{"name": "w.weight_g", "shape": [], "norm_of": "w.weight_v"}, {"name": "w.weight_v", "shape": [20, 30], "init": "normal"}]}' >like.json
"$FANIN" inspect normed.safetensors --like like.json >said.txt
said '^w\.weight_g .* holds +norm of w\.weight_v \(like\)$'
# Calibration changes matrices, and what the file says of their norms is no more so.
printf '{"tensors": [{"name": "l.weight_v", "shape": [10, 64], "layout": "OI", "init": "he_normal"}, {"name": "l.weight_g", "shape": [10, 1], "norm_of": "l.weight_v"}]}' >probe.json
init probe.json -o probe.safetensors
kept note probe.safetensors fanin.norm_of.l.weight_g l.weight_v
"$FANIN" probe --weights probe.safetensors --layer-names l.weight_v --activation tanh --input "$SRC/share/data/digits.csv" --batch 60 --calibrate -o calibrated.safetensors >said.txt
kept note calibrated.safetensors fanin.norm_of.l.weight_g

[ ! -e z.safetensors ] || die "z.safetensors was written"
[ -z "$(find . -name '*.fanin-*')" ] || die "left: $(find . -name '*.fanin-*')"
