#!/usr/bin/env bash
# 'fanin probe --weights': weights of a file are judged as the drawn ones they are, or are not.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"

# The same weights from a file and drawn: the same report but for its heading.
"$FANIN" init --tensor layer1.weight:bf16:OI:96x64 --init lecun_normal --tensor layer2.weight:bf16:OI:10x96 \
  --init lecun_normal --tensor other:f32::3 --init ones --seed 7 -o model.safetensors >/dev/null
"$FANIN" probe --weights model.safetensors >file.txt || die "$(cat file.txt)"
grep -q '^MLP 64-96-10, relu, weights of model.safetensors as lecun_normal in bf16' file.txt || die "$(cat file.txt)"
"$FANIN" probe --mlp 64,96,10 --init lecun_normal --dtype bf16 >drawn0.txt || die "$(cat drawn0.txt)"
"$FANIN" probe --mlp 64,96,10 --init lecun_normal --dtype bf16 --seed 7 --json >drawn.json
"$FANIN" probe --weights model.safetensors --seed 7 --json >file.json
"$FANIN" probe --weights model.safetensors --mlp 64,96,10 --layer-names layer1.weight,layer2.weight --dtype bf16 \
  --seed 7 --json >named.json
cmp <(grep -v _seconds file.json) <(grep -v _seconds named.json) || die "--layer-names of the same layers differs"
! cmp -s file.txt drawn0.txt || die "another seed's weights are the same"

# Judged as something else, they do not conform, and the reason is named.
status=0
"$FANIN" probe --weights model.safetensors --init he_normal >he.txt || status=$?
if [ "$status" != 1 ] || ! grep -q '^DOES NOT CONFORM' he.txt || ! grep -q '^GAIN_MISMATCH, layer 1' he.txt; then
  die "LeCun as He: $status: $(cat he.txt)"
fi

status=0
"$FANIN" probe --weights model.safetensors --init orthogonal >orthogonal.txt || status=$?
if [ "$status" != 1 ] || ! grep -q '^NOT_ORTHOGONAL, layer 1: layer 1: the products of its columns' orthogonal.txt; then
  die "LeCun as orthogonal: $status: $(cat orthogonal.txt)"
fi
"$FANIN" init --tensor layer1.weight:f16:OI:96x64 --init orthogonal --tensor layer2.weight:f16:OI:10x96 --init orthogonal \
  -o isometry.safetensors >/dev/null
"$FANIN" probe --weights isometry.safetensors --activation linear >isometry.txt || die "$(cat isometry.txt)"
grep -q 'as orthogonal in f16' isometry.txt || die "$(cat isometry.txt)"

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

have_python || exit 0
python3 - <<'PYTHON'
import json
file, drawn = json.load(open('file.json')), json.load(open('drawn.json'))
assert file['init'] == drawn['init'] == 'lecun_normal' and file['weights'] == 'model.safetensors'
assert file['layers'] == drawn['layers'], (file['layers'], drawn['layers'])
PYTHON
