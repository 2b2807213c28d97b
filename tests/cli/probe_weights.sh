#!/usr/bin/env bash
# 'fanin probe --weights': weights of a file are judged as the drawn ones they are, or are not.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"
have_python || exit 0 # files are made by it

# The same weights from a file and drawn: the same report but for its heading.
"$FANIN" init --tensor layer1.weight:bf16:OI:96x64 --init lecun_normal --tensor layer2.weight:bf16:OI:10x96 \
  --init lecun_normal --tensor other:f32::3 --init ones --seed 7 -o model.safetensors >/dev/null
"$FANIN" probe --weights model.safetensors >file.txt || die "$(cat file.txt)"
grep -q '^MLP 64-96-10, relu, weights of model.safetensors as lecun_normal (its metadata) in bf16' file.txt || die "$(cat file.txt)"
"$FANIN" probe --mlp 64,96,10 --init lecun_normal --dtype bf16 >drawn0.txt || die "$(cat drawn0.txt)"
"$FANIN" probe --mlp 64,96,10 --init lecun_normal --dtype bf16 --seed 7 --json >drawn.json
"$FANIN" probe --weights model.safetensors --seed 7 --json >file.json
"$FANIN" probe --weights model.safetensors --mlp 64,96,10 --layer-names layer1.weight,layer2.weight --dtype bf16 \
  --seed 7 --json >named.json
cmp <(grep -v _seconds file.json) <(grep -v _seconds named.json) || die "--layer-names of the same layers differs"
! cmp -s file.txt drawn0.txt || die "another seed's weights are the same"

# Judged as something else, they do not conform, and the reason is named. What the file says comes before --init.
refuse 2 "--init he_normal would judge no layer: model.safetensors says of each one what made it" probe \
  --weights model.safetensors --init he_normal
# bare FROM TO: the same file without metadata.
bare() {
  python3 - "$1" "$2" <<'PYTHON'
import json, struct, sys
data = open(sys.argv[1], 'rb').read()
n = struct.unpack('<Q', data[:8])[0]
header = json.loads(data[8:8 + n])
header.pop('__metadata__', None)
text = json.dumps(header).encode()
text += b' ' * (-len(text) % 8)
open(sys.argv[2], 'wb').write(struct.pack('<Q', len(text)) + text + data[8 + n:])
PYTHON
}
bare model.safetensors bare.safetensors
# fails WORD FILE ARGUMENT...: a probe of the file does not conform, and says the word.
fails() {
  local word=$1 status=0
  shift
  "$FANIN" probe --weights "$@" >fails.txt || status=$?
  if [ "$status" != 1 ] || ! grep -q '^DOES NOT CONFORM' fails.txt || ! grep -q "$word" fails.txt; then
    die "probe --weights $*: $status, no '$word': $(cat fails.txt)"
  fi
}
fails '^GAIN_MISMATCH, layer 1: weight std' bare.safetensors --init he_normal
head -1 fails.txt | grep 'weights of bare.safetensors as he_normal (--init) in bf16' >/dev/null || die "$(cat fails.txt)"
fails '^NOT_ORTHOGONAL, layer 1: the products of its columns' bare.safetensors --init orthogonal
# Without either, what they look like; the first line says that it is a guess.
"$FANIN" probe --weights bare.safetensors >guess.txt || die "$(cat guess.txt)"
head -1 guess.txt | grep 'as lecun_normal (a guess' >/dev/null || die "$(head -1 guess.txt)"

# Every initializer of the list is told from the others, by matrices of different extents.
for init in pytorch_default he_normal he_normal:mode=fan_out xavier_uniform lecun_normal:distribution=trunc_normal \
  trunc_normal:std=0.02 normal:std=0.1; do
  "$FANIN" init --tensor layer1.weight:f32:OI:96x64 --init $init --tensor layer2.weight:f32:OI:48x96 --init $init \
    -o guessed.safetensors >/dev/null
  bare guessed.safetensors guessed.safetensors
  "$FANIN" probe --weights guessed.safetensors --require none >guess.txt || die "$(cat guess.txt)"
  tr '\n' ' ' <guess.txt | grep " as $init (a guess" >/dev/null || die "$init: $(head -2 guess.txt)"
done
# In square layers either fan gives the same weights: the second best is another law.
"$FANIN" init --tensor layer1.weight:f32:OI:64x64 --init he_normal -o guessed.safetensors >/dev/null
bare guessed.safetensors guessed.safetensors
"$FANIN" probe --weights guessed.safetensors --require none >guess.txt || die "$(cat guess.txt)"
grep -q 'as he_normal (a guess' guess.txt || die "$(cat guess.txt)"
! grep -q 'mode=fan_out' guess.txt || die "$(cat guess.txt)"

