#!/usr/bin/env bash
# Rules never take a tensor in silence that they know nothing of: what users' own cases were, with the right value or the
# right refusal of each. models.sh has whole models, checkpoints.sh how rules and files are read.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"
have_python || exit 0

# checkpoint NAME DTYPE SHAPE, a line each on standard input: x.safetensors, or the file that is named.
checkpoint() {
  python3 - "${1:-x.safetensors}" "$(cat)" <<'PYTHON'
import json, math, struct, sys
size = {'F32': 4, 'I64': 8, 'F16': 2, 'BF16': 2, 'BOOL': 1}
header, at = {}, 0
for line in sys.argv[2].splitlines():
    name, dtype, *shape = line.split()
    shape = [int(d) for d in shape[0].split(',')] if shape else []
    end = at + size[dtype] * math.prod(shape)
    header[name] = {'dtype': dtype, 'shape': shape, 'data_offsets': [at, end]}
    at = end
text = json.dumps(header).encode()
with open(sys.argv[1], 'wb') as out:
    out.write(struct.pack('<Q', len(text)) + text)
    out.truncate(8 + len(text) + at)
PYTHON
}
# is NAME DTYPE STD [MEAN]: what 'explain', kept in said.json, says of a tensor, to six digits.
explain() { "$FANIN" init --like x.safetensors --explain --json "$@" >said.json 2>warned.txt; }
is() {
  python3 - "$@" <<'PYTHON'
import json, sys
name, dtype, std, mean = (*sys.argv[1:], '0')[:4]
t = {t['name']: t for t in json.load(open('said.json'))['tensors']}[name]
near = lambda x, y: x is not None and abs(x - float(y)) <= 1e-6 * abs(float(y))
assert t['dtype'] == dtype and near(t['std'], std) and near(t['mean'], mean), t
PYTHON
}
no() { refuse 2 "$1" init --like x.safetensors --explain "${@:2}" && refuse 2 "$1" init --like x.safetensors -o y.safetensors "${@:2}"; }

# ---- A count that a part of a checkpoint falsifies ----
layers() { for i in $(seq "$1" "$2"); do printf 'h.%d.attn.c_attn.weight F32 8,24\nh.%d.attn.c_proj.weight F32 8,8\n' "$i" "$i"; done; }
ends=$'wte.weight F32 50,8\nln_f.weight F32 8'
(layers 0 11 && echo "$ends") | checkpoint
explain --rules gpt2
is h.3.attn.c_proj.weight f32 0.004082482904638631
is h.3.attn.c_attn.weight f32 0.02
layers 6 11 | checkpoint
no "'layers' would be 6, counted from names, but number 0 is missing and later ones are there" --rules gpt2
no "give --set layers=NUMBER" --rules gpt2
explain --rules gpt2 --set layers=12
is h.7.attn.c_proj.weight f32 0.004082482904638631
(layers 6 11 && echo "$ends") | checkpoint
no "number 0 is missing" --rules gpt2
(layers 0 2 && layers 4 7 && echo "$ends") | checkpoint
no "number 3 is missing" --rules gpt2
layers 0 5 | checkpoint
no "but no tensor is called *wte*" --rules gpt2
(layers 0 5 && echo "$ends") | checkpoint
cp x.safetensors model-00001-of-00002.safetensors
refuse 2 "the file's name says that it is one of several" init --like model-00001-of-00002.safetensors --rules gpt2 --explain
mkdir best-of-8
cp x.safetensors best-of-8/a-of-b.safetensors
"$FANIN" init --like best-of-8/a-of-b.safetensors --rules gpt2 --explain >/dev/null
printf '{"values": {"n": {"count": "*.w"}}, "rules": [{"match": "*.w", "init": "constant:value={n}"}]}' >r.json
printf 'block9.w F32 2\nblock8.w F32 2\n' | checkpoint
no "number 0 is missing" --rules r.json
printf 'a.w F32 2\nb.w F32 2\n' | checkpoint
explain --rules r.json
is a.w f32 0 2
printf 'enc.0.w F32 2\nenc.1.w F32 2\ndec.0.w F32 2\ndec.1.w F32 2\n' | checkpoint # numbers twice: no layers of one stack
explain --rules r.json
is enc.1.w f32 0 4
printf '{"values": {"n": {"size": ["*.w", 0]}}, "rules": [{"match": "*", "init": "constant:value={n}"}]}' >r.json
printf 'a.w F32 2\nb.w F32 3\n' | checkpoint
no "the value 'n' cannot be read off" --rules r.json

