#!/usr/bin/env bash
# 'fanin probe --layer-init': an initializer for each layer, with schemes and expressions. SIREN and muP by hand, beside laws
# that are written down here.
set -euo pipefail
# shellcheck disable=SC1091
. "$SRC/tests/cli/common.bash"

three=(--mlp '4,4,4,4')
refuse 2 "'1': write N=INIT, as in 1=he_normal" probe "${three[@]}" --layer-init 1
refuse 2 "'1=': write N=INIT" probe "${three[@]}" --layer-init 1=
refuse 2 "a range of layers, as 2..4 or 2..-2" probe "${three[@]}" --layer-init first=zeros
refuse 2 "a range of layers, as 2..4 or 2..-2" probe "${three[@]}" --layer-init 1..=zeros
refuse 2 "there is no layer 0; the network has layers 1 to 3" probe "${three[@]}" --layer-init 0=zeros
refuse 2 "there is no layer -4; " probe "${three[@]}" --layer-init -4..-1=zeros
refuse 2 "from layer 3 back to layer 2" probe "${three[@]}" --layer-init -1..2=zeros
refuse 2 "layer 2 has 'zeros' already" probe "${three[@]}" --layer-init 1..2=zeros --layer-init -2=ones
refuse 2 "--init ones would make no layer: --layer-init has all 3 of them" probe "${three[@]}" --layer-init 1..last=zeros --init ones
refuse 2 "did you mean zeros?" probe "${three[@]}" --layer-init 1=zeroz
refuse 2 "no number of a layer is called 'width'; there are layer, layers, fan_in" probe "${three[@]}" \
  --layer-init '1=normal:std={1/width}'
refuse 2 "'layers[0]': only shape has numbers in brackets" probe "${three[@]}" --init 'normal:std={1/layers[0]}'
refuse 2 "--layer-init draws weights, but --weights has its own" probe --weights w.safetensors --layer-init 1=zeros
refuse 2 "--suggest runs no network" probe --suggest relu --layer-init 1=zeros

# Each layer has its own, and the heading says which; without --layer-init nothing changes.
"$FANIN" probe --mlp 8,16,32,4 --layer-init 'last=times:factor=2 normal:std=0.1' --layer-init '2=uniform:lo=-1,hi=1' \
  --init he_normal --init 'normal:std={layer*layers/fan_in+shape[0]}' --require none --json >each.json
"$FANIN" probe --mlp 8,16,16,4 --layer-init 2..-1=lecun_normal --require none >heading.txt
grep -q '^MLP 8-16-16-4, relu, weights he_normal, but layers 2 to 3 lecun_normal in f32' heading.txt || die "$(cat heading.txt)"
"$FANIN" probe --mlp 8,16,4 --layer-init 1..-1=lecun_normal --require none >alike.txt
"$FANIN" probe --mlp 8,16,4 --init lecun_normal --require none >init.txt
diff <(grep -v '^MLP' alike.txt) <(grep -v '^MLP' init.txt) || die "--layer-init of all layers is not --init"
"$FANIN" probe --mlp 8,16,4 --layer-init 1=zeros --csv - --require none | cut -d, -f-2 | diff - \
  <(printf 'init,layer\r\n"zeros",1\r\n"he_normal",2\r\n' | tr -d '\r') || die "--csv does not say each layer's"
"$FANIN" probe --mlp 64,16,4 --layer-init 1=orthogonal --layer-init 2=lecun_normal --calibrate -o c.safetensors >/dev/null
"$FANIN" probe --weights c.safetensors >calibrated.txt || die "calibrated: $(cat calibrated.txt)"
grep -q 'layer 1 as orthogonal, calibrated (its metadata), layer 2 as lecun_normal, calibrated' calibrated.txt || die "$(cat calibrated.txt)"

have_python || exit 0
python3 - <<'PYTHON'
import json
a, b = json.load(open('each.json'))
for one, first in (a, 'he_normal'), (b, 'normal:std=16.375'):  # 1 * 3 / 8 + 16
    assert [y['init'] for y in one['layers']] == [first, 'uniform:lo=-1', 'normal:std=0.2'], one
    expected = [(2 / 8) ** 0.5 if first == 'he_normal' else 16.375, 3 ** -0.5, 0.2]
    for y, std in zip(one['layers'], expected):
        assert abs(y['weight_std_expected'] / std - 1) < 1e-9, (y, std)
        assert abs(y['weight_std'] / std - 1) < 5 / (2 * y['fan_in'] * y['fan_out']) ** 0.5, (y, std)
