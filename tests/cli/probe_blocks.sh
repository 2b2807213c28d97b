#!/usr/bin/env bash
# 'fanin probe' of gated units and of residual blocks: drawn, from files, calibrated, and what is refused.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"
have_python || exit 0 # it reads the reports

llama=(--mlp '48,2x(64,48),20' --activation swiglu)
for block in pre-norm post-norm; do
  "$FANIN" probe "${llama[@]}" --block "$block" --init 'normal:std={1/sqrt(fan_in)}' >$block.txt || die "$(cat $block.txt)"
  grep "^MLP 48-64-48-64-48-20, swiglu, $block blocks, weights" $block.txt >/dev/null || die "$(cat $block.txt)"
  grep '^stream: mean square' $block.txt >/dev/null || die "$(cat $block.txt)"
  "$FANIN" probe "${llama[@]}" --block "$block" --init 'normal:std={1/sqrt(fan_in)}' --json >$block.json
done
"$FANIN" probe --mlp 48,64,20 >plain.txt || true
! grep stream plain.txt || die "a network without blocks has a stream: $(cat plain.txt)"
python3 - <<'PYTHON'
import json
for block, grows in (("pre-norm", True), ("post-norm", False)):
    report = json.load(open(f"{block}.json"))
    layers = report["layers"]
    assert report["block"] == block and [l["fan_out"] for l in layers] == [128, 48, 128, 48, 20], report
    assert [l["stream_measured"] is None for l in layers] == [True, False, True, False, True]
    q = [l["q_meanfield"] for l in layers]
    first, second = layers[1]["stream_meanfield"], layers[3]["stream_meanfield"]
    assert abs(q[0] - 1) < 1e-6 and abs(q[2] - 1) < 1e-6, q  # behind a norm
    assert abs(second / (first + q[3] if grows else 1 + q[3]) - 1) < 1e-9, (first, second, q)
PYTHON

# A file: the gate's rows are above the other factor's in one tensor, and the order is named or numbered.
# write FILE NAME:SHAPE...: tensors of N(0, 0.14^2).
write() {
  local tensors=() one
  for one in "${@:2}"; do tensors+=(--tensor "${one%:*}:f32::${one#*:}" --init normal:std=0.14); done
  "$FANIN" init "${tensors[@]}" --seed 3 -o "$1" >/dev/null
}
write model.safetensors layer1.weight:128x48 layer2.weight:48x64 layer3.weight:20x48 layer1.bias:128
"$FANIN" probe --weights model.safetensors --activation swiglu --block pre-norm >file.txt || die "$(cat file.txt)"
grep '^MLP 48-64-48-20, swiglu, pre-norm blocks, weights and biases of model.safetensors' file.txt >/dev/null || die "$(cat file.txt)"
write named.safetensors gate_up:128x48 down:48x64 head:20x48
"$FANIN" probe --weights named.safetensors --layer-names gate_up,down,head --activation geglu --block post-norm >/dev/null
refuse 2 "what fits behind a matrix of geglu does not show in its shape: name the layers in order with --layer-names" \
  probe --weights named.safetensors --activation geglu
refuse 2 "tensor 'down' takes 64 features, but the layer before makes 128" \
  probe --weights named.safetensors --layer-names gate_up,down,head --activation relu
write odd.safetensors layer1.weight:127x48 layer2.weight:20x63
refuse 2 "tensor 'layer1.weight' has 127 rows; swiglu needs an even number" probe --weights odd.safetensors --activation swiglu
write pair.safetensors layer1.weight:64x48 layer2.weight:20x64
refuse 2 "n_widths is 3; with blocks it is even" probe --weights pair.safetensors --block pre-norm

# The same layer as two tensors: the same numbers, and what two tensors cannot be.
python3 - <<'PYTHON'
import json, struct
data = open("named.safetensors", "rb").read()
n = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8 : 8 + n])
notes = header["__metadata__"]
fused = header.pop("gate_up")
begin, end = fused["data_offsets"]
middle = (begin + end) // 2
init = notes.pop("fanin.init.gate_up")
for name, offsets in (("gate", [begin, middle]), ("up", [middle, end])):
    header[name] = {"dtype": "F32", "shape": [64, 48], "data_offsets": offsets}
    notes[f"fanin.init.{name}"] = init
def write(path):
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    open(path, "wb").write(struct.pack("<Q", len(text)) + text + data[8 + n :])
write("two.safetensors")
calibrated = dict(notes)
for name, factor in (("gate", 2), ("up", 2)):
    del notes[f"fanin.init.{name}"]
    notes[f"fanin.calibrated.{name}"], notes[f"fanin.factor.{name}"] = "normal:std=0.07", str(factor)