# ---- Norms: ones by name in either case, never by a catch-all; Gemma's are zeros ----
printf 'embeddings.LayerNorm.weight F32 48\nembeddings.LayerNorm.bias F32 48\nln_pre.weight F32 48\nstem.conv1.bn.weight F32 64\n' | checkpoint
explain --rules vit
for name in embeddings.LayerNorm.weight ln_pre.weight stem.conv1.bn.weight; do is $name f32 0 1; done
is embeddings.LayerNorm.bias f32 0
for set in pytorch resnet llama gemma bert gpt2 t5 vit; do
  printf 'scale.weight F32 48\n' | checkpoint
  no "'scale.weight'" --rules $set
done
no "may be the weight of a norm, which begins with ones, or of a PReLU"
printf 'model.layers.0.input_layernorm.weight F32 64\nmodel.layers.0.post_attention_layernorm.weight F32 64\nmodel.layers.0.self_attn.q_proj.weight F32 64,64\nmodel.embed_tokens.weight F32 256000,64\n' | checkpoint
no "whose norms begin with 0 (--rules gemma)" --rules llama
no "the value 'norm' must be given by --set norm=NUMBER" --rules pytorch
explain --rules gemma
is model.layers.0.input_layernorm.weight f32 0
explain --rules llama --set norm=1
is model.layers.0.input_layernorm.weight f32 0 1
# A config.json beside the checkpoint tells them apart; --set goes before it.
for of in llama:1 qwen2:1 granitemoe:1 gemma:0; do
  echo "{\"model_type\": \"${of%:*}\"}" >config.json
  for set in llama pytorch; do
    explain --rules $set
    is model.layers.0.input_layernorm.weight f32 0 ${of#*:}
  done
done
explain --rules llama --set norm=1
is model.layers.0.input_layernorm.weight f32 0 1
for text in '{"model_type": "unknown"}' '{"model_type": 1}' '[]' '{'; do
  echo "$text" >config.json
  no "the value 'norm' must be given by --set norm=NUMBER" --rules llama
done
rm config.json
# Qwen2 has biases but for o_proj, and Qwen3 norms of q and k, which Gemma 1 has not.
for more in self_attn.q_proj.bias self_attn.q_norm.weight; do
  printf 'model.layers.0.input_layernorm.weight F32 64\nmodel.layers.0.self_attn.q_proj.weight F32 64,64\nmodel.layers.0.%s F32 64\n' $more | checkpoint
  for set in llama pytorch; do
    explain --rules $set
    is model.layers.0.input_layernorm.weight f32 0 1
  done
done
printf 'model.layers.0.input_layernorm.weight F32 64\nmodel.layers.0.self_attn.q_proj.weight F32 64,64\nmodel.layers.0.self_attn.q_proj.bias F32 64\nmodel.layers.0.self_attn.o_proj.bias F32 64\n' | checkpoint
no "the value 'norm' must be given by --set norm=NUMBER" --rules llama
# DeepSeek-V3's files have a layer for the token after the next, which transformers' code has not.
printf 'model.layers.61.enorm.weight F32 64\nmodel.layers.61.eh_proj.weight F32 64,128\nlm_head.weight F32 100,64\n' | checkpoint
no "no rule of llama takes 1 of its 3 tensors: 'model.layers.61.eh_proj.weight'" --rules llama
explain --rules llama --skip '*.layers.61.*' --set std=0.006
is lm_head.weight f32 0.006
printf 'model.layers.0.pre_feedforward_layernorm.weight F32 64\nlm_head.weight F32 100,64\n' | checkpoint
no "give --rules gemma" --rules llama
no "give --rules gemma" --rules pytorch

# ---- What shape alone cannot tell ----
printf 'bil.weight F32 40,128,64\nbil.bias F32 40\nconv.weight F32 40,128,5\nconv.bias F32 40\n' | checkpoint
explain
is bil.weight f32 0.0510310363 # 1 / sqrt(3 * 128)
is bil.bias f32 0.0510310363
is conv.weight f32 0.0228217732 # 1 / sqrt(3 * 128 * 5)
is conv.bias f32 0.0228217732
printf 'mix.weight F32 40,128,64\n' | checkpoint
no "may be the weight of a Conv1d, with layout OIW, of a Bilinear, with layout OIB, or a stack, with layout BOI"
printf 'mix.bias F32 40\nmix.weight F32 40,128,64\n' | checkpoint
no "tensor 'mix.weight': may be the weight of a Conv1d"
printf '{"include": "pytorch", "rules": [{"match": "mix.weight", "layout": "BOI", "init": "pytorch_default"}]}' >r.json
printf 'mix.weight F32 40,128,64\nfc.weight F32 10,64\nfc.bias F32 10\n' | checkpoint
explain --rules r.json
is mix.weight f32 0.0721687836 # 1 / sqrt(3 * 64)
is fc.bias f32 0.0721687836
[ ! -s warned.txt ] || die "a rule that took something is reported: $(cat warned.txt)"
printf 'model.encoder.embed_positions.weight F32 1500,384\n' | checkpoint
no "a fixed table of sinusoids"
printf 'embed_out.weight F32 50304,512\nembed_vision.embedding_projection.weight F32 512,1024\ngpt_neox.embed_in.weight F32 50304,512\n' | checkpoint
explain
is embed_out.weight f32 0.0255155182
is embed_vision.embedding_projection.weight f32 0.0180421959
is gpt_neox.embed_in.weight f32 1
printf 'pos_embeds.weight F32 100,64\n' | checkpoint
no "may be the weight of an Embedding"
printf 'time_embed.0.weight F32 1280,320\ntime_embed.0.bias F32 1280\n' | checkpoint
explain
is time_embed.0.weight f32 0.0322748612
is time_embed.0.bias f32 0.0322748612
for a in base_model.model.q.lora_A.weight base_model.model.q.lora_A.default.weight; do
  printf '%s F32 8,64\n%s F32 48,8\n' $a ${a/lora_A/lora_B} | checkpoint
  explain
  is $a f32 0.0721687836 # he_uniform, a = sqrt(5)
  is ${a/lora_A/lora_B} f32 0
done

# ---- An LSTM with proj_size: its bound is that of the hidden size, which weight_hr alone has ----
lstm=$'%s.weight_ih_l0 F32 80,12\n%s.weight_hh_l0 F32 80,5\n%s.bias_ih_l0 F32 80\n'
{
  # shellcheck disable=SC2059 # a name in each line
  printf "$lstm" a a a
  printf 'a.weight_hr_l0 F32 5,20\nb.weight_ih_l0 F32 80,12\nb.weight_hh_l0 F32 80,20\nb.bias_ih_l0 F32 80\n'
} | checkpoint
explain
for name in {a,b}.weight_{ih,hh}_l0 {a,b}.bias_ih_l0 a.weight_hr_l0; do is "$name" f32 0.1290994449; done # 1 / sqrt(3 * 20)
# A part of a checkpoint without it is no LSTM of 5 hidden units.
# shellcheck disable=SC2059
printf "$lstm" a a a | checkpoint
no "tensor 'a.weight_hh_l0': has not 1, 3 or 4 rows for each column"
printf 'a.bias_ih_l0 F32 80\na.weight_hh_l0 F32 80,5\n' | checkpoint
no "whose weight_hr is not in this checkpoint"
for text in '[]' 4 '[0]' '["4"]'; do
  printf '{"rules": [{"match": "*", "ratio": %s, "init": "zeros"}]}' "$text" >r.json
  no "rules[0].ratio: must be an array of whole numbers of at least 1" --rules r.json
done

# ---- Biases follow their weight wherever it stands ----
for order in 'fc.weight F32 10,64\nfc.bias F32 10\n' 'fc.bias F32 10\nfc.weight F32 10,64\n'; do
  # shellcheck disable=SC2059 # its line ends
  printf "$order" | checkpoint
  explain
  is fc.bias f32 0.0721687836
done
printf 'fc.bias F32 10\n' | checkpoint
no "follows the fans of 'fc.weight', which is not in x.safetensors"
mkdir hub
printf 'fc.bias F32 10\n' | checkpoint hub/a.safetensors
printf 'fc.weight F32 10,64\n' | checkpoint hub/b.safetensors
printf '{"weight_map": {"fc.bias": "a.safetensors", "fc.weight": "b.safetensors"}}' >hub/m.safetensors.index.json
"$FANIN" init --like hub/m.safetensors.index.json --explain --json >said.json
is fc.bias f32 0.0721687836

# ---- Rules that take nothing are reported; sets of the command have rules for several models ----
printf '{"rules": [{"match": "*typo.weight", "init": "ones"}, {"match": "*", "init": "zeros"}, {"match": "fc.*", "init": "ones"}]}' >r.json
printf 'fc.weight F32 10,64\n' | checkpoint
explain --rules r.json
[ "$(cat warned.txt)" = "fanin: init: warning: rules r.json: rules[0] (*typo.weight) takes nothing: it matches no tensor
fanin: init: warning: rules r.json: rules[2] (fc.*) takes nothing: what it matches, other rules take" ] || die "$(cat warned.txt)"
python3 -c 'import json; assert json.load(open("said.json"))["unused_rules"] == [0, 2]'
"$FANIN" init --like x.safetensors --rules r.json -o y.safetensors 2>warned.txt >/dev/null
[ "$(wc -l <warned.txt)" = 2 ] || die "a run does not report them: $(cat warned.txt)"
explain
[ ! -s warned.txt ] || die "rules of a set are reported: $(cat warned.txt)"

# ---- Dtypes: a rule's own before --dtype, and values that it does not have, by the tensor's name ----
printf '{"rules": [{"match": "*norm*", "dtype": "f32", "init": "ones"}, {"match": "tied", "dtype": "f16", "same_as": "fc"}, {"match": "*", "init": "normal"}]}' >r.json
printf 'fc BF16 10,64\nnorm BF16 64\ntied BF16 10,64\n' | checkpoint
explain --rules r.json --dtype bf16
is fc bf16 1
is norm f32 0 1
is tied f16 1
explain --rules r.json
is norm f32 0 1
"$FANIN" init --like x.safetensors --rules r.json --dtype f64 -o y.safetensors >/dev/null
[ "$(python3 "$SRC/tests/cli/read_safetensors.py" y.safetensors | grep -o '^[a-z]* [BF][0-9F]*')" = $'fc F64\nnorm F32\ntied F16' ] ||
  die "$(python3 "$SRC/tests/cli/read_safetensors.py" y.safetensors)"
printf '{"rules": [{"match": "*", "dtype": "f31", "init": "zeros"}]}' >r.json
no "rules[0].dtype: " --rules r.json
printf '{"rules": [{"match": "*", "dtype": "f32", "skip": "why"}]}' >r.json
no "dtype goes with 'init', 'same_as' and 'norm_of' only" --rules r.json
printf '{"rules": [{"match": "*.masked_bias", "init": "constant:value=-1e9"}, {"match": "*", "init": "zeros"}]}' >r.json
printf 'a F16 4\nh.0.attn.masked_bias F16\n' | checkpoint
no "tensor 'h.0.attn.masked_bias': value = -1e+09 does not fit dtype f16" --rules r.json
printf '{"tensors": [{"name": "a", "shape": [4], "init": "zeros"}, {"name": "m", "shape": [4], "init": "constant:value=-1e9"}]}' >m.json
refuse 2 "m.json: tensor 'm': value = -1e+09 does not fit dtype f16" init m.json --dtype f16 -o y.safetensors
refuse 2 "--tensor 'm': value = 1e+09 does not fit dtype f16" init --tensor a:f32::4 --init zeros --tensor m:f16::4 --init constant:value=1e9 -o y.safetensors
refuse 3 "--tensor 's': sparse: a line has" init --tensor s:f32:OI:4294967297x1 --init sparse -o y.safetensors

# ---- A refusal of a file's own, conditions on other tensors, questions ----
printf '{"include": "pytorch", "values": {"std": {"ask": "0.02 for one, 0.01 for the other"}}, "rules": [
  {"match": "a", "with": "FC.*", "without": ["none", "no*ne"], "init": "zeros"}, {"match": "b", "with": "none", "init": "zeros"},
  {"match": "c", "without": "fc*", "init": "zeros"}, {"match": "d.x", "beside": ["x", "y"], "init": "zeros"},
  {"match": "[bc]", "init": "ones"}, {"match": "e", "refuse": "nobody knows"}, {"match": "f", "init": "normal:std={std}"}]}' >r.json