# ---- Each layer by its own metadata: two stds, a calibrated factor ----
"$FANIN" init --tensor layer1.weight:f32:OI:256x256 --init normal:std=0.0625 \
  --tensor layer2.weight:f32:OI:256x256 --init normal:std=0.03125 -o mixed.safetensors >/dev/null
"$FANIN" probe --weights mixed.safetensors --activation linear >mixed.txt || die "$(cat mixed.txt)"
head -1 mixed.txt | grep ': layer 1 as normal:std=0.0625 (its metadata), layer 2 as normal:std=0.03125 (its' >/dev/null ||
  die "$(head -1 mixed.txt)"
# A width sweep of muP: hidden stds 1/sqrt(n), the last layer's 1/n.
for n in 64 128 256; do
  "$FANIN" init --tensor layer1.weight:f32:OI:${n}x32 --init lecun_normal \
    --tensor "layer2.weight:f32:OI:${n}x$n" --init lecun_normal \
    --tensor "layer3.weight:f32:OI:10x$n" --init "normal:std=$(awk "BEGIN{print 1/$n}")" -o mup.safetensors >/dev/null
  "$FANIN" probe --weights mup.safetensors --activation tanh --require conforms >mup.txt || die "muP $n: $(cat mup.txt)"
done

# ---- The file's layout decides which side is the input ----
"$FANIN" init --tensor layer1.weight:f32:IO:64x256 --init he_normal --tensor layer2.weight:f32:IO:256x64 \
  --init he_normal --seed 3 -o io.safetensors >/dev/null
"$FANIN" probe --weights io.safetensors >io.txt || die "$(cat io.txt)"
grep -q '^MLP 64-256-64, relu, weights of io.safetensors as he_normal (its metadata)' io.txt || die "$(cat io.txt)"
"$FANIN" init --tensor layer1.weight:f32:OIW:4x4x4 --init he_normal -o cube.safetensors >/dev/null
refuse 2 "has the shape 4x4x4" probe --weights cube.safetensors
"$FANIN" init --tensor layer1.weight:f32:BI:4x4 --init normal:std=1 -o stack.safetensors >/dev/null
refuse 2 "has the layout BI; a probe takes matrices, OI or IO" probe --weights stack.safetensors

# ---- Layers are found by their shapes ----
"$FANIN" init --tensor out:f32:OI:10x48 --init he_normal --tensor in:f32:OI:32x64 --init he_normal \
  --tensor mid:f32:OI:48x32 --init he_normal --tensor scale:f32::48 --init ones -o shapes.safetensors >/dev/null
"$FANIN" probe --weights shapes.safetensors >shapes.txt || die "$(cat shapes.txt)"
grep -q '^Layers, found by shape: in, mid, out$' shapes.txt || die "$(cat shapes.txt)"
"$FANIN" init --tensor net.10.weight:f32:OI:32x32 --init he_normal --tensor net.0.weight:f32:OI:32x32 --init he_normal \
  --tensor net.2.weight:f32:OI:32x32 --init he_normal -o names.safetensors >/dev/null
"$FANIN" probe --weights names.safetensors >names.txt || die "$(cat names.txt)"
grep -q '^Layers, found by shape: net.0.weight, net.2.weight, net.10.weight$' names.txt || die "$(cat names.txt)"
"$FANIN" init --tensor a:f32:OI:32x32 --init he_normal --tensor b:f32:OI:32x32 --init he_normal -o two.safetensors \
  >/dev/null
refuse 2 "more than one order makes a network of its 2 matrices (a 32x32, b 32x32): name the layers in order" probe \
  --weights two.safetensors
"$FANIN" probe --weights two.safetensors --layer-names b,a >/dev/null || die "named"
"$FANIN" init --tensor a:f32:OI:32x16 --init he_normal --tensor b:f32:OI:8x7 --init he_normal -o none.safetensors \
  >/dev/null
refuse 2 "no order makes a network of its 2 matrices (a 32x16, b 8x7)" probe --weights none.safetensors
rm none.safetensors
"$FANIN" init --tensor a:f32::3 --init ones -o vector.safetensors >/dev/null
refuse 2 "there is no tensor 'layer1.weight'; it has a" probe --weights vector.safetensors

# ---- nn.Linear's own weights and biases, untouched: found, guessed, and with their biases ----
python3 - <<'PYTHON'
import json, math, random, struct
random.seed(1)