write("calibrated_pair.safetensors")
notes["fanin.factor.up"] = "2.5"
write("factors.safetensors")
notes.clear()
notes.update(calibrated)
notes["fanin.init.up"] = "normal:std=0.15"
write("unlike.safetensors")
notes["fanin.init.gate"] = notes["fanin.init.up"] = "xavier_normal"
write("xavier.safetensors")
notes["fanin.init.gate"] = notes["fanin.init.up"] = "orthogonal"
write("orthogonal.safetensors")
PYTHON
gated=(--activation swiglu --block pre-norm --seed 3)
"$FANIN" probe --weights named.safetensors --layer-names gate_up,down,head "${gated[@]}" --json >fused.json
"$FANIN" probe --weights two.safetensors --layer-names gate+up,down,head "${gated[@]}" --json >two.json
python3 - <<'PYTHON'
import json
fused, two = (json.load(open(f"{name}.json"))["layers"] for name in ("fused", "two"))
names = [[layers[0].pop(key) for key in ("tensor", "second_tensor")] for layers in (two, fused)]
assert names == [["gate", "up"], ["gate_up", None]], names
assert fused == two and fused[0]["fan_out"] == 128
PYTHON
"$FANIN" probe --weights two.safetensors --layer-names gate+up,down,head "${gated[@]}" >two.txt
grep 'weights of two.safetensors as normal:std=0.14' two.txt >/dev/null || die "$(cat two.txt)"
two() { refuse 2 "$1" probe --weights "$2.safetensors" --layer-names "$3" "${gated[@]}" "${@:4}"; }
"$FANIN" probe --weights calibrated_pair.safetensors --layer-names gate+up,down,head "${gated[@]}" --json >factor.json
python3 -c '
import json
layer = json.load(open("factor.json"))["layers"][0]
assert layer["factor"] == 2 and layer["conforms"] and abs(layer["weight_std_expected"] - 0.14) < 1e-6, layer'
for file in unlike factors; do
  two "'gate' and 'up', which are one layer, were not made by the same initializer" $file gate+up,down,head
done
two "xavier_normal of twice the rows is not what two of it are" xavier gate+up,down,head
two "orthogonal of twice the rows is not what two of it are" orthogonal gate+up,down,head
two "'gate' is F32 64x48, and 'down' is F32 48x64; the two of one layer must be alike" two gate+down,down,head
two "there is no tensor 'none'" two gate+none,down,head
two "--calibrate has one factor for a layer, but layer 1 is of two tensors" two gate+up,down,head --calibrate -o c.safetensors

# Calibrated: every preactivation has a mean square of 1, and the file is what the probe takes.
for block in '' pre-norm post-norm; do
  options=("${llama[@]}" ${block:+--block "$block"})
  "$FANIN" probe "${options[@]}" --init normal:std=0.3 --seed 4 --calibrate --criterion second_moment -o calibrated.safetensors >/dev/null
  "$FANIN" probe "${options[@]}" --weights calibrated.safetensors --seed 4 --require conforms --json >calibrated.json
  python3 -c '
import json
layers = json.load(open("calibrated.json"))["layers"]
assert all(abs(l["q_measured"] - 1) < 0.011 for l in layers), layers'
done

# Width by width: an exponent for each layer, and none of G, whose steps do not multiply.
"$FANIN" probe --mlp '{w},{2*w},{w},10' --widths 64,128,256 --block pre-norm --activation geglu --init lecun_normal \
  --require conforms --json >widths.json

# Widths that are repeated.
"$FANIN" probe --mlp '4,3x5,2x(6,7),1x8,2' >repeated.txt || true
grep '^MLP 4-5-5-5-6-7-6-7-8-2, relu' repeated.txt >/dev/null || die "$(cat repeated.txt)"
"$FANIN" probe --mlp '8,5x(6,8),5x7,2' >repeated.txt || true
grep '^MLP 8-5x(6-8)-5x7-2, relu' repeated.txt >/dev/null || die "$(cat repeated.txt)"
refuse 2 "'x5' does not begin with how often; write 12x256, or 12x(3072,768)" probe --mlp 4,x5,2
refuse 2 "'0x5' does not begin with how often" probe --mlp 4,0x5,2
refuse 2 "is not a whole number of at least 1" probe --mlp '4,2x(5,2'
refuse 2 "is not a whole number of at least 1" probe --mlp '4,2x,2'
refuse 2 "is not a whole number of at least 1" probe --mlp '4,2x(),2'
refuse 2 "at most 1001 widths are accepted" probe --mlp 4,1000x5,2
refuse 2 "at most 1001 widths are accepted" probe --mlp 4,18446744073709551615x5,2

# ---- What is refused ----
refuse 2 "--block is 'pre'; accepted are pre-norm, post-norm" probe --mlp 8,4,8,2 --block pre
refuse 2 "n_widths is 5; with blocks it is even: the input, two layers a block, and the last layer" \
  probe --mlp 8,4,8,4,2 --block pre-norm
refuse 2 "widths[2] is 9 and widths[0] is 8; a block adds its output to its input, so that they must be equal" \
  probe --mlp 8,4,9,2 --block post-norm
refuse 2 "--block has a norm and a residual connection of its own: leave --norm and --residual out" \
  probe --mlp 8,4,8,2 --block pre-norm --residual
refuse 2 "--norm goes before an activation, but geglu is a gated unit: leave --norm out, or give --block" \
  probe --mlp 8,4,2 --activation geglu --norm layer
refuse 2 "no activation is called 'swigl', did you mean swiglu?" probe --mlp 8,4,2 --activation swigl
refuse 2 "'swiglu' is a gated unit, which a probe takes; its activation is silu" probe --suggest swiglu