printf 'a F32 2\nb F32 2\nc F32 2\nd.x F32 2\nd.y F32 3,4\nfc.weight F32 10,64\n' | checkpoint
no "no rule of r.json takes 1 of its 6 tensors: 'd.y'" --rules r.json
printf 'a F32 2\nb F32 2\nc F32 2\nd.x F32 2\nd.y.weight F32 3,4\nfc.weight F32 10,64\n' | checkpoint
no "'d.x'" --rules r.json
printf 'a F32 2\nb F32 2\nc F32 2\nfc.weight F32 10,64\ne F32 2\n' | checkpoint
no "rules r.json: rules[5], tensor 'e': nobody knows" --rules r.json
printf 'a F32 2\nb F32 2\nc F32 2\nfc.weight F32 10,64\nf F32 2\n' | checkpoint
no "the value 'std' must be given by --set std=NUMBER: 0.02 for one, 0.01 for the other" --rules r.json
explain --rules r.json --set std=0.01
is a f32 0
is b f32 0 1
is c f32 0 1
is f f32 0.01
printf '{"include": "none", "rules": [{"match": "*", "init": "zeros"}]}' >r.json
no "no set of rules is called 'none'" --rules r.json
printf '{"include": "x.json", "rules": [{"match": "*", "init": "zeros"}]}' >r.json
no "the name of a set is accepted" --rules r.json