def write(path, tensors):
    header, data = {}, b''
    for name, shape, values in tensors:
        raw = struct.pack(f'<{len(values)}f', *values)
        header[name] = {'dtype': 'F32', 'shape': shape, 'data_offsets': [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    open(path, 'wb').write(struct.pack('<Q', len(text)) + text + data)

def linear(name, n_out, n_in, constant=None):
    bound = 1 / math.sqrt(n_in)
    bias = [random.uniform(-bound, bound) if constant is None else constant for _ in range(n_out)]
    return [(name + '.bias', [n_out], bias),
            (name + '.weight', [n_out, n_in], [random.uniform(-bound, bound) for _ in range(n_out * n_in)])]

write('torch.safetensors', linear('fc1', 128, 64) + linear('fc2', 96, 128) + linear('fc3', 10, 96))
write('shifted.safetensors', linear('fc1', 128, 64, 3.0) + linear('fc2', 10, 128, 0.0))
bad = linear('fc1', 128, 64)
bad[1][2][5], bad[1][2][77] = math.nan, math.inf
write('nan.safetensors', bad + linear('fc2', 10, 128))
bad = linear('fc1', 128, 64)
bad[0][2][9] = -math.inf
write('inf.safetensors', bad + linear('fc2', 10, 128))
write('odd.safetensors', [('fc1.bias', [3], [0.0] * 3)] + linear('fc1', 8, 8)[1:])
trained = [(n, s, [v * 3 + 0.2 * math.sin(i) for i, v in enumerate(x)]) for n, s, x in linear('fc1', 128, 64)]
write('strange.safetensors', trained + linear('fc2', 10, 128))
PYTHON
"$FANIN" probe --weights torch.safetensors --require conforms --json >torch.json || die "$(cat torch.json)"
"$FANIN" probe --weights torch.safetensors --require conforms >torch.txt || die "$(cat torch.txt)"
head -1 torch.txt | grep 'weights and biases of torch.safetensors as pytorch_default (a guess' >/dev/null || die "$(cat torch.txt)"
"$FANIN" probe --weights torch.safetensors --init pytorch_default --require conforms >said.txt || die "$(cat said.txt)"
head -1 said.txt | grep 'as pytorch_default (--init)' >/dev/null || die "$(cat said.txt)"
fails '^GAIN_MISMATCH, layer 1' torch.safetensors --init he_normal
refuse 2 "--bias-std 0.1 draws biases, but torch.safetensors has its own, as fc1.bias" probe \
  --weights torch.safetensors --bias-std 0.1
refuse 2 "tensor 'fc1.weight': 2 of 8192 numbers are infinite or NaN" probe --weights nan.safetensors
refuse 2 "tensor 'fc1.weight': 2 of 8192 numbers are infinite or NaN" probe --weights nan.safetensors --calibrate \
  -o never.safetensors
refuse 2 "tensor 'fc1.bias': 1 of 128 numbers are infinite or NaN" probe --weights inf.safetensors
refuse 2 "tensor 'fc1.bias' has the shape 3, but layer 1 has 8 features" probe --weights odd.safetensors
# Biases of mean 3 are used, and no verdict on health is made of what theory does not take.
"$FANIN" probe --weights shifted.safetensors --require conforms >shifted.txt || die "$(cat shifted.txt)"
grep -q '^NOT PREDICTED' shifted.txt || die "$(cat shifted.txt)"
"$FANIN" probe --weights strange.safetensors --require none >strange.txt
head -1 strange.txt | grep 'its own mean and std, as it looks like no common initializer' >/dev/null || die "$(cat strange.txt)"

# ---- Rules say what the layers should be, and which side of them is the input ----
"$FANIN" probe --weights torch.safetensors --rules pytorch --require conforms >rules.txt || die "$(cat rules.txt)"
head -2 rules.txt | tr '\n' ' ' | grep 'torch.safetensors as he_uniform:a=2.236[0-9]* (--rules pytorch) in f32' >/dev/null ||
  die "$(cat rules.txt)"
printf '{"rules":[{"match":"fc1.weight","layout":"OI","init":"pytorch_default"},{"match":"fc2.weight","layout":"OI","init":"he_normal"}]}' \
  >own.json
fails '^GAIN_MISMATCH, layer 2' torch.safetensors --rules own.json
tr '\n' ' ' <fails.txt | grep 'layer 2 as he_normal (--rules own.json), layer 3 as pytorch_default (a guess' >/dev/null ||
  die "$(cat fails.txt)"
fails '^GAIN_MISMATCH, layers* [1-9 to]*:' torch.safetensors --rules own.json --init lecun_normal
tr '\n' ' ' <fails.txt | grep 'layer 3 as lecun_normal (--init)' >/dev/null || die "$(cat fails.txt)"
bare io.safetensors bare_io.safetensors
printf '{"values":{"s":{"ask":"the std"}},"rules":[{"match":"layer1*","layout":"IO","init":"he_normal"},{"match":"*","layout":"IO","init":"normal:std={s}"}]}' \
  >io.json
refuse 2 "rules io.json" probe --weights bare_io.safetensors --rules io.json
"$FANIN" probe --weights bare_io.safetensors --rules io.json --set s=0.088388347648 >rules.txt || die "$(cat rules.txt)"
grep -q '^MLP 64-256-64, relu, weights of bare_io.safetensors: layer 1 as he_normal (--rules io.json)' rules.txt ||
  die "$(cat rules.txt)"
"$FANIN" probe --weights bare_io.safetensors --rules io.json --set s=0.088388347648 --json >rules.json
grep -q '"judged_by": "rules"' rules.json || die "$(cat rules.json)"
printf '{"rules":[{"match":"*","layout":"OI,splits=2","init":"he_normal"}]}' >splits.json
refuse 2 "has the layout OI,splits=2; a probe takes matrices, OI or IO" probe --weights bare.safetensors --rules splits.json
printf '{"rules":[{"match":"nothing","init":"ones"}]}' >nothing.json
refuse 2 "--rules nothing.json would judge no layer: no rule takes any" probe --weights bare.safetensors --rules nothing.json
refuse 2 "--rules pytorch would judge no layer: the file says of each one" probe --weights model.safetensors --rules pytorch
refuse 2 "--init he_normal would judge no layer: --rules says" probe --weights torch.safetensors --rules pytorch --init he_normal
refuse 2 "--rules belongs to --weights" probe --mlp 8,8 --rules pytorch
refuse 2 "--set goes with --rules" probe --weights torch.safetensors --set layers=2
refuse 2 "pytorch, " probe --weights torch.safetensors --rules pytorhc

"$FANIN" init --tensor layer1.weight:f16:OI:96x64 --init orthogonal --tensor layer2.weight:f16:OI:10x96 --init orthogonal \
  -o isometry.safetensors >/dev/null
"$FANIN" probe --weights isometry.safetensors --activation linear >isometry.txt || die "$(cat isometry.txt)"
grep -q 'as orthogonal (its metadata) in f16' isometry.txt || die "$(cat isometry.txt)"

refuse 2 "there is no tensor 'layer3.weight'; it has layer1.weight, layer2.weight, other" probe \
  --weights model.safetensors --layer-names layer1.weight,layer3.weight
refuse 2 "has the shape 3; a layer's weight is fan_out x fan_in" probe --weights model.safetensors --layer-names other
refuse 2 "takes 64 features, but the layer before makes 10" probe --weights model.safetensors \
  --layer-names layer2.weight,layer1.weight
refuse 2 "--mlp: width 2 is 95, but 96" probe --weights model.safetensors --mlp 64,95,10
refuse 2 "--mlp describes 1 layer, but" probe --weights model.safetensors --mlp 64,96
refuse 2 "--dtype f32: model.safetensors has bf16" probe --weights model.safetensors --dtype f32
refuse 2 "give one --init" probe --weights model.safetensors --init zeros --init ones
refuse 2 "must end in .safetensors" probe --weights model.npy
refuse 2 "cannot open it" probe --weights none.safetensors
"$FANIN" init --tensor layer1.weight:f64:OI:8x8 --init ones -o double.safetensors >/dev/null
refuse 2 "is F64; a probe takes floats of at most 32 bits" probe --weights double.safetensors

python3 - <<'PYTHON'
import json
file, drawn = json.load(open('file.json')), json.load(open('drawn.json'))
assert file['init'] == drawn['init'] == 'lecun_normal' and file['weights'] == 'model.safetensors'
own = [{k: v for k, v in y.items() if k not in ('tensor', 'second_tensor', 'bias', 'factor', 'judged_by')} for y in file['layers']]
assert own == drawn['layers'], (own, drawn['layers'])
random = 'if the weights are the random numbers that they are judged as'
assert (file['conforms'], file['conforms_condition']) == (True, 'in mean, std, q and G'), file
assert (file['healthy'], file['healthy_condition']) == (True, random), file
assert drawn['conforms'] and drawn['healthy'], drawn
assert drawn['conforms_condition'] is None and drawn['healthy_condition'] is None, drawn
assert [y['judged_by'] for y in file['layers']] == ['metadata'] * 2, file['layers']
torch = json.load(open('torch.json'))['layers']
assert [y['tensor'] for y in torch] == ['fc1.weight', 'fc2.weight', 'fc3.weight'], torch
assert [y['bias'] for y in torch] == ['fc1.bias', 'fc2.bias', 'fc3.bias'], torch
assert {y['judged_by'] for y in torch} == {'guess'}, torch
# q of the first layer: 64 / (3 * 64) of the input's mean square, and the biases' 1 / (3 * 64)
assert abs(torch[0]['q_predicted'] - (1 + 1 / 64) / 3) < 0.01, torch[0]
PYTHON