assert a['init'] == 'he_normal'
PYTHON

# ---- SIREN (Sitzmann et al. 2020): sines of a grid of coordinates, omega = 30 ----
# The grid is on [-1, 1]^2 with a mean square of 11/31, and a file's samples are divided by their std: the first layer's bound is
# multiplied by that std to make up for it.
python3 -c '
for i in range(32):
    for j in range(32):
        print(f"{(2 * i - 31) / 31},{(2 * j - 31) / 31}")' >grid.csv
"$FANIN" probe --mlp 2,512,512,512,512,1 --activation sin --input grid.csv --batch 1024 \
  --layer-init '1=siren_first uniform:lo={-30*sqrt(11/31)},hi={30*sqrt(11/31)}' \
  --layer-init '2..-2=siren_hidden:omega=1 uniform:lo=-1,hi=1' --layer-init 'last=siren_hidden uniform:lo=-1,hi=1' \
  --require conforms --json >siren.json || die "SIREN does not conform: $(cat siren.json)"
# ---- muP (Yang et al. 2021, table 3), right at width 64, and without it ----
for w in 64 256 1024; do
  "$FANIN" probe --mlp 64,$w,$w,10 --init 'normal:std={sqrt(2/64)}' --layer-init '2=mup_hidden:base=64 normal:std={sqrt(2/64)}' \
    --layer-init '3=mup_output:base=64 normal:std={sqrt(2/64)}' --require conforms --json >mup$w.json || die "muP at $w"
done
python3 - <<'PYTHON'
import json, math
# SIREN. z_1 = 30 w.x with w ~ U(-1/2, 1/2): q_1 of a sample is 2 * 30^2 / 12 * mean square of its coordinates. Then
# z_{l+1} is a sum of n terms w sin(z_l) with w ~ U(-sqrt(6/n), sqrt(6/n)), so q_{l+1} = 2 E sin^2 z_l, where
# E sin^2 z = (1 - exp(-2 q)) / 2 for z ~ N(0, q). Sitzmann et al.'s appendix has the arcsine law's 1/2 for it, and q = 1.
report = json.load(open('siren.json'))
axis = [(2 * i - 31) / 31 for i in range(32)]
q = [150 * (x * x + y * y) / 2 for x in axis for y in axis]
laws = []
for layer in range(4):
    laws.append(sum(q) / len(q))
    q = [1 - math.exp(-2 * v) for v in q]
laws.append(sum(q) / len(q) / 30**2)  # the last layer's weights are divided by omega, and no sine follows
assert abs(laws[1] - 1) < 0.01 and abs(laws[3] - 0.82) < 0.01, laws  # the paper's 1; then not
for y, law in zip(report['layers'], laws):
    # |ln(measured / law)| in standard deviations of ln q over seeds: below 4.5 in 5 layers of 999,966 of 10^6 seeds
    z = math.log(y['q_measured'] / law) / y['q_sd']
    assert abs(y['q_meanfield'] / law - 1) < 2e-3 and abs(z) < 4.5, (y, law, z)
# muP: std is sqrt(2/64), then sqrt(2/w), then 8 sqrt(2) / w. ReLU halves q: 2, 2, 128/w.
for w in 64, 256, 1024:
    report = json.load(open(f'mup{w}.json'))
    x2 = report['layers'][0]['q_meanfield'] / 2  # the input's own mean square
    assert abs(x2 - 1) < 5 * (2 / (256 * 64)) ** 0.5, x2
    for y, law in zip(report['layers'], (2, 2, 128 / w)):
        assert abs(y['q_meanfield'] / x2 / law - 1) < 1e-4, (w, y, law)
        assert abs(math.log(y['q_measured'] / x2 / law)) < 4.5 * y['q_sd'] + 1e-6, (w, y, law)
PYTHON