# ---- A tensor beside, with a number of dimensions ----
printf '{"rules": [{"match": "*.kernel", "beside": ["kernel", "bias", 2], "init": "constant:value=2"},
  {"match": "*.kernel", "beside": ["kernel", "bias", 1], "init": "ones"}, {"match": "*", "init": "zeros"}]}' >r.json
printf 'a.kernel F32 2,3\na.bias F32 3\nb.kernel F32 2,3\nb.bias F32 2,3\nc.kernel F32 2,3\nc.bias F32\nd.kernel F32 2,3\n' | checkpoint
explain --rules r.json
is a.kernel f32 0 1
is b.kernel f32 0 2
is c.kernel f32 0
is d.kernel f32 0
for three in '"kernel", "bias", -1' '"kernel", "bias", 9' '"kernel", "bias", "2"' '"kernel", "bias", null'; do
  printf '{"rules": [{"match": "*", "beside": [%s], "init": "zeros"}]}' "$three" >r.json
  no "rules[0].beside[2]: " --rules r.json
done
for other in '"kernel", 2, 2' '"", "bias", 2'; do
  printf '{"rules": [{"match": "*", "beside": [%s], "init": "zeros"}]}' "$other" >r.json
  no "rules[0].beside: must be " --rules r.json
done
for other in '"kernel", "bias", 2, 3' '"kernel"' ''; do
  printf '{"rules": [{"match": "*", "beside": [%s], "init": "zeros"}]}' "$other" >r.json
  no 'rules[0].beside: must be two texts, as ["kernel", "bias"], or two texts and a number of dimensions' --rules r.json
done
printf '{"rules": [{"match": "*", "fans_of": ["kernel", "bias", 2], "init": "zeros"}]}' >r.json
no "rules[0].fans_of: must be " --rules r.json

# ---- Keras and Flax: by the last part of the name, and only where names, shapes and what is beside them decide ----
printf 'lstm_cell/gru_cell/bias F32 12\nlstm_cell/gru_cell/recurrent_kernel F32 4,12\nlstm_cell/bias F32 8\nlstm_cell/kernel F32 4,8\n' | checkpoint
explain --rules keras # a model called lstm_cell, and a Dense layer
is lstm_cell/gru_cell/bias f32 0
is lstm_cell/bias f32 0
is lstm_cell/kernel f32 0.408248290 # sqrt(2 / 12)
printf 'lstm_cell/bias F32 16\nlstm_cell/recurrent_kernel F32 4,16\nlstm_cell/kernel F32 4,16\n' | checkpoint
explain --rules keras
is lstm_cell/bias f32 0.433012702 0.25 # a quarter of ones
printf 'conv_net/mix/kernel F32 4,5,6\n' | checkpoint
for set in keras flax; do no "'conv_net/mix/kernel'" --rules $set; done
printf 'dense/kernel F32 4,6\ndense/bias F32 6\ndense/my_kernel F32 4,6\n' | checkpoint
for set in keras flax; do no "no rule of $set takes 1 of its 3 tensors: 'dense/my_kernel'" --rules $set; done
printf 'norm/scale F32 4\nnorm/bias F32 4\n' | checkpoint
no "give --rules flax" --rules keras
printf 'a/scale F32 4\n' | checkpoint
for set in keras flax; do no "'a/scale': may be " --rules $set; done
printf 'hi/kernel F32 4,4\nii/kernel F32 6,4\nb/hi/kernel F32 4,4\n' | checkpoint
explain --rules flax # a recurrent cell alone, and a layer called hi
is hi/kernel f32 0.5
is ii/kernel f32 0.408248290
is b/hi/kernel f32 0.5
python3 -c 'import json; assert [t["init"][:6] for t in json.load(open("said.json"))["tensors"]] == ["orthog", "lecun_", "lecun_"]'
for sep in / .; do
  printf '%s F32 %s\n' "a${sep}query${sep}kernel" 3,6,6 "a${sep}out${sep}kernel" 3,6,6 "a${sep}out${sep}bias" 3,6 | checkpoint
  no "has a bias of several dimensions, and is stacked" --rules flax # an attention of Dense layers, by nn.scan
  printf '%s F32 %s\n' "ScanBlock_0${sep}conv${sep}kernel" 3,5,6,6 | checkpoint
  no "is stacked" --rules flax
done

# ---- Schemes wherever an initializer is written ----
printf '{"defaults": {"init": "residual:layers=4 normal:std=0.02"}, "tensors": [{"name": "a", "shape": [4, 2]},
  {"name": "b", "shape": [8, 9], "layout": "OI", "init": "fan_in  times:factor=6 normal:std=1"}]}' >m.json
"$FANIN" init m.json -o y.safetensors
python3 "$SRC/tests/cli/read_safetensors.py" y.safetensors >said.txt
grep -qx 'fanin.init.a normal:std=0.00707106781186547[0-9]*' said.txt || die "$(cat said.txt)"
grep -qx 'fanin.init.b normal:std=2' said.txt || die "$(cat said.txt)"
"$FANIN" init --tensor a:f32::4x2 --init 'residual:layers=8 normal:std=0.02' -o y.safetensors
python3 "$SRC/tests/cli/read_safetensors.py" y.safetensors >said.txt
grep -qx 'fanin.init.a normal:std=0.005' said.txt || die "no scheme of --init: $(cat said.txt)"
printf '{"rules": [{"match": "*", "layout": "OI", "scale": "times:factor=2", "init": "fan_in normal:std=1"}]}' >r.json
printf 'fc.weight F32 10,64\n' | checkpoint
explain --rules r.json
is fc.weight f32 0.25
printf '{"tensors": [{"name": "a", "shape": [4], "init": "residul:layers=4 normal"}]}' >m.json
refuse 2 "m.json: tensors[0] ('a'): no scheme is called 'residul', did you mean residual" init m.json -o y2.safetensors
printf '{"tensors": [{"name": "a", "shape": [4], "init": "residual:layers=4 nrmal"}]}' >m.json
refuse 2 "m.json: tensors[0].init: no initializer is called 'nrmal'" init m.json -o y2.safetensors
printf '{"tensors": [{"name": "a", "shape": [4], "init": "fan_in normal"}]}' >m.json
refuse 2 "m.json: tensors[0] ('a'): " init m.json -o y2.safetensors

# ---- A disk that has no room: before anything is written, with both numbers ----
refuse 2 "1000.0 PB are to be written, and the disk has " init --tensor w:f32:OI:500000000x500000000 --init he_normal -o y2.safetensors
plain=$FANIN FANIN=$SHIMMED
export SHIM_FREE=39999
refuse 2 "y.npy: 40.0 kB are to be written, and the disk has 40.0 kB free (40000 and 39999 bytes)" init --tensor w:f32:OI:100x100 --init he_normal -o y.npy
SHIM_FREE=100000 "$FANIN" init --tensor w:f32:OI:100x100 --init he_normal -o y.npy
rm y.npy
printf 'fc.weight F32 100,100\nfc.bias F32 100\n' | checkpoint
refuse 2 "40.4 kB are to be written, and the disk has 40.0 kB free" init --like x.safetensors -o y.npy.safetensors
refuse 2 "none/y.npy: cannot create a file there" init --tensor w:f32::100 --init zeros -o none/y.npy

# ---- Stacks of stacks ----
unset SHIM_FREE
"$FANIN" init --tensor w:f32:BBOI:2x3x64x32 --init he_normal -o y.safetensors
"$FANIN" init --tensor w:f32:BOI:6x64x32 --init he_normal -o z.safetensors
cmp <(tail -c 49152 y.safetensors) <(tail -c 49152 z.safetensors) || die "a stack of stacks has other values than one stack"

# ---- Several outputs or inputs ----
for init in he_normal xavier_uniform:gain=2 lecun_normal; do
  "$FANIN" init --tensor w:f32:IOO:48x4x16 --init "$init" --tensor v:f32:BIIO:3x4x16x40 --init "$init" -o y.safetensors
  "$FANIN" init --tensor w:f32:IO:48x64 --init "$init" --tensor v:f32:BIO:3x64x40 --init "$init" -o z.safetensors
  cmp <(tail -c 43008 y.safetensors) <(tail -c 43008 z.safetensors) || die "$init: several outputs have other values than one"
  "$FANIN" inspect y.safetensors >said.txt || die "$(cat said.txt)"
done
refuse 2 "identity: the layout has the letter O 2 times; once is accepted here: give these dimensions as one" \
  init --tensor w:f32:IOO:48x4x16 --init identity -o y2.safetensors

# ---- Depthwise kernels ----
printf 'dw/depthwise_kernel F32 3,5,7,2\n' | checkpoint
explain --rules keras --rule '*/depthwise_kernel=HWGO:he_normal'
is dw/depthwise_kernel f32 0.3651483716701107 # sqrt(2 / 15)
explain --rules keras --rule '*/depthwise_kernel=HWGO:he_normal:mode=fan_out'
is dw/depthwise_kernel f32 0.2581988897471611 # sqrt(2 / 30)
no "groups = 7 and layout \"HWGO\": the extent of G is the number of groups; leave groups out" --rule '*/depthwise_kernel=HWGO,groups=7:he_normal'
"$FANIN" init --like x.safetensors --rule '*=HWGO:he_normal' -o y.safetensors >/dev/null
"$FANIN" init --like x.safetensors --rule '*=normal:std=0.3651483716701107' -o z.safetensors >/dev/null
cmp <(tail -c 840 y.safetensors) <(tail -c 840 z.safetensors) || die "he_normal of a depthwise kernel is another normal than its std's"
"$FANIN" inspect --require judged y.safetensors >said.txt || die "$(cat said.txt)"
"$FANIN" init --tensor w:f64:HWGO:3x5x40x4 --init orthogonal --tensor d:f32:HWGO:3x5x40x4 --init dirac -o y.safetensors
"$FANIN" inspect --require judged y.safetensors >said.txt || die "$(cat said.txt)"
python3 - <<'PYTHON'
import json, struct
data = open("y.safetensors", "rb").read()
size = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8 : 8 + size])
def at(name, code):
    begin, end = header[name]["data_offsets"]
    return struct.unpack(f"<2400{code}", data[8 + size + begin : 8 + size + end])
w, d = at("w", "d"), at("d", "f")
for channel in range(40):  # four filters of 15 taps, each orthogonal to the others
    filters = [[w[(tap * 40 + channel) * 4 + o] for tap in range(15)] for o in range(4)]
    for a in range(4):
        for b in range(4):
            assert abs(sum(x * y for x, y in zip(filters[a], filters[b])) - (a == b)) < 1e-12, (channel, a, b)
assert [i for i, x in enumerate(d) if x] == [(7 * 40 + channel) * 4 for channel in range(40)] and sum(d) == 40
PYTHON

# ---- Rules on the command line ----
FANIN=$plain
printf 'embed.weight F32 100,16\nl.0.up.weight F32 64,16\nl.0.norm.weight F32 16\nl.0.mask F32 4,4\nl.0.mix.weight F32 3,4,5\n' | checkpoint
no "no rule of pytorch takes 1 of its 5 tensors: 'l.0.mask'. Give --rule 'PATTERN=INIT' for them, other --rules"
own=(--rule '*.MIX.weight=BOI:pytorch_default' --rule '*.up.weight=OI,splits=4:he_normal:mode=fan_out' --skip '*.mask')
explain "${own[@]}" --rule 'embed*=normal:std={0.02/sqrt(shape[1])}' --rule '*.mix.*=zeros'
grep -qx "fanin: init: warning: --rule '\*.mix.\*=zeros' takes nothing: what it matches, other rules take" warned.txt || die "$(cat warned.txt)"
no "--rule 'up.weight=OI:he_normal': no tensor of x.safetensors has a name like 'up.weight'; did you mean '*up.weight'?" --rule 'up.weight=OI:he_normal'
no "--skip 'nothing': no tensor of x.safetensors has a name like 'nothing'" "${own[@]}" --skip nothing
is embed.weight f32 0.005
is l.0.up.weight f32 0.3535533905932738
is l.0.norm.weight f32 0 1
is l.0.mix.weight f32 0.2581988897471611
# They go before a file's own rules, the first that takes a tensor decides, and they see the file's values.
printf '{"values": {"std": 0.5}, "rules": [{"match": "*.never", "init": "zeros"}, {"match": "*", "init": "ones"}]}' >r.json
explain --rules r.json --rule 'embed.weight=normal:std={std}' --rule '*.weight=zeros' --set std=0.25
is embed.weight f32 0.25
is l.0.up.weight f32 0
is l.0.mask f32 0 1
grep -q "warning: rules r.json: rules\[0\] (\*.never) takes nothing" warned.txt || die "$(cat warned.txt)"
"$FANIN" init --like x.safetensors "${own[@]}" -o y.safetensors >said.txt
python3 "$SRC/tests/cli/read_safetensors.py" y.safetensors >said.txt
grep -qx 'fanin.rules --rule and pytorch' said.txt || die "$(cat said.txt)"
grep -q 'tensors 4 ' said.txt || die "$(cat said.txt)"
no "--rule '*=he_nrmal': no initializer is called 'he_nrmal', did you mean he_normal" --rule '*=he_nrmal'
no "--rule '*=OX:he_normal': no initializer is called 'OX'" --rule 'a=zeros' --rule '*=OX:he_normal'
no "--rule '*=he_normal', tensor 'embed.weight': he_normal needs a layout" --rule '*=he_normal'
no "--rule 'l.0.up.weight=oi:he_normal', tensor 'l.0.up.weight': layout \"oi\" has the letter 'o', did you mean O" --rule 'l.0.up.weight=oi:he_normal' "${own[@]:0:2}" "${own[@]:4}"
no "--rule 'embed.weight=OIW:he_normal', tensor 'embed.weight': layout \"OIW\" has 3 letters" --rule 'embed.weight=OIW:he_normal' "${own[@]}"
for text in '' '*' '=zeros' '*='; do no "--rule '$text': write PATTERN=INIT" --rule "$text"; done
no "--skip '': give a pattern of names" --skip ''
refuse 2 "--rules, --rule and --skip go with --like CHECKPOINT" init --tensor w:f32::4 --init ones --skip x -o y2.safetensors

# ---- What a model file's tensors get, before anything is made ----
printf '{"values": {"d": 4}, "tensors": [{"name": "h.3.w", "shape": ["{d}", 6], "layout": "OI", "dtype": "bf16", "init": "residual:layers=2 he_normal"},
  {"name": "b", "shape": [8], "init": "zeros", "parts": [{"range": "1/4..2/4", "init": "constant:value=2"}]}]}' >m.json
"$FANIN" init m.json --explain --json >said.json
is h.3.w bf16 0.2886751345948129
is b f32 0.8660254037844386 0.5
"$FANIN" init m.json --set d=8 --explain >said.txt
grep -Eq '^h\.3\.w +8x6 +bf16 +OI +0.28868 +variance_scaling' said.txt || die "$(cat said.txt)"
grep -qx '2 tensors, 56 parameters, 128 bytes' said.txt || die "$(cat said.txt)"
refuse 2 "--json goes with --explain" init m.json --json -o y2.safetensors
